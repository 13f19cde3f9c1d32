"""What the provider does to an instance: status checks, recovery, scheduled events, spot."""

from __future__ import annotations

import pytest

from compute.lifecycle_lab import INCORRECT, SECOND, Lab
from nephoscope.errors import ScenarioError

# --- status checks ----------------------------------------------------------------------------


def test_checks_are_initializing_for_two_minutes():
    lab = Lab(initially="pending").to(124)
    assert (lab["check"], lab["serving"]) == ("initializing", True)
    assert lab.to(125)["check"] == "ok"


def test_checks_stay_initializing_until_the_guest_has_booted():
    """Running at 5, serves at 605: found by the check of 605, for a check sees its instant."""
    lab = Lab(initially="pending", laws={"boot": "10m"}).to(604)
    assert (lab["system_check"], lab["instance_check"]) == ("ok", "initializing")
    assert lab["check"] == "initializing"
    assert lab.to(605)["check"] == "ok"


def test_a_broken_guest_is_found_at_the_next_minute_and_a_reboot_cures_it():
    """Running since 0: broken at 250, found at 300; rebooted at 310, up at 325, found at 360."""
    lab = Lab().to(250)
    assert lab.ask("break_guest") == "accepted"
    assert lab.ask("break_guest") == "unchanged"
    lab.to(310)
    assert (lab["system_check"], lab["instance_check"]) == ("ok", "impaired")
    assert lab["ready_at_ns"] == 2**63 - 1
    lab.ask("reboot")
    lab.to(400)
    assert lab.told("down", "serving", "check")[1:] == [
        (250, "down", ""),
        (300, "check", "impaired"),
        (325, "serving", ""),
        (360, "check", "ok"),
    ]
    assert lab["recoveries"] == 0  # that is for system checks


def test_a_guest_that_breaks_while_booting_is_impaired_once_checks_count():
    lab = Lab(initially="pending").to(20)
    lab.ask("break_guest")
    lab.to(500)
    assert lab.told("serving", "check") == [(125, "check", "impaired")]


def test_a_reboot_across_a_check_is_seen_and_a_shorter_one_is_not():
    lab = Lab().to(50)
    lab.ask("reboot")  # 50 to 65, across the check of 60
    lab.to(121).ask("reboot")  # 121 to 136
    lab.to(200)
    assert lab.told("check") == [(60, "check", "impaired"), (120, "check", "ok")]


def test_a_request_at_the_instant_of_a_check_comes_after_it():
    lab = Lab().to(60)
    lab.ask("reboot")  # 60 to 75: between two checks
    assert lab.to(200).told("check") == []


def test_a_check_comes_after_everything_else_of_its_instant():
    """The first check is at 125 and so is the maintenance, announced later."""
    lab = Lab(initially="pending").to(40)
    lab.ask("schedule", 0, "system-maintenance", 125 * SECOND, lasts_ns=90 * SECOND)
    assert lab.to(200).told("check") == [(125, "check", "impaired")]


def test_instances_that_do_not_run_have_no_checks():
    lab = Lab()
    lab.ask("stop")
    assert lab["check"] == "not-applicable"
    assert lab.to(500).told("check") == []


# --- automatic recovery -----------------------------------------------------------------------


def test_a_failed_system_check_moves_the_instance_to_another_host():
    """Broken at 70, found at 120, up after a reboot of 15 s; the checks find that at 180."""
    lab = Lab(assets=("public_address", "elastic_address")).to(70)
    assert lab.ask("break_host") == "accepted"
    lab.to(200)
    assert lab.told("down", "check", "recovery", "serving")[1:] == [
        (70, "down", ""),
        (120, "check", "impaired"),
        (120, "recovery", ""),
        (135, "serving", ""),
        (180, "check", "ok"),
    ]
    lost = {asset: int(times[0]) for asset, times in lab.life.lost().items() if times[0]}
    assert lost == {"host": 1, "memory": 1}
    assert (lab["recoveries"], lab["billed_s"], lab["starts"]) == (1, 200, 1)


def test_the_new_host_passes_its_check_before_the_guest_is_up():
    lab = Lab(laws={"reboot": "5m"}).to(70)
    lab.ask("break_host")
    lab.to(180)
    assert (lab["system_check"], lab["instance_check"]) == ("ok", "impaired")
    assert lab.to(420)["check"] == "ok"


@pytest.mark.parametrize(
    "facts",
    [
        {"automatic_recovery": False},
        {"assets": ("instance_store",)},
        {"root": "instance_store"},
        {"metal": True},
        {"efa": True},
        {"group_member": True},
    ],
)
def test_recovery_does_not_apply_to_everything(facts):
    lab = Lab(**facts).to(70)
    lab.ask("break_host")
    lab.to(1000)
    assert (lab["recoveries"], lab["check"], lab["serving"]) == (0, "impaired", False)
    assert lab.ask("reboot") == "accepted"  # of no use on this host
    assert not lab.to(1100)["serving"]
    assert lab.ask("repair") == "accepted"
    assert lab.to(1115)["serving"]


def test_an_instance_with_a_scheduled_event_does_not_recover():
    lab = Lab()
    lab.ask("schedule", 0, "instance-reboot", 10_000 * SECOND)
    lab.ask("break_host")
    assert lab.to(1000)["recoveries"] == 0
    assert lab["check"] == "impaired"


def test_stop_and_start_leave_a_broken_host_behind():
    lab = Lab(automatic_recovery=False)
    lab.ask("break_host")
    lab.ask("stop")
    lab.to(40).ask("start")
    assert lab.to(65)["serving"]


# --- scheduled events -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "facts", "state"),
    [
        ("instance-stop", {}, "stopping"),
        ("instance-retirement", {}, "stopping"),
        ("instance-retirement", {"root": "instance_store"}, "shutting-down"),
    ],
)
def test_events_that_end_a_run(event, facts, state):
    lab = Lab(**facts)
    assert lab.ask("schedule", 0, event, 500 * SECOND) == "accepted"
    assert lab["scheduled"] == event
    assert lab.to(499)["state"] == "running"
    lab.to(500)
    assert (lab["state"], lab["reason"], lab["scheduled"]) == (state, "Server.ScheduledStop", "")
    assert lab.told()[2:] == [(0, "scheduled", ""), (500, state, "Server.ScheduledStop")]


def test_an_instance_stop_needs_a_root_volume():
    lab = Lab(root="instance_store")
    assert lab.ask("schedule", 0, "instance-stop", SECOND) == "UnsupportedOperation"


@pytest.mark.parametrize("event", ["instance-reboot", "system-reboot"])
def test_events_that_reboot(event):
    lab = Lab()
    lab.ask("schedule", 0, event, 500 * SECOND)
    lab.to(600)
    assert lab.told("down", "serving")[1:] == [(500, "down", ""), (515, "serving", "")]
    assert (lab["state"], lab["reboots"]) == ("running", 1)
    assert lab.life.lost()["host"].tolist() == [0]


def test_a_system_reboot_mends_the_host():
    lab = Lab()
    lab.ask("schedule", 0, "system-reboot", 500 * SECOND)
    lab.ask("break_host")
    assert not lab.to(500)["serving"]
    assert lab.to(515)["serving"]


def test_maintenance_puts_an_instance_out_of_reach_for_its_time():
    """Out of reach from 500 to 590: the checks of 540 fail, those of 600 pass."""
    lab = Lab()
    lab.ask("schedule", 0, "system-maintenance", 500 * SECOND, lasts_ns=90 * SECOND)
    lab.to(550)
    assert (lab["system_check"], lab["ready_at_ns"]) == ("impaired", 590 * SECOND)
    lab.to(700)
    assert lab.told("down", "serving", "check")[1:] == [
        (500, "down", ""),
        (540, "check", "impaired"),
        (590, "serving", ""),
        (600, "check", "ok"),
    ]
    assert lab["recoveries"] == 0
    assert lab.life.lost()["memory"].tolist() == [0]


def test_a_guest_boots_on_while_it_is_out_of_reach():
    lab = Lab(initially="pending").to(5)
    lab.ask("schedule", 0, "system-maintenance", 20 * SECOND, lasts_ns=90 * SECOND)
    assert lab.to(200).told("serving") == [(110, "serving", "")]
    lab.ask("schedule", 0, "system-maintenance", 300 * SECOND, lasts_ns=10 * SECOND)
    lab.to(305).ask("reboot")
    assert lab.to(400).told("serving", "down") == [(300, "down", ""), (320, "serving", "")]


def test_a_stop_clears_what_was_scheduled():
    lab = Lab()
    lab.ask("schedule", 0, "instance-retirement", 500 * SECOND)
    lab.ask("stop")
    lab.to(100).ask("start")
    assert lab.to(1000)["state"] == "running"


@pytest.mark.parametrize(
    ("event", "at", "lasts"),
    [
        ("instance-stop", -1, 0),
        ("instance-stop", 5, 5),
        ("system-maintenance", 5, 0),
        ("retirement", 5, 0),
    ],
)
def test_events_that_make_no_sense_are_refused(event, at, lasts):
    with pytest.raises(ScenarioError):
        Lab().ask("schedule", 0, event, at, lasts_ns=lasts)


# --- spot -------------------------------------------------------------------------------------


def test_an_interruption_gives_notice_two_minutes_before():
    lab = Lab(purchase="spot")
    assert lab.ask("interrupt", 0, 500 * SECOND) == "accepted"
    lab.to(600)
    reason = "Server.SpotInstanceTermination"
    assert lab.told()[2:] == [
        (380, "notice", ""),
        (500, "shutting-down", reason),
        (507, "terminated", reason),
    ]


def test_an_interruption_that_stops_and_only_the_provider_starts_again():
    lab = Lab(purchase="spot", interruption="stop")
    lab.ask("interrupt", 0, 500 * SECOND)
    lab.to(600)
    reason = "Server.SpotInstanceShutdown"
    assert lab.told()[2:] == [
        (380, "notice", ""),
        (500, "stopping", reason),
        (540, "stopped", reason),
    ]
    assert lab.ask("start") == INCORRECT
    assert lab.ask("resume") == "accepted"
    lab.ask("fail_launch")
    assert lab.ask("start") == INCORRECT  # it is still the provider's to start
    assert lab.ask("resume") == "accepted"
    assert lab.to(700)["serving"]
    lab.ask("stop")
    assert lab.to(800).ask("start") == "accepted"


def test_a_hibernation_begins_with_its_notice():
    lab = Lab(purchase="spot", interruption="hibernate", hibernation=True)
    lab.ask("interrupt", 0, 500 * SECOND)
    lab.to(600)
    reason = "Server.SpotInstanceShutdown"
    assert lab.told()[2:] == [
        (500, "notice", ""),
        (500, "stopping", reason),
        (550, "stopped", reason),
    ]
    assert lab.life.lost()["memory"].tolist() == [0]


def test_a_guest_that_does_not_serve_has_no_memory_to_save():
    lab = Lab(initially="pending", purchase="spot", interruption="hibernate", hibernation=True)
    lab.ask("interrupt", 0, 20 * SECOND)
    assert lab.to(60)["state"] == "stopped"
    assert lab.life.lost()["memory"].tolist() == [1]


def test_a_notice_is_as_early_as_it_can_be():
    lab = Lab(purchase="spot").to(100)
    lab.ask("interrupt", 0, 130 * SECOND)
    assert lab.to(140).told("notice", "state")[1:] == [
        (100, "notice", ""),
        (130, "shutting-down", "Server.SpotInstanceTermination"),
        (137, "terminated", "Server.SpotInstanceTermination"),
    ]


@pytest.mark.parametrize("at", [100, 380])
def test_a_rebalance_recommendation_comes_before_or_with_the_notice(at):
    lab = Lab(purchase="spot")
    lab.ask("interrupt", 0, 500 * SECOND, rebalance_at_ns=at * SECOND)
    told = lab.to(400).told("rebalance", "notice")
    assert told == [(at, "rebalance", ""), (380, "notice", "")]


def test_a_rebalance_recommendation_after_the_notice_is_refused():
    lab = Lab(purchase="spot")
    with pytest.raises(ScenarioError, match="rebalance_at_ns"):
        lab.ask("interrupt", 0, 500 * SECOND, rebalance_at_ns=381 * SECOND)
    assert lab.to(600)["state"] == "running"


def test_only_spot_instances_that_are_up_are_interrupted():
    assert Lab().ask("interrupt", 0, SECOND) == "UnsupportedOperation"
    lab = Lab(purchase="spot", interruption="stop")
    lab.ask("interrupt", 0, 500 * SECOND)
    lab.ask("stop")  # the user was faster
    assert lab.ask("interrupt", 0, 500 * SECOND) == INCORRECT
    lab.to(50).ask("start")
    assert lab.to(600)["state"] == "running"


def test_a_pending_instance_is_terminated_by_an_interruption():
    lab = Lab(initially="pending", purchase="spot", interruption="stop")
    lab.ask("interrupt", 0, 2 * SECOND)
    assert lab.to(20)["state"] == "terminated"
    assert lab["billed_s"] == 0
