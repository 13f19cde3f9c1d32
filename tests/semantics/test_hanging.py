"""Instances that hang: no answer, no refusal, until they go on. One test a rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nephoscope import _core
from semantics.lab import (
    fates,
    fleet,
    latency,
    moments,
    outcome,
    run,
    scenario,
    simulation,
    targets,
    work,
)

Tree = dict[str, Any]


def hangs(at: str, lasting: str | None = None, where: Any = "web", kind: str = "hang") -> Tree:
    return {"at": at, kind: where} | ({} if lasting is None else {"for": lasting})


def served(tree: Tree, *latencies: float) -> None:
    """All requests completed, and took so long."""
    source = run(tree)["traffic"]["customers"]
    assert fates(source) == (len(latencies), 0, 0, 0, 0)
    assert latency(source) == pytest.approx(moments(latencies), rel=1e-9, abs=2e-9)


def test_what_computes_stands_still(lab):
    served(scenario(lab.at(0, to="web"), faults=[hangs("400ms", "3s")]), 4.0)


def test_work_is_not_lost_at_any_speed(lab):
    fleets = {"web": fleet(speed=0.5)}
    served(scenario(lab.at(0, to="web"), fleets=fleets, faults=[hangs("1500ms", "3s")]), 5.0)


def test_who_comes_meanwhile_waits(lab):
    """The first is done at 4; the second begins then, the third after it."""
    tree = scenario(lab.at(0, 2, 3, to="web"), faults=[hangs("400ms", "3s")])
    served(tree, 4.0, 3.0, 3.0)


def test_who_finds_a_free_worker_holds_it(lab):
    served(scenario(lab.at(1, 2, to="web"), faults=[hangs("500ms", "3s")]), 3.5, 3.5)


def test_workers_go_on_all_together(lab):
    fleets = {"web": fleet(vcpus=2)}
    tree = scenario(lab.at(0, 0.25, to="web"), fleets=fleets, faults=[hangs("500ms", "2s")])
    served(tree, 3.0, 3.0)


def test_jobs_that_share_go_on_sharing(lab):
    """Each of two has had half a second of its vCPU when it hangs, and the same to come."""
    shared = work(discipline="ps")
    served(scenario(lab.at(0, 0, to="web"), shared, faults=[hangs("1s", "5s")]), 7.0, 7.0)


def test_who_wakes_there_does_not_run_on(lab):
    steps = work({"sleep": "1s"}, {"compute": "1s"})
    served(scenario(lab.at(0, to="web"), steps, faults=[hangs("500ms", "2s")]), 3.5)
    served(scenario(lab.at(0, to="web"), steps, faults=[hangs("200ms", "300ms")]), 2.0)


def test_who_has_called_does_not_see_the_answer(lab):
    tree = scenario(
        lab.at(0, to="front"),
        fleets={"front": fleet("ask"), "web": fleet()},
        services={"ask": work({"call": "web"})},
        faults=[hangs("500ms", "4s", "front")],
    )
    served(tree, 4.5)


def test_who_calls_waits_for_it(lab):
    tree = scenario(
        lab.at(0, to="front"),
        fleets={"front": fleet("ask"), "web": fleet()},
        services={"ask": work({"call": "web"})},
        faults=[hangs("500ms", "4s")],
    )
    served(tree, 5.0)


def test_it_goes_on_where_it_was_in_the_order_of_coming(lab):
    """Several workers that were given while it hung begin together, and share the vCPU."""
    service = work(concurrency=2)
    tree = scenario(lab.at(1, 2, to="web"), service, faults=[hangs("500ms", "4500ms")])
    served(tree, 6.0, 5.0)


def test_a_client_leaves_in_its_own_time(lab):
    traffic = lab.at(0, 10, to="web", timeout="2s")
    tree = scenario(traffic, faults=[hangs("500ms", "5s")])
    source = run(tree)["traffic"]["customers"]
    assert fates(source) == (1, 0, 0, 1, 0)
    assert run(tree)["fleets"]["web"]["wasted"] == 1  # its work is done after all


def test_without_an_end_it_holds_what_it_has(lab):
    source = run(scenario(lab.at(0, 1, 2, to="web"), faults=[hangs("500ms")]))
    assert fates(source["traffic"]["customers"]) == (0, 0, 0, 0, 3)


def test_the_balancer_sees_no_reset_and_gives_up_in_time(lab):
    door = {"door": {"targets": ["web"], "idle_timeout": "3s"}}
    tree = scenario(lab.at(0, 1, to="door"), balancers=door, faults=[hangs("500ms")])
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (0, 0, 2, 0, 0)
    assert result["load_balancers"]["door"]["errors"] == {"502": 0, "503": 0, "504": 2}


def test_health_checks_time_out():
    """Found out a timeout later than what refuses at once."""
    check = {"interval": "10s", "timeout": "5s", "healthy_threshold": 3}
    words = _core.random_words(7, 0, "load_balancers/door/health_checks", 2)
    phase = ((words >> np.uint64(12)).astype(float) + 0.5)[0] / 2.0**52 * 10.0
    tree = scenario(
        {"to": "door", "rate": "1/s", "arrivals": "constant"},
        work({"compute": "10ms"}),
        fleets={"web": fleet(count=2)},
        balancers={"door": {"targets": ["web"], "health_check": check}},
        faults=[hangs("50s")],
        series="1s",
    )
    found = [int(value) for value in outcome(tree).series("load_balancers.door.healthy")[1]]
    assert found == [2 if second < 65.0 + phase else 1 for second in range(1, 101)]


def test_what_is_killed_there_fails(lab):
    fault = [hangs("500ms"), hangs("2s", kind="kill")]
    tree = scenario(lab.at(0, 1, to="web"), faults=fault)
    assert fates(run(tree)["traffic"]["customers"]) == (0, 0, 2, 0, 0)


def test_what_fails_there_refuses_and_comes_back_hanging(lab):
    """At 2 s it loses what it holds, at 3 s it refuses, at 5 s it takes what it does at 8 s."""
    fault = [hangs("500ms", "7500ms"), hangs("2s", "2s", kind="fail")]
    tree = scenario(lab.at(0, 3, 5, to="web"), faults=fault)
    source = run(tree)["traffic"]["customers"]
    assert fates(source) == (1, 0, 2, 0, 0)
    assert latency(source)[0] == pytest.approx(4.0, abs=2e-9)


def test_strikes_that_overlap_count(lab):
    fault = [hangs("500ms", "2s"), hangs("1s", "3s")]
    served(scenario(lab.at(0, to="web"), faults=fault), 4.5)


def test_all_on_a_host_hang(lab):
    hosts = {"hall": {"count": 2, "type": {"cores": 1, "memory": "4GiB"}}}
    web = fleet(count=2) | {"hosts": "hall"}
    del web["instance_type"]
    web["instance_type"] = {"vcpus": 1, "memory": "1GiB"}
    tree = scenario(
        lab.at(0, 0, to="door"),
        fleets={"web": web},
        hosts=hosts,
        balancers={"door": {"targets": ["web"]}},
        faults=[hangs("500ms", "3s", {"host": "hall", "index": 0})],
    )
    source = run(tree)["traffic"]["customers"]
    assert fates(source) == (2, 0, 0, 0, 0)
    assert latency(source)[2:] == pytest.approx((1.0, 4.0), abs=2e-9)


def test_it_uses_no_vcpu(lab):
    tree = scenario(lab.at(0, to="web"), duration="10s", faults=[hangs("500ms", "5s")])
    assert run(tree)["fleets"]["web"]["utilization"] == pytest.approx(0.1)


def test_a_run_may_be_saved_while_it_hangs(lab):
    tree = scenario(lab.at(0, 1, 2, to="web"), faults=[hangs("500ms", "5s")])
    sim = simulation(tree)
    sim.advance("3s")
    twin = sim.fork()
    twin.advance("100s")
    sim.advance("100s")
    assert twin.results().fingerprint == sim.results().fingerprint == outcome(tree).fingerprint


def test_flapping():
    """What fails and comes back, again and again: from 10 s to 14 s, from 20 s to 24 s, ..."""
    fault = {"every": "10s", "for": "4s", "fail": "web"}
    instants = {"to": "door", "rate": "2/s", "arrivals": "constant"}
    tree = scenario(
        instants,
        work({"compute": "10ms"}),
        balancers={"door": {"targets": ["web"]}},
        duration="60s",
        faults=[fault],
    )
    result = run(tree)
    assert targets(result)[0]["failed"] == 5 * 4 * 2
    assert result["fleets"]["web"]["failures"] == {"count": 5, "now": 0, "down_s": 20.0}
