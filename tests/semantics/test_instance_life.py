"""The life of instances in a scenario: one test a rule, with traces worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nephoscope as nph
from semantics.lab import Lab, fates, fleet, latency, moments, outcome, run, scenario, work

Tree = dict[str, Any]

DURATIONS = {
    "stop": "20s",
    "restart": "10s",
    "reboot": "15s",
    "terminate": "8s",
    "hibernate": "30s",
    "resume": "6s",
}
# Of instances that cannot hibernate.
UNFROZEN = {law: time for law, time in DURATIONS.items() if law not in ("hibernate", "resume")}
SPOT = {"interruption": "10m"}


def exactly(*latencies: float):
    return pytest.approx(moments(latencies), rel=1e-9, abs=2e-9)


def machine(service: str = "work", count: int = 1, **keys: Any) -> Tree:
    """Instances that boot at once; the durations of the other transitions are known."""
    durations = DURATIONS if keys.get("hibernation") else UNFROZEN
    return fleet(service, count) | {"durations": durations, **keys}


def sold(kind: str = "m5.large", **keys: Any) -> Tree:
    """The same of a type that has a price, pending for 5 s at each start."""
    made = machine(**keys) | {"instance_type": kind}
    del made["boot"]
    return made | {"durations": made["durations"] | {"pending": "5s", "boot": "0s"}}


def requests(lab: Lab, *sized: tuple[float, float], to: str = "web") -> tuple[Tree, Tree]:
    """Traffic with a request at each instant, and a service with the work of each."""
    traffic = lab.at(*(time for time, _ in sized), to=to)
    return traffic, work(lab.sizes(*(size for _, size in sized)), concurrency=10)


def does(time: str, kind: str, which: Any = "web") -> Tree:
    return {"at": time, kind: which}


def customers(tree: Tree) -> tuple[int, int, int, int, int]:
    return fates(run(tree)["traffic"]["customers"])


def bill(web: Tree, *actions: Tree, duration: str) -> Tree:
    """What a fleet costs; a second of work each second, which bills nothing."""
    traffic = {"to": "web", "rate": "1/s", "arrivals": "constant"}
    tree = scenario(traffic, fleets={"web": web}, duration=duration, actions=list(actions))
    costs: Tree = run(tree)["cost_usd"]
    return costs["instances"]["web"]


# --- stop and start ---------------------------------------------------------------------------


def test_a_stopping_instance_finishes_what_it_can_in_its_shutdown(lab):
    # Stopped at 10 s, shut down until 30 s: 9.5 + 1 and 9 + 20.9 are in time, 9 + 60 is not.
    traffic, service = requests(lab, (9, 20.9), (9, 60), (9.5, 1))
    web = machine() | {"instance_type": {"vcpus": 4, "memory": "1GiB"}}
    tree = scenario(traffic, service, fleets={"web": web}, actions=[does("10s", "stop")])
    result = run(tree)["traffic"]["customers"]
    assert fates(result) == (2, 0, 1, 0, 0)
    assert latency(result) == exactly(20.9, 1)


def test_a_stopping_instance_gets_no_more_requests(lab):
    traffic, service = requests(lab, (9.9, 1), (10, 1), (12, 1), (35, 1))
    tree = scenario(traffic, service, fleets={"web": machine()}, actions=[does("10s", "stop")])
    assert customers(tree) == (1, 3, 0, 0, 0)


def test_a_started_instance_serves_when_it_has_restarted(lab):
    # Stopped from 30 s; started at 40 s, which takes 10 s.
    traffic, service = requests(lab, (49.999, 1), (50.001, 1))
    actions = [does("10s", "stop"), does("40s", "start")]
    result = run(scenario(traffic, service, fleets={"web": machine()}, actions=actions))
    assert fates(result["traffic"]["customers"]) == (1, 1, 0, 0, 0)
    life = result["fleets"]["web"]["life"]
    assert (life["stops"], life["starts"], life["stopped"]) == (1, 1, 0)


def test_what_is_still_stopping_cannot_start(lab):
    actions = [does("10s", "stop"), does("29s", "start", {"fleet": "web", "count": 1})]
    tree = scenario(lab.at(1), fleets={"web": machine()}, actions=actions)
    result = run(tree)
    assert result["fleets"]["web"]["life"]["starts"] == 0
    assert "lacked 1 instances" in result["flags"][0]


def test_stopped_instances_are_not_replaced(lab):
    web = machine(count=3)
    actions = [does("10s", "stop", {"fleet": "web", "count": 2})]
    result = run(scenario(lab.at(1), fleets={"web": web}, actions=actions))["fleets"]["web"]
    assert (result["instances"]["final"], result["life"]["stopped"]) == (1, 2)
    assert (result["launches"], result["terminations"]) == (3, 0)


def test_those_that_have_served_longest_are_stopped(lab):
    door = {"door": {"targets": ["web"], "routing": "round_robin"}}
    actions = [does("10s", "stop", {"fleet": "web", "count": 2})]
    traffic = lab.at(20, 21, 22, to="door")
    web = {"web": machine(count=3)}
    targets = run(scenario(traffic, fleets=web, balancers=door, actions=actions))["load_balancers"]
    counts = [target["completed"] for target in targets["door"]["targets"].values()]
    assert counts == [0, 0, 3]


def test_a_shrinking_fleet_gives_up_what_is_stopped_first(lab):
    web = {"web": machine(count=3)}
    tree = scenario(
        lab.at(1), fleets=web, actions=[does("10s", "stop", {"fleet": "web", "count": 1})]
    )
    sim = nph.Simulation(nph.Scenario.model_validate(tree))
    sim.advance("40s")
    sim.set("fleets.web.count", 2)
    assert sim.result()["fleets.web.life.stopped"] == 0
    assert sim.result()["fleets.web.instances.final"] == 2
    assert sim.result()["fleets.web.terminations"] == 1


# --- reboot, hibernate, terminate -------------------------------------------------------------


def test_a_reboot_fails_what_is_held_at_once(lab):
    # Rebooted at 10 s, for 15 s.
    traffic, service = requests(lab, (9, 2), (9, 1), (24.9, 1), (25.1, 1))
    web = machine() | {"instance_type": {"vcpus": 2, "memory": "1GiB"}}
    tree = scenario(traffic, service, fleets={"web": web}, actions=[does("10s", "reboot")])
    assert customers(tree) == (1, 1, 2, 0, 0)


def test_a_reboot_keeps_the_host_and_a_stop_gives_it_up(lab):
    hosts = {"hall": {"count": 2, "type": {"cores": 1, "memory": "64GiB"}}}
    web = machine(hosts="hall")

    def where(*actions: Tree) -> list[int]:
        traffic = {"to": "web", "rate": "1/s", "arrivals": "constant"}
        tree = scenario(traffic, fleets={"web": web}, hosts=hosts, actions=list(actions))
        pool = run(tree)["hosts"]["hall"]
        return [pool["by_host"].get(i, {"instances": 0})["instances"] for i in "01"] + [
            pool["placements"]
        ]

    assert where() == [1, 0, 1]
    assert where(does("10s", "reboot")) == [1, 0, 1]
    assert where(does("10s", "stop")) == [0, 0, 1]
    assert where(does("10s", "stop"), does("40s", "start")) == [0, 1, 2]


def test_a_start_may_find_no_room(lab):
    # Batch waits for the place of the web from the start, asks every minute and gets it at 60 s.
    hosts = {"hall": {"count": 1, "type": {"cores": 1, "memory": "64GiB"}}}
    fleets = {"web": machine(hosts="hall"), "batch": machine(hosts="hall")}
    actions = [does("10s", "stop"), does("70s", "start")]
    tree = scenario(lab.at(1), fleets=fleets, hosts=hosts, actions=actions, duration="3m")
    result = run(tree)
    assert result["fleets"]["batch"]["instances"]["final"] == 1
    life = result["fleets"]["web"]["life"]
    assert (life["starts"], life["refused_starts"], life["stopped"]) == (1, 2, 1)


def test_hibernation_freezes_what_is_held_and_resumes(lab):
    # Frozen at 10 s, saved at 40 s; started at 50 s, resumed at 56 s.
    traffic, service = requests(lab, (9, 1.5), (55.9, 1), (56.1, 1))
    actions = [does("10s", "hibernate"), does("50s", "start")]
    web = machine(hibernation=True)
    assert customers(scenario(traffic, service, fleets={"web": web}, actions=actions)) == (
        1,
        1,
        1,
        0,
        0,
    )


def test_a_terminated_instance_is_replaced_and_may_finish_in_its_shutdown(lab):
    # Terminated at 10 s, shut down until 18 s: 9 + 8 is in time, 9 + 60 not. The other serves.
    traffic, service = requests(lab, (9, 8), (9, 60), (11, 1))
    web = machine() | {"instance_type": {"vcpus": 2, "memory": "1GiB"}}
    tree = scenario(traffic, service, fleets={"web": web}, actions=[does("10s", "terminate")])
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (2, 0, 1, 0, 0)
    assert latency(result["traffic"]["customers"]) == exactly(8, 1)
    web = result["fleets"]["web"]
    assert (web["launches"], web["terminations"], web["instances"]["final"]) == (2, 1, 1)


def test_life_goes_on_after_a_drained_instance_has_left(lab):
    # The younger finishes at 12 s what it held when the fleet shrank; the other stops at 20 s.
    door = {"door": {"targets": ["web"], "routing": "round_robin"}}
    tree = scenario(
        lab.at(9, 9, to="door"),
        work({"compute": "3s"}),
        fleets={"web": machine(count=2)},
        balancers=door,
        actions=[does("20s", "stop"), does("50s", "start")],
    )
    sim = nph.Simulation(nph.Scenario.model_validate(tree))
    sim.advance("10s")
    sim.set("fleets.web.count", 1)
    sim.advance("35s")
    stopping = sim.result()
    assert (stopping["fleets.web.instances.final"], stopping["fleets.web.life.stopped"]) == (0, 1)
    sim.advance()
    assert sim.result()["fleets.web.instances.final"] == 1


# --- what fails -------------------------------------------------------------------------------


def test_what_waits_fails_too(lab):
    # One worker: one computes, two wait.
    service = work({"compute": "5s"})
    tree = scenario(
        lab.at(9, 9, 9), service, fleets={"web": machine()}, actions=[does("10s", "reboot")]
    )
    assert customers(tree) == (0, 0, 3, 0, 0)


def test_what_shares_its_vcpus_fails(lab):
    service = work({"compute": "5s"}, discipline="ps")
    tree = scenario(
        lab.at(9, 9, 9), service, fleets={"web": machine()}, actions=[does("10s", "reboot")]
    )
    assert customers(tree) == (0, 0, 3, 0, 0)


@pytest.mark.parametrize("step", ["sleep", "compute"])
def test_vcpu_time_ends_with_the_instance(lab, step):
    # 1 s of the 5 s is spent; sleeping spends none.
    tree = scenario(
        lab.at(9), work({step: "5s"}), fleets={"web": machine()}, actions=[does("10s", "reboot")]
    )
    busy = run(tree)["fleets"]["web"]["utilization"]
    # One vCPU for 100 s, less the 15 s of the reboot.
    assert busy == pytest.approx((1 if step == "compute" else 0) / 85)


@pytest.mark.parametrize("step", [{"network": "5MB"}, {"disk": "5MB"}, {"gpu": "5s"}])
def test_what_waits_for_a_device_dies_with_the_instance(lab, step):
    # Both are under way, or wait, at 10 s; what comes later finds the device free.
    kind = {"vcpus": 1, "memory": "1GiB", "network": "1MB/s", "disk": "1MB/s", "gpu": 1}
    service = work({"memory": "400MiB"}, step, concurrency=2)
    tree = scenario(
        lab.at(8, 9, 30, 30),
        service,
        fleets={"web": machine(instance_type=kind)},
        actions=[does("10s", "reboot")],
    )
    result = run(tree)["traffic"]["customers"]
    assert fates(result) == (2, 0, 2, 0, 0)
    assert result["latency_s"]["min"] == pytest.approx(5 if "gpu" in step else 10)
    assert result["latency_s"]["max"] == pytest.approx(10)


def test_a_neighbour_has_the_network_to_itself_when_an_instance_dies(lab):
    # Half of 1 MB/s each from 9 s to 10 s; then the other has 3.5 MB left, and all of it.
    fleets = {
        name: machine(hosts="hall", instance_type={"vcpus": 1, "memory": "1GiB"})
        for name in ("web", "other")
    }
    hall = {"type": {"cores": 2, "memory": "64GiB", "network": "1MB/s"}}
    traffic = {"users": lab.at(9, to="web"), "others": lab.at(9, to="other")}
    tree = scenario(
        traffic,
        work({"network": "4MB"}),
        fleets=fleets,
        hosts={"hall": hall},
        actions=[does("10s", "reboot")],
    )
    result = run(tree)["traffic"]
    assert fates(result["users"]) == (0, 0, 1, 0, 0)
    assert latency(result["others"]) == exactly(4.5)


def test_a_caller_sees_a_failed_answer(lab):
    services = {"store": work({"sleep": "5s"})}
    fleets = {"web": machine(), "db": machine("store")}
    tree = scenario(
        lab.at(9),
        work({"call": "db"}, {"compute": "1s"}),
        services=services,
        fleets=fleets,
        actions=[does("10s", "reboot", "db")],
    )
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (0, 0, 1, 0, 0)
    assert result["fleets"]["db"]["failed"] == 1


def test_what_a_dead_caller_asked_for_goes_on(lab):
    services = {"store": work({"sleep": "5s"})}
    fleets = {"web": machine(), "db": machine("store")}
    tree = scenario(
        lab.at(9),
        work({"call": "db"}, {"compute": "1s"}),
        services=services,
        fleets=fleets,
        actions=[does("10s", "reboot")],
    )
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (0, 0, 1, 0, 0)
    assert (result["fleets"]["web"]["failed"], result["fleets"]["db"]["completed"]) == (1, 1)


def test_a_failed_request_does_not_time_out_later(lab):
    tree = scenario(
        lab.at(9, timeout="3s"),
        work({"sleep": "5s"}),
        fleets={"web": machine()},
        actions=[does("10s", "reboot")],
    )
    assert customers(tree) == (0, 0, 1, 0, 0)


def test_a_user_whose_request_failed_thinks_again(lab):
    # Think 9 s, ask at 9, fail at 10, ask at 19 (rejected), ask at 28: done at 30, ask at 39, ...
    arrivals = {"closed": {"users": 1, "think": "9s"}}
    tree = scenario(
        {"to": "web", "arrivals": arrivals},
        work({"compute": "2s"}),
        fleets={"web": machine()},
        actions=[does("10s", "reboot")],
        duration="40s",
    )
    assert customers(tree) == (1, 1, 1, 0, 1)


# --- the bill ---------------------------------------------------------------------------------


def test_each_start_bills_a_minute_and_what_is_stopped_nothing():
    # Running 0 to 30 s: a minute. Started at 60 s, pending until 65 s, runs to the end at 200 s.
    line = bill(sold(), does("30s", "stop"), does("60s", "start"), duration="200s")
    assert line["billed_s"] == 60 + 135
    assert line["usd"] == pytest.approx(0.096 * 195 / 3600, rel=1e-12)


def test_a_stopping_instance_is_not_billed():
    assert bill(sold(), does("100s", "stop"), duration="200s")["billed_s"] == 100


def test_a_hibernating_instance_is_billed_until_its_memory_is_saved():
    web = sold(hibernation=True)
    assert bill(web, does("100s", "hibernate"), duration="200s")["billed_s"] == 130


def test_a_reboot_starts_no_new_minute():
    assert bill(sold(), does("100s", "reboot"), duration="130s")["billed_s"] == 130


def test_a_termination_ends_the_bill_and_its_replacement_begins_one():
    # 90 s; the other is launched at 90 s, pending for 5 s and runs for 5 s.
    assert bill(sold(), does("90s", "terminate"), duration="100s")["billed_s"] == 90 + 60


def test_the_bill_of_a_day_by_hand():
    """Two Windows instances, one on spot: each line to the cent of a cent."""
    on_demand = bill(sold(os="windows"), does("2h", "stop"), does("3h", "start"), duration="4h")
    assert on_demand["billed_s"] == 7200 + 3595
    assert on_demand["usd"] == pytest.approx(0.188 * 10_795 / 3600, rel=1e-12)
    assert on_demand["licence_usd"] == pytest.approx(0.092 * 10_795 / 3600, rel=1e-12)
    spot = bill(sold(os="windows", purchase={"spot": {"discount": "60%"}}), duration="4h")
    assert spot["purchase"] == "spot"
    assert spot["usd"] == pytest.approx((0.4 * 0.096 + 0.092) * 4, rel=1e-12)


# --- spot -------------------------------------------------------------------------------------


def test_spot_costs_what_the_catalogue_assumes():
    line = bill(sold(purchase="spot"), duration="1h")
    assert line["usd"] == pytest.approx(0.3 * 0.096, rel=1e-12)
    assert line["billed_s"] == 3600


def test_a_spot_instance_leaves_its_balancers_at_the_notice(lab):
    # Taken at 600 s with a notice at 480 s; another is there at once, when it is gone.
    traffic, service = requests(lab, (479.9, 1), (480.1, 1), (599.9, 1), (600.1, 1))
    web = machine(purchase={"spot": SPOT})
    result = run(scenario(traffic, service, fleets={"web": web}, duration="15m"))
    assert fates(result["traffic"]["customers"]) == (2, 2, 0, 0, 0)
    web = result["fleets"]["web"]
    assert (web["life"]["interruptions"], web["launches"], web["terminations"]) == (1, 2, 1)


def test_what_a_spot_instance_holds_has_two_minutes(lab):
    traffic, service = requests(lab, (470, 129.9), (470, 131))
    web = machine(purchase={"spot": SPOT}) | {"instance_type": {"vcpus": 2, "memory": "1GiB"}}
    result = run(scenario(traffic, service, fleets={"web": web}, duration="15m"))
    assert fates(result["traffic"]["customers"]) == (1, 0, 1, 0, 0)


def test_a_replacement_boots_before_it_serves(lab):
    web = machine(purchase={"spot": SPOT}, boot="30s")
    traffic, service = requests(lab, (629, 1), (631, 1))
    result = run(scenario(traffic, service, fleets={"web": web}, duration="15m"))
    assert fates(result["traffic"]["customers"]) == (1, 1, 0, 0, 0)


def test_runs_that_the_provider_ends_within_the_hour_are_free():
    # 0 to 10 and 10 to 20 minutes are free; what runs at the end is paid.
    web = sold(purchase={"spot": SPOT}) | {"durations": UNFROZEN, "boot": "0s"}
    assert bill(web, duration="25m")["billed_s"] == 300


def test_a_spot_instance_taken_after_its_first_hour_is_paid():
    web = sold(purchase={"spot": {"interruption": "90m"}}) | {"durations": UNFROZEN, "boot": "0s"}
    assert bill(web, duration="2h")["billed_s"] == 7200


def test_what_the_user_ends_within_the_hour_is_paid():
    web = sold(purchase={"spot": SPOT}) | {"durations": UNFROZEN, "boot": "0s"}
    assert bill(web, does("5m", "terminate"), duration="5m 1s".replace(" ", ""))["billed_s"] == 360


def test_a_spot_instance_that_stops_is_started_by_the_provider(lab):
    # Taken at 600 s, stopped at 620 s, started 300 s later, restarted 10 s after that.
    spot = SPOT | {"behaviour": "stop", "outage": "5m"}
    traffic, service = requests(lab, (929.9, 1), (930.1, 1))
    result = run(
        scenario(traffic, service, fleets={"web": machine(purchase={"spot": spot})}, duration="20m")
    )
    assert fates(result["traffic"]["customers"]) == (1, 1, 0, 0, 0)
    assert result["fleets"]["web"]["launches"] == 1


def test_a_user_cannot_start_what_the_provider_stopped(lab):
    spot = SPOT | {"behaviour": "stop", "outage": "1h"}
    tree = scenario(
        lab.at(1),
        fleets={"web": machine(purchase={"spot": spot})},
        actions=[does("700s", "start", {"fleet": "web", "count": 1})],
        duration="20m",
    )
    life = run(tree)["fleets"]["web"]["life"]
    assert (life["starts"], life["stopped"]) == (0, 1)


def test_hibernation_of_a_spot_instance_comes_without_notice(lab):
    spot = SPOT | {"behaviour": "hibernate", "outage": "5m"}
    web = machine(purchase={"spot": spot}, hibernation=True)
    traffic, service = requests(lab, (500, 1), (599.5, 1), (610, 1))
    assert customers(scenario(traffic, service, fleets={"web": web}, duration="15m")) == (
        1,
        1,
        1,
        0,
        0,
    )


def test_interruptions_are_drawn_from_streams_of_their_own():
    """What else there is, how many requests and where they go, moves no interruption."""

    def taken(count: int, routing: str, rate: str) -> Any:
        web = machine(count=count, purchase={"spot": {"interruption": {"exponential": "5m"}}})
        tree = scenario(
            {"to": "door", "rate": rate},
            fleets={"web": web},
            balancers={"door": {"targets": ["web"], "routing": routing}},
            duration="1h",
            series="1m",
        )
        return outcome(tree).series("fleets.web.instances")[1]

    assert np.array_equal(taken(3, "random", "2/s"), taken(3, "round_robin", "1/s"))
    assert not np.array_equal(taken(3, "random", "1/s"), taken(4, "random", "1/s"))
