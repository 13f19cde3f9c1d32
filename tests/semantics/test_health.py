"""Health checks, who gets requests and who drains: one test a rule, with traces by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nephoscope as nph
from nephoscope import _core
from nephoscope.results import SECTIONS
from nephoscope.results.fingerprint import fingerprint_of
from semantics.lab import fates, fleet, outcome, run, scenario, simulation, targets, work

Tree = dict[str, Any]

INTERVAL = 10.0
CHECK: Tree = {"interval": "10s", "timeout": "5s", "healthy_threshold": 3}


def first_checks(count: int, rng: int = 7, balancer: str = "door") -> np.ndarray:
    """When targets registered at 0 are checked first, s: within the first interval."""
    words = _core.random_words(rng, 0, f"load_balancers/{balancer}/health_checks", count)
    return ((words >> np.uint64(12)).astype(float) + 0.5) / 2.0**52 * INTERVAL


def door(*fleets: str, routing: Any = "round_robin", check: Any = CHECK, **keys: Any) -> Tree:
    checked = {} if check is None else {"health_check": check}
    return {"door": {"targets": list(fleets or ["web"]), "routing": routing, **checked, **keys}}


def steady(rate: str = "1/s") -> Tree:
    return {"to": "door", "rate": rate, "arrivals": "constant"}


def lab_of(count: int, *faults: Tree, duration: str = "200s", **keys: Any) -> Tree:
    """So many instances behind a balancer, a request each second of 10 ms of work."""
    keys = {"balancers": door(), **keys}
    traffic = keys.pop("traffic", steady())
    service = keys.pop("service", work({"compute": "10ms"}))
    web = keys.pop("web", fleet(count=count))
    return scenario(
        traffic, service, fleets={"web": web}, duration=duration, faults=list(faults), **keys
    )


def fails(at: str, lasting: str | None = None, where: Any = "web") -> Tree:
    return {"at": at, "fail": where} | ({} if lasting is None else {"for": lasting})


def healthy(tree: Tree, interval: str = "1s") -> list[int]:
    """Healthy targets at the end of each second."""
    result = outcome(tree | {"series": interval})
    return [int(value) for value in result.series("load_balancers.door.healthy")[1]]


# --- states -----------------------------------------------------------------------------------


def test_failures_in_a_row_make_a_target_unhealthy():
    phase = first_checks(2)[0]  # of the instance that has served longest, which fails
    found = healthy(lab_of(2, fails("50s")))
    turns = 60.0 + phase  # the second check after 50 s; it is refused at once
    assert found == [2 if second < turns else 1 for second in range(1, 201)]


def test_an_unhealthy_target_needs_successes_in_a_row():
    phase = first_checks(2)[0]
    found = healthy(lab_of(2, fails("50s", "30s")))
    lost, back = 60.0 + phase, 100.0 + phase  # checks at 80, 90 and 100 s, and the phase, succeed
    assert found == [1 if lost <= second < back else 2 for second in range(1, 201)]


def test_a_success_in_between_begins_the_count_anew():
    # Down for 4 s around each second check: never two failures in a row.
    phase = first_checks(2)[0]
    downs = [fails(f"{50 + phase + 20 * i - 2:.3f}s", "4s") for i in range(5)]
    tree = lab_of(2, *downs)
    assert healthy(tree) == [2] * 200
    assert run(tree)["load_balancers"]["door"]["health"]["failed_checks"] == 5


def test_checks_have_a_fixed_period():
    tree = lab_of(3, duration="100s")
    found = run(tree)["load_balancers"]["door"]["health"]
    assert found["checks"] == 30  # every 10 s from an instant within the first 10 s
    assert found["failed_checks"] == 0


def test_a_new_target_needs_one_success():
    sim = simulation(lab_of(1, duration="100s"))
    sim.advance("50s")
    sim.set("fleets.web.count", 2)
    phase = first_checks(2)[1]  # drawn when it is registered, at 50 s
    sim.advance("100s")
    result = sim.results()
    health = result["load_balancers.door.health"]
    assert (health["healthy"], health["turned_unhealthy"], health["recovered"]) == (2, 0, 0)
    seen = result["load_balancers.door.targets.1.requests"]
    both = 100 - np.ceil(50 + phase)  # requests, one a second, that came while both took them
    assert seen in (both // 2, both // 2 + 1)


def test_a_new_target_that_fails_is_unhealthy_and_has_to_recover():
    """Its checks are lost for the first 30 s: two make it unhealthy."""
    lost = {"at": "50s", "for": "30s", "lose_health_checks": "new"}
    fleets = {"web": fleet(count=1), "new": fleet(count=0)}
    tree = scenario(
        steady(), fleets=fleets, balancers=door("web", "new"), duration="200s", faults=[lost]
    )
    sim = simulation(tree)
    sim.advance("50s")
    sim.set("fleets.new.count", 1)
    phase = first_checks(2)[1]
    failed = 50 + phase + 10 + 5  # the second check, and that it is not answered
    recovered = np.ceil((80 - 50 - phase) / 10) * 10 + 50 + phase + 20  # the third success after
    states = []
    for second in range(51, 200):
        sim.advance(f"{second}s")
        health = sim.results()["load_balancers.door.health"]
        states.append((health["initial"], health["unhealthy"]))
    expected = [
        (int(second <= failed), int(failed < second <= recovered)) for second in range(51, 200)
    ]
    assert states == expected
    assert (health["turned_unhealthy"], health["recovered"]) == (1, 1)


def test_who_serves_when_the_clock_starts_is_healthy():
    assert healthy(lab_of(5, duration="20s")) == [5] * 20


# --- who gets requests ------------------------------------------------------------------------


def test_what_has_failed_gets_requests_until_it_is_found_out():
    """Each fails at once, as a connection that is refused: 502, and no request is rejected."""
    phase = first_checks(2)[0]
    result = run(lab_of(2, fails("50s")))
    lost = np.ceil((60 + phase - 50) / 2)  # every other one, until the second check
    failed = result["traffic"]["customers"]["failed"]
    assert failed in (lost, lost - 1)
    assert result["load_balancers"]["door"]["errors"] == {"502": failed, "503": 0}
    assert result["traffic"]["customers"]["rejected"] == 0


def test_without_checks_it_gets_them_to_the_end():
    result = run(lab_of(2, fails("50s"), balancers=door(check=None)))
    assert result["traffic"]["customers"]["failed"] == 75


@pytest.mark.parametrize("routing", ["least_connections", "least_response_time"])
def test_who_fails_fast_draws_everybody(routing):
    """One that refuses has nothing outstanding, so a balancer that looks at that sends it all."""
    web = fleet(count=2)
    service = work({"compute": "1500ms"})
    keys = {"web": web, "service": service, "balancers": door(routing=routing, check=None)}
    result = run(lab_of(2, fails("100s"), **keys))
    failed = result["traffic"]["customers"]["failed"]
    assert failed > 60  # round robin would lose 50


def test_all_unhealthy_and_everybody_gets_requests():
    result = run(lab_of(2, fails("50s", "100s", {"fleet": "web", "count": 2})))
    source = result["traffic"]["customers"]
    # Nobody is left without a target: those of the outage fail, none is rejected.
    assert (source["failed"], source["rejected"]) == (100, 0)
    assert result["load_balancers"]["door"]["health"]["fail_open_s"] > 80
    assert any("fail-open" in flag for flag in result["flags"])


@pytest.mark.parametrize("minimum", [3, {"count": 0, "share": "75%"}, {"count": 3, "share": "1%"}])
def test_below_the_minimum_of_healthy_targets_all_get_requests(minimum):
    check = CHECK | {"minimum_healthy": minimum}
    struck = fails("50s", None, {"fleet": "web", "count": 2})
    result = run(lab_of(4, struck, balancers=door(check=check)))
    assert result["traffic"]["customers"]["failed"] in (74, 75)  # half of 150, to the end
    kept = run(lab_of(4, struck, balancers=door(check=CHECK | {"minimum_healthy": 2})))
    assert kept["traffic"]["customers"]["failed"] < 20


def test_no_registered_target_is_503():
    sim = simulation(lab_of(1))
    sim.advance("100s")
    sim.set("fleets.web.count", 0)
    sim.advance("200s")
    assert sim.results()["load_balancers.door.errors"] == {"502": 0, "503": 100}


def test_time_without_any_target_is_not_fail_open():
    sim = simulation(lab_of(1))
    sim.advance("50s")
    sim.set("fleets.web.count", 0)
    sim.advance("150s")
    sim.set("fleets.web.count", 1)
    sim.advance("200s")
    # The new one takes requests until its first check, within an interval: nobody else is there.
    assert 0 < sim.results()["load_balancers.door.health.fail_open_s"] < INTERVAL


def test_who_comes_back_has_kept_count_of_its_requests():
    """Suspended with two requests under way, it returns with what is left of them."""
    # Both are busy with two long requests each; one loses its checks and gets them back.
    lost = {"at": "15s", "for": "40s", "lose_health_checks": "web"}
    service = work({"compute": "100s"}, concurrency=4)
    web = fleet(count=2, vcpus=4)
    keys = {"service": service, "web": web, "balancers": door(routing="least_connections")}
    tree = lab_of(2, lost, traffic=steady("2/m"), duration="600s", **keys)
    result = run(tree)
    counts = [target["requests"] for target in targets(result)]
    assert sum(counts) == 19
    assert abs(counts[0] - counts[1]) <= 4
    nph.Scenario.model_validate(tree).run()  # checked at the end: the policy's count is right


# --- what a check is --------------------------------------------------------------------------


def test_a_check_waits_for_a_worker():
    """An instance that is busy for longer than the timeout fails its check."""
    # 30 s of work each 40 s on one of two: its checks while busy for 5 s more fail.
    busy = {"to": "web", "rate": "1/m", "arrivals": "constant"}
    traffic = {"customers": steady(), "bulk": busy}
    service = work({"choose": [{"weight": 1, "steps": [{"compute": "40s"}]}]})
    tree = lab_of(2, traffic=traffic, service=service)
    health = run(tree)["load_balancers"]["door"]["health"]
    assert health["turned_unhealthy"] >= 1
    shorter = work({"compute": "4s"})
    health = run(lab_of(2, traffic=steady("6/m"), service=shorter))["load_balancers"]["door"][
        "health"
    ]
    assert health["failed_checks"] == 0


def test_a_check_behind_held_workers_times_out():
    """Workers that wait for a callee compute nothing, and nobody knows when they are free."""
    web, slow = fleet(count=1), fleet("slow", count=1, vcpus=64)
    services = {"slow": work({"sleep": "1h"}, concurrency=1000)}
    for workers, turned in ((2, 1), (1000, 0)):
        service = work({"call": "far"}, concurrency=workers)
        tree = scenario(
            steady(),
            service,
            fleets={"web": web, "far": slow},
            services=services,
            balancers=door(),
            duration="100s",
        )
        health = run(tree)["load_balancers"]["door"]["health"]
        assert health["turned_unhealthy"] == turned


def test_a_check_waits_for_all_that_a_worker_does():
    """What a job does after it has computed keeps its worker too."""
    failed = []
    for steps in ([{"compute": "1s"}, {"sleep": "5s"}], [{"sleep": "6s"}]):
        check = CHECK | {"timeout": "900ms"}
        keys = {"service": work(*steps), "balancers": door(check=check)}
        result = run(lab_of(1, traffic=steady("6/m"), **keys))
        failed.append(result["load_balancers"]["door"]["health"]["failed_checks"])
    assert failed[0] == failed[1] > 0


def one_job(at: str, took: str, *faults: Tree, **check: Any) -> Tree:
    """What the checks of one instance found that has one job."""
    traffic = {"to": "door", "arrivals": {"closed": {"users": 1, "think": at}}}
    keys = {"service": work({"compute": took}), "balancers": door(check=CHECK | check)}
    tree = lab_of(1, *faults, traffic=traffic, duration="20s", **keys)
    return run(tree)["load_balancers"]["door"]["health"]


def test_who_breaks_down_answers_no_check_that_waits():
    """The check would have been answered in time, had the instance lived."""
    phase = float(first_checks(1)[0])
    start = f"{phase - 1:.6f}s"
    assert one_job(start, "3s", timeout="5s")["failed_checks"] == 0
    falls = fails(f"{phase + 1:.6f}s", "1s")
    assert one_job(start, "3s", falls, timeout="5s")["failed_checks"] == 1


def test_who_slows_down_answers_later():
    """A second of two is left when the instance slows to a tenth: ten, and too late."""
    phase = float(first_checks(1)[0])
    start = f"{phase - 1:.6f}s"
    slow = {"at": f"{phase + 1:.6f}s", "for": "9s", "slow": {"fleet": "web", "factor": 10}}
    assert one_job(start, "3s", slow, timeout="9s")["failed_checks"] == 1
    assert one_job(start, "3s", slow | {"for": "1s"}, timeout="9s")["failed_checks"] == 0


def test_a_full_backlog_refuses_a_check():
    service = work({"compute": "1h"}, backlog=1)
    tree = lab_of(1, service=service, duration="40s")
    health = run(tree)["load_balancers"]["door"]["health"]
    assert health["turned_unhealthy"] == 1
    assert health["failed_checks"] in (3, 4)


def test_a_check_may_take_work():
    """Under processor sharing 5 s of work take twice as long beside another job."""
    service = work({"compute": "60s"}, discipline="ps")
    traffic = {"to": "door", "rate": "1/h", "arrivals": "constant"}
    keys = {"service": service, "traffic": {"to": "door", "rate": "36/h", "arrivals": "constant"}}
    for demand, failed in (("1s", False), ("4s", True)):
        check = CHECK | {"work": demand}
        tree = lab_of(1, balancers=door(check=check), duration="190s", **keys)
        health = run(tree)["load_balancers"]["door"]["health"]
        assert (health["failed_checks"] > 0) == failed
    idle = lab_of(1, balancers=door(check=CHECK | {"work": "4s"}), traffic=traffic, service=service)
    assert run(idle)["load_balancers"]["door"]["health"]["failed_checks"] == 0


@pytest.mark.parametrize("routing", ["round_robin", "least_connections", "ip_hash"])
@pytest.mark.parametrize("discipline", ["fifo", "ps"])
def test_checks_change_nothing_where_all_are_well(routing, discipline):
    """Same arrivals, same work, same results: checks are nobody's traffic."""
    service = work({"compute": {"exponential": "40ms"}}, discipline=discipline)
    found = []
    for check in (None, CHECK):
        keys = {"service": service, "traffic": {"to": "door", "rate": "60/s", "clients": 50}}
        tree = lab_of(4, balancers=door(routing=routing, check=check), duration="100s", **keys)
        result = outcome(tree)
        door_ = result["load_balancers.door"]
        found.append((result["traffic.customers"], result["fleets.web"], door_["requests"]))
        assert fates(result["traffic.customers"])[1:4] == (0, 0, 0)
    assert found[0] == found[1]


def test_lost_checks_take_a_target_out_that_serves():
    phase = first_checks(2)[0]
    tree = lab_of(2, {"at": "50s", "for": "60s", "lose_health_checks": "web"})
    # Each such check fails when its timeout is over, 5 s later.
    lost, back = 65 + phase, 130 + phase
    assert healthy(tree) == [1 if lost <= second < back else 2 for second in range(1, 201)]
    assert run(tree)["traffic"]["customers"]["failed"] == 0


# --- draining ---------------------------------------------------------------------------------


def drained(delay: str | None, took: str) -> Tree:
    """One of two leaves at 10 s, each with a request of 9 s from 5 s on."""
    keys = {} if delay is None else {"deregistration_delay": delay}
    service = work({"compute": took})
    sim = simulation(
        lab_of(
            2,
            traffic={"to": "door", "arrivals": {"profile": [["0s", "2/s"], ["1s", "0/s"]]}},
            service=service,
            balancers=door(check=None, **keys),
            duration="1000s",
        )
    )
    sim.advance("10s")
    sim.set("fleets.web.count", 0)
    sim.advance("1000s")
    result: Tree = sim.results().to_dict()
    return result["traffic"]["customers"]


def test_a_draining_target_has_its_delay_and_no_more():
    in_time, late = drained("30s", "9s"), drained("30s", "200s")
    assert in_time["completed"] == in_time["offered"] > 0
    assert late["failed"] == late["offered"] > 0


def test_the_delay_is_300_s_by_default():
    assert drained(None, "290s")["failed"] == 0
    assert drained(None, "320s")["completed"] == 0


def shown(tree: Tree, duration: str = "500s") -> list[int]:
    """Draining targets at the end of each second."""
    result = outcome(tree | {"series": "1s", "duration": duration})
    return [int(value) for value in result.series("load_balancers.door.draining")[1]]


def shrinking(delay: str | None = None, **keys: Any) -> Tree:
    """One of two is asked to end at 10 s, with nothing in flight or little."""
    told = {} if delay is None else {"deregistration_delay": delay}
    ends = [{"at": "10s", "terminate": {"fleet": "web", "count": 1}}]
    return lab_of(2, balancers=door(**told), actions=ends, **keys)


def test_a_target_that_left_is_shown_as_draining_for_the_whole_delay():
    """It has finished long before."""
    # From 10 s to 310 s: what comes at an instant comes after what is seen then.
    assert shown(shrinking())[10:] == [1] * 299 + [0] * 191
    assert shown(shrinking("20s"), "100s")[10:] == [1] * 19 + [0] * 71
    health = run(shrinking(duration="200s"))["load_balancers"]["door"]["health"]
    assert (health["healthy"], health["draining"]) == (2, 1)


def test_none_is_shown_where_there_is_no_delay():
    assert set(shown(shrinking("0s"), "100s")) == {0}


def test_one_that_is_registered_anew_drains_no_more():
    stops = [{"at": "10s", "stop": {"fleet": "web"}}, {"at": "50s", "start": {"fleet": "web"}}]
    web = fleet(count=1) | {"durations": {"stop": "5s", "pending": "0s", "restart": "0s"}}
    del web["boot"]
    web["durations"]["boot"] = "0s"
    seen = shown(lab_of(1, web=web, actions=stops), "100s")
    assert seen[10:50] == [1] * 40
    assert set(seen[50:]) == {0}


def test_what_shows_as_draining_is_no_part_of_a_fingerprint():
    """It follows from what has left."""
    result = outcome(shrinking())
    before = fingerprint_of(result._numbers, SECTIONS)
    result._numbers["load_balancers"][0]["draining"] += 1
    assert fingerprint_of(result._numbers, SECTIONS) == before


def test_forks_and_saved_states_keep_what_checks_know():
    tree = lab_of(3, fails("50s", "60s", {"fleet": "web", "count": 2}))
    sim = nph.Simulation(nph.Scenario.model_validate(tree), rng=7)
    sim.advance("70s")
    twin = sim.fork()
    sim.advance("130s")
    twin.advance("130s")
    assert sim.result().fingerprint == twin.result().fingerprint
    assert twin.result().fingerprint == outcome(tree).fingerprint
