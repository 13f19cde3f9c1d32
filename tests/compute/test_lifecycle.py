"""The rules of an instance's life, one by one, and lives worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from compute.lifecycle_lab import INCORRECT, LAWS, SECOND, Lab, instance_in
from nephoscope import catalog, parts
from nephoscope.errors import NephoscopeError, ScenarioError, StateError

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

# --- lives worked out by hand -----------------------------------------------------------------


def test_a_life_from_launch_to_termination():
    """Launch, boot, reboot, stop, start, terminate.

      0 pending, 5 running, 35 serves. Checks at 125 (the second minute): ok.
    200 reboot: down, 215 serves, and the check of 245 finds nothing wrong.
    300 stop: stopping, 340 stopped. The run was 295 s: billed 295.
    400 start: pending, 405 running, 425 serves; checks at 525: ok.
    600 terminate: shutting-down, 607 terminated. The run was 195 s.
    The bill: 295 + 195 = 490 s.
    """
    lab = Lab(initially="pending")
    for second, request in [(200, "reboot"), (300, "stop"), (400, "start"), (600, "terminate")]:
        lab.to(second)
        assert lab.ask(request) == "accepted"
    lab.to(700)
    assert lab.told() == [
        (0, "pending", ""),
        (5, "running", ""),
        (35, "serving", ""),
        (125, "check", "ok"),
        (200, "down", ""),
        (215, "serving", ""),
        (300, "stopping", "Client.UserInitiatedShutdown"),
        (340, "stopped", "Client.UserInitiatedShutdown"),
        (400, "pending", ""),
        (405, "running", ""),
        (425, "serving", ""),
        (525, "check", "ok"),
        (600, "shutting-down", "Client.UserInitiatedShutdown"),
        (607, "terminated", "Client.UserInitiatedShutdown"),
    ]
    assert lab["billed_s"] == 490
    lost = {asset: int(times[0]) for asset, times in lab.life.lost().items() if times[0]}
    assert lost == {
        "host": 2,
        "private_address": 1,
        "public_address": 2,
        "root_volume": 1,
        "memory": 3,
    }


def test_a_hibernation():
    """Running at 5, serves at 35; 100 hibernate, 150 stopped; 200 start, 205 runs, 215 serves.

    Billed 145 s (95 running and 50 stopping); of the second run, 5 s by 210: a minute.
    """
    lab = Lab(initially="pending", hibernation=True)
    lab.to(100)
    assert lab.ask("hibernate") == "accepted"
    lab.to(200)
    assert lab.ask("start") == "accepted"
    lab.to(210)
    assert lab["billed_s"] == 145 + 60
    lab.to(220)
    assert lab.told()[3:] == [
        (100, "stopping", "Client.UserInitiatedHibernate"),
        (150, "stopped", "Client.UserInitiatedHibernate"),
        (200, "pending", ""),
        (205, "running", ""),
        (215, "serving", ""),
    ]
    assert lab.life.lost()["memory"].tolist() == [0]


def test_windows_costs_its_licence():
    """An m5.large for 1000 s: 0.188 / 3600 x 1000 USD, of which 0.092 / 3600 x 1000 licence."""
    life = parts.Lifecycle()
    system = life.add_system("windows", laws={"pending": "8s", "boot": "12m"})
    one = life.launch(system)
    life.advance(8 * SECOND)
    assert life.figures()["ready_at_ns"][0] == 728 * SECOND
    life.advance(1008 * SECOND)
    life.terminate(one)
    usage = catalog.Usage("m5.large", "windows", int(life.figures()["billed_s"][0]))
    (line,) = catalog.bill([usage])
    assert line.billed_s == 1000
    assert line.usd == pytest.approx(0.0522222222, rel=1e-8)
    assert line.licence_usd == pytest.approx(0.0255555556, rel=1e-8)


# --- which requests are legal in which state ---------------------------------------------------

LEGAL = {
    "stop": {"running": "accepted", "stopping": "unchanged", "stopped": "unchanged"},
    "start": {"pending": "unchanged", "running": "unchanged", "stopped": "accepted"},
    "reboot": {"running": "accepted"},
    "modifiable": {"stopped": "accepted"},
    "change_type": {"stopped": "accepted"},
    "fail_launch": {"pending": "accepted"},
    "terminate": dict.fromkeys(["pending", "running", "stopping", "stopped"], "accepted")
    | dict.fromkeys(["shutting-down", "terminated"], "unchanged"),
    "break_guest": {"running": "accepted"},
    "break_host": {"running": "accepted"},
    "repair": {"running": "unchanged"},
    "resume": {},
    "shut_down": {},  # a guest that has not booted has no say
}
STATES = ["pending", "running", "stopping", "stopped", "shutting-down", "terminated"]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("request_", LEGAL)
def test_requests_by_state(request_, state):
    lab = instance_in(state)
    lab.told()
    expected = LEGAL[request_].get(state, INCORRECT)
    assert lab.ask(request_) == expected
    if expected != "accepted":
        assert lab.told() == []
        assert lab["state"] == state


@pytest.mark.parametrize("state", [state for state in STATES if state != "stopped"])
def test_a_type_is_changed_of_a_stopped_instance_only(state):
    """What it is changed to counts from its next start on: metal does not recover."""
    lab = instance_in(state)
    assert lab.ask("change_type", metal=True) == lab.ask("modifiable") == INCORRECT

    def recoveries(**changed: bool) -> int:
        it = instance_in("stopped", metal=not changed.get("metal", False))
        assert it.ask("change_type", **changed) == "accepted"
        it.ask("start")
        it.to(100).ask("break_host")
        return int(it.to(1000)["recoveries"])

    assert recoveries() == 1
    assert recoveries(metal=True) == recoveries(efa=True) == 0


def test_what_a_type_may_be_is_told_in_yes_and_no():
    with pytest.raises(ScenarioError, match="metal"):
        instance_in("stopped").ask("change_type", metal="m5.metal")


def test_instances_with_an_instance_store_root_can_only_terminate():
    lab = Lab(root="instance_store")
    assert lab.ask("stop") == "UnsupportedOperation"
    assert lab.ask("hibernate") == "UnsupportedOperation"
    assert lab.ask("reboot") == "accepted"
    lab.to(20)
    assert lab.life.holds()["instance_store"].tolist() == [True]  # a reboot keeps its data
    assert lab.life.holds()["root_volume"].tolist() == [False]
    assert lab.ask("terminate") == "accepted"


def test_hibernation_has_to_be_enabled_and_the_guest_to_serve():
    assert Lab().ask("hibernate") == "UnsupportedHibernationConfiguration"
    lab = Lab(initially="pending", hibernation=True).to(34)
    assert lab.ask("hibernate") == INCORRECT
    assert lab.to(35).ask("hibernate") == "accepted"


@pytest.mark.parametrize(
    ("behaviour", "stop", "hibernate"),
    [
        ("terminate", "UnsupportedOperation", "UnsupportedOperation"),
        ("stop", "accepted", "UnsupportedOperation"),
        ("hibernate", "UnsupportedOperation", "accepted"),
    ],
)
def test_the_user_stops_a_spot_instance_only_as_an_interruption_would(behaviour, stop, hibernate):
    facts = {"purchase": "spot", "interruption": behaviour, "hibernation": True}
    assert Lab(**facts).ask("stop") == stop
    assert Lab(**facts).ask("hibernate") == hibernate


def test_a_long_shutdown_ends_hard_and_one_can_do_without():
    lab = Lab(2, laws={"stop": "1h"})
    lab.ask("stop", 0)
    lab.ask("stop", 1, skip_os_shutdown=True)
    lab.to(1)
    assert lab.life.figures()["state"].tolist() == ["stopping", "stopped"]
    lab.to(299)
    assert lab["state"] == "stopping"
    assert lab.to(300)["state"] == "stopped"


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, "stopping"),
        ({"guest_shutdown": "terminate"}, "shutting-down"),
        ({"guest_shutdown": "terminate", "termination_protection": True}, "shutting-down"),
        ({"root": "instance_store"}, "shutting-down"),
    ],
)
def test_a_shutdown_from_within(facts, state):
    lab = Lab(**facts)
    assert lab.ask("shut_down") == "accepted"
    assert (lab["state"], lab["reason"]) == (state, "Client.InstanceInitiatedShutdown")


# --- launch failures --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reason",
    [
        "Server.InsufficientInstanceCapacity",
        "Server.InternalError",
        "Client.VolumeLimitExceeded",
        "Client.InvalidSnapshot.NotFound",
        "Client.InternalError",
    ],
)
def test_a_launch_that_fails_goes_from_pending_to_terminated(reason):
    lab = Lab(initially="pending").to(2)
    assert lab.ask("fail_launch", 0, reason) == "accepted"
    lab.to(100)
    assert lab.told() == [(0, "pending", ""), (2, "terminated", reason)]
    assert not any(held[0] for held in lab.life.holds().values())


def test_a_start_without_capacity_leaves_the_instance_stopped():
    lab = Lab(hibernation=True)
    lab.ask("hibernate")
    lab.to(50).ask("start")
    lab.ask("fail_launch")
    reason = "Server.InsufficientInstanceCapacity"
    assert (lab["state"], lab["reason"]) == ("stopped", reason)
    assert lab.life.holds()["memory"].tolist() == [True]
    assert lab.ask("start") == "accepted"
    assert lab.to(65).told("serving")[-1][0] == 65  # resumed: 50 + 5 + 10


def test_only_failures_of_a_launch_fail_it():
    with pytest.raises(ScenarioError, match="reason"):
        Lab(initially="pending").ask("fail_launch", 0, "Server.ScheduledStop")


# --- termination ------------------------------------------------------------------------------


def test_a_protected_instance_spares_its_zone_and_no_other():
    lab = Lab(2, zone=0)
    lab.life.launch(lab.system, 2, initially="running", zone=1)
    lab.life.protect(1)
    answers = lab.life.terminate([0, 1, 2, 3]).tolist()
    assert answers == ["OperationNotPermitted"] * 2 + ["accepted"] * 2
    assert lab.life.figures()["state"].tolist() == ["running"] * 2 + ["shutting-down"] * 2
    lab.life.protect(1, on=False)
    assert lab.life.terminate([0, 1]).tolist() == ["accepted"] * 2


def test_a_bad_number_spares_everything():
    lab = Lab(2)
    assert lab.life.terminate([0, 1, 2]).tolist() == ["InvalidInstanceID.NotFound"] * 3
    assert lab.life.figures()["state"].tolist() == ["running"] * 2


def test_termination_is_idempotent_and_may_name_an_instance_twice():
    lab = Lab()
    assert lab.life.terminate([0, 0]).tolist() == ["accepted", "unchanged"]
    lab.to(100)
    assert lab.ask("terminate") == "unchanged"
    assert len(lab.told("state")) == 3


def test_terminated_instances_are_visible_for_an_hour():
    lab = Lab()
    lab.ask("terminate")
    assert lab.to(7 + 3599)["visible"]
    assert not lab.to(7 + 3600)["visible"]


# --- what is kept -----------------------------------------------------------------------------

KEPT = {  # the table of the provider's guide; recovery is a reboot elsewhere
    "reboot": {*parts.ASSETS} - {"memory"},
    "stop_start": {"private_address", "elastic_address", "root_volume", "other_volumes"},
    "hibernate": {"private_address", "elastic_address", "root_volume", "other_volumes", "memory"},
    "terminate": {"other_volumes"},
    "recovery": {*parts.ASSETS} - {"memory", "host", "instance_store"},
}


@pytest.mark.parametrize("transition", parts.TRANSITIONS)
def test_the_table_of_what_is_kept(transition):
    assert {a for a in parts.ASSETS if parts.keeps(transition, a)} == KEPT[transition]


EVERYTHING = ("public_address", "elastic_address", "instance_store", "other_volumes")


@pytest.mark.parametrize(
    ("transition", "request_"),
    [
        ("reboot", "reboot"),
        ("stop_start", "stop"),
        ("hibernate", "hibernate"),
        ("terminate", "terminate"),
    ],
)
def test_an_instance_loses_what_the_table_says_and_a_start_gives_back(transition, request_):
    lab = Lab(assets=EVERYTHING, hibernation=True)
    lab.ask(request_)
    lab.to(60)
    lost = {asset for asset, times in lab.life.lost().items() if times[0] == 1}
    assert lost == {*parts.ASSETS} - KEPT[transition]
    held = {asset for asset, holds in lab.life.holds().items() if holds[0]}
    assert held == KEPT[transition] | ({"memory"} if transition == "reboot" else set())
    if lab.ask("start") == "accepted":
        assert all(holds[0] for holds in lab.life.holds().values())


def test_volumes_follow_their_own_switch_at_termination():
    lab = Lab(assets=EVERYTHING, deleted=("other_volumes",))
    lab.ask("terminate")
    lab.to(60)
    held = {asset for asset, holds in lab.life.holds().items() if holds[0]}
    assert held == {"root_volume"}


def test_nobody_loses_what_it_does_not_hold():
    lab = Lab(assets=())
    lab.ask("stop")
    lab.to(50).ask("terminate")
    lab.to(60)
    assert lab.life.lost()["public_address"].tolist() == [0]
    assert lab.life.lost()["host"].tolist() == [1]  # at the stop, not again at the end


# --- draws, saving, copies --------------------------------------------------------------------


def test_draws_are_a_function_of_name_number_and_count():
    """Another fleet, or other requests before, move nobody's second boot."""

    def second_boot(*, neighbours: int, reboots: int) -> list[int]:
        life = parts.Lifecycle(seed=3)
        if neighbours:
            life.launch(life.add_system(name="others"), neighbours)
        system = life.add_system(name="web")
        mine = life.launch(system, 4)
        life.advance(HOUR)
        for _ in range(reboots):
            life.reboot(mine)
        life.advance(2 * HOUR)
        life.stop(mine)
        life.advance(3 * HOUR)
        life.start(mine)
        life.advance(3 * HOUR + MINUTE)
        return life.figures(mine)["ready_at_ns"].tolist()

    plain = second_boot(neighbours=0, reboots=0)
    assert plain == second_boot(neighbours=7, reboots=3)
    assert len(set(plain)) == 4


def test_every_start_and_stop_and_reboot_takes_a_draw_of_its_own():
    laws = {law: {"uniform": {"min": "10s", "max": "20s"}} for law in LAWS}
    lab = Lab(initially="pending", laws=laws)
    for start in range(1, 4):
        for second, request in [(100, "reboot"), (150, "reboot"), (200, "stop"), (250, "start")]:
            lab.to(300 * start + second - 300)
            assert lab.ask(request) == "accepted"
    told = lab.to(1000).told("state", "serving", "down")
    times = [time for time, _, _ in told]
    # Between one and the next in turn: pending, boot; reboots; stop, each with its rest before.
    lasted = [
        round(then - now, 9)
        for now, then, (_, word, _) in zip(times, times[1:], told[1:], strict=False)
        if word in {"running", "serving", "stopped"}
    ]
    assert len(lasted) == 3 * 5 + 2
    assert len(set(lasted)) == len(lasted)


def test_the_default_laws_are_the_catalogues():
    life = parts.Lifecycle(seed=1)
    linux, windows = life.add_system("linux", name="a"), life.add_system("windows", name="b")
    life.launch(linux, 400)
    life.launch(windows, 400)
    life.advance(HOUR)
    figures = life.figures()
    pending = figures["running_since_ns"] / SECOND
    boot = (figures["ready_at_ns"] - figures["running_since_ns"]) / SECOND
    assert pending[:400].mean() == pytest.approx(5.0, rel=0.05)
    assert 20 <= boot[:400].min() <= boot[:400].max() <= 40
    assert 600 <= boot[400:].min() <= boot[400:].max() <= 900
    assert boot[400:].mean() == pytest.approx(750, rel=0.02)


def test_a_saved_state_goes_on_as_the_original():
    lab = Lab(50, initially="pending", laws={"boot": {"exponential": "1m"}})
    lab.to(20)
    state, copy = lab.life.save(), lab.life.copy()

    def go_on(life: parts.Lifecycle) -> dict[str, list]:
        life.stop(np.arange(10))
        life.advance(10 * MINUTE)
        return {name: column.tolist() for name, column in life.changes().items()}

    original = go_on(lab.life)
    assert go_on(copy) == original
    lab.life.restore(state)
    assert go_on(lab.life) == original
    with pytest.raises(StateError):
        lab.life.restore(state[:-1])


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"root": "ebss"}, "ebs"),
        ({"purchase": "reserved"}, "purchase"),
        ({"assets": ["host"]}, "assets"),
        ({"deleted": ["memory"]}, "deleted"),
        ({"interruption": "stop"}, "interruption"),
        ({"purchase": "spot", "interruption": "hibernate"}, "interruption"),
        ({"root": "instance_store", "hibernation": True}, "hibernation"),
        ({"root": "instance_store", "purchase": "spot", "interruption": "stop"}, "interruption"),
        ({"hibernate": True}, "hibernation"),
        ({"metal": 2}, "metal"),
        ({"zone": -1}, "zone"),
        ({"initially": "stopped"}, "initially"),
    ],
)
def test_facts_that_do_not_fit_are_refused(facts, word):
    with pytest.raises(ScenarioError, match=word):
        Lab(**facts)


def test_requests_name_instances_that_are_there_and_time_runs_forwards():
    lab = Lab().to(10)
    for instances in ([1], [-1], [0.5]):
        with pytest.raises(ScenarioError, match="instances"):
            lab.life.stop(instances)
    with pytest.raises(ScenarioError, match="until_ns"):
        lab.to(9)
    with pytest.raises(ScenarioError, match="system"):
        lab.life.launch(1)
    with pytest.raises(NephoscopeError):
        lab.life.add_system("linuks")
    with pytest.raises(ScenarioError, match="laws"):
        lab.life.add_system(laws={"boot_time": "1s"})
