"""Targets that fail more often than their peers, and what they get: one test a rule."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from semantics.lab import fleet, run, scenario, simulation, targets, work

Tree = dict[str, Any]

MITIGATED = {"weighted_random": {"anomaly_mitigation": True}}


def looked_at(count: int, *faults: Tree, rate: str = "200/s", **keys: Any) -> Tree:
    """So many instances behind a balancer that looks for anomalies; requests of 100 us."""
    door: Tree = {"targets": ["web"], "routing": MITIGATED, **keys.pop("door", {})}
    traffic = keys.pop("traffic", {"to": "door", "rate": rate, "arrivals": "constant"})
    fleets = keys.pop("fleets", {"web": fleet(count=count)})
    service = keys.pop("service", work({"compute": "100us"}))
    return scenario(
        traffic, service, fleets=fleets, balancers={"door": door}, faults=list(faults), **keys
    )


def fails(lasting: str | None = None, kind: str = "fail") -> Tree:
    """The first instance, from the start."""
    return {"at": "0s", kind: "web"} | ({} if lasting is None else {"for": lasting})


def shares(tree: Tree) -> list[float]:
    return [target["share"] for target in targets(run(tree))]


def found(tree: Tree) -> Tree:
    return run(tree)["load_balancers"]["door"]["anomalies"]


def test_the_share_of_an_anomalous_target_is_halved_at_the_end_of_each_window():
    sim = simulation(looked_at(4, fails(), duration="300s"))
    seen = []
    for window in range(10):
        sim.advance(f"{30 * window + 29}s")
        seen.append(sim.results()["load_balancers.door.targets.0.share"])
    assert seen == [1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128, 1 / 128, 1 / 128]


def test_the_others_keep_theirs():
    tree = looked_at(4, fails(), duration="100s")
    assert shares(tree) == [1 / 8, 1, 1, 1]
    assert found(tree) == {"anomalous": 1, "mitigated": 1, "detected": 1}
    assert [target["anomalous"] for target in targets(run(tree))] == [True, False, False, False]


def test_a_target_gets_what_its_share_says():
    sim = simulation(looked_at(4, fails(), rate="400/s", duration="60s"))
    sim.advance("30s")
    before = [target["requests"] for target in targets(sim.results().to_dict())]
    sim.advance("60s")
    after = [target["requests"] for target in targets(sim.results().to_dict())]
    got = [b - a for a, b in zip(before, after, strict=True)]
    assert sum(got) == 12_000
    assert got[0] == pytest.approx(12_000 / 7, abs=5 * 39)  # half a share of three and a half
    assert before[0] == pytest.approx(3_000, abs=5 * 48)


def test_the_share_counts_beside_weights():
    """Each of two heavy targets weighs three; one of them fails."""
    fleets = {"web": fleet(count=2), "light": fleet(count=2)}
    heavy = {"targets": [{"fleet": "web", "weight": 3}, "light"]}
    tree = looked_at(0, fails(), rate="400/s", fleets=fleets, door=heavy, duration="60s")
    sim = simulation(tree)
    sim.advance("30s")
    before = targets(sim.results().to_dict())[0]["requests"]
    sim.advance("60s")
    got = targets(sim.results().to_dict())[0]["requests"] - before
    assert before == pytest.approx(12_000 * 3 / 8, abs=5 * 54)
    assert got == pytest.approx(12_000 * 1.5 / 6.5, abs=5 * 47)


def test_who_recovers_gets_twice_the_share_in_each_window():
    sim = simulation(looked_at(4, fails("240s"), rate="400/s", duration="600s"))
    seen = []
    for second in range(239, 510, 30):
        sim.advance(f"{second}s")
        seen.append(sim.results()["load_balancers.door.targets.0.share"])
    assert seen == [2.0**-k for k in (7, 7, 6, 5, 4, 3, 2, 1, 0, 0)]
    assert sim.results()["load_balancers.door.anomalies"] == {
        "anomalous": 0,
        "mitigated": 0,
        "detected": 1,
    }


def test_two_targets_have_no_peers():
    assert shares(looked_at(2, fails(), duration="100s")) == [1, 1]
    assert shares(looked_at(3, fails(), duration="100s")) == [1 / 8, 1, 1]


def test_targets_that_are_not_healthy_are_no_peers():
    check = {"interval": "5s", "timeout": "2s"}
    tree = looked_at(3, fails(), door={"health_check": check}, duration="100s")
    assert found(tree)["detected"] == 0  # two are left, and the third gets nothing


def test_too_few_answers_say_nothing_yet_and_count_on():
    # Some 4 answers a window and target: 10 of them after two or three windows.
    tree = looked_at(4, fails(), rate="0.5/s", duration="29s")
    assert found(tree | {"duration": "31s"})["detected"] == 0
    assert found(tree | {"duration": "200s"})["detected"] == 1


@pytest.mark.parametrize(("theirs", "own", "anomalous"), [(0.1, 0.25, 0), (0.1, 0.4, 1)])
def test_a_target_is_judged_by_its_peers(theirs, own, anomalous):
    """Twice their failures and a tenth of its answers beyond: 0.3 where they fail at 0.1."""
    fleets = {"well": fleet("fair", count=3), "web": fleet("poor")}
    tree = looked_at(
        0,
        fleets=fleets,
        door={"targets": ["well", "web"]},
        services={"fair": work({"fail": theirs}), "poor": work({"fail": own})},
        rate="400/s",
        duration="31s",
    )
    assert found(tree)["anomalous"] == anomalous


def test_all_that_fail_alike_are_normal():
    assert shares(looked_at(4, service=work({"fail": 1.0}), duration="100s")) == [1, 1, 1, 1]


def test_an_answer_that_comes_too_late_is_a_failure():
    """504: the target hangs, and the balancer does not wait."""
    door = {"idle_timeout": "1s"}
    assert shares(looked_at(4, fails(kind="hang"), door=door, duration="45s"))[0] == 1 / 2


def test_a_client_that_leaves_says_nothing_of_the_target():
    traffic = {"to": "door", "rate": "200/s", "arrivals": "constant", "timeout": "1s"}
    tree = looked_at(4, fails(kind="hang"), traffic=traffic, duration="45s")
    assert shares(tree) == [1, 1, 1, 1]


def test_what_a_full_backlog_rejects_is_a_failure():
    """503 of the target: one instance is slow, and its backlog of none is full."""
    slow = {"at": "0s", "slow": {"fleet": "web", "factor": 1000}}
    full = work({"compute": "100us"}, concurrency=1, backlog=0)
    assert shares(looked_at(4, slow, service=full, duration="31s"))[0] == 1 / 2


def test_peers_are_those_of_the_group():
    """One of two in its group fails, and there are more in the other."""
    fleets = {"web": fleet(count=2), "other": fleet(count=5)}
    groups = {"a": {"targets": ["web"]}, "b": {"targets": ["other"]}}
    tree = looked_at(0, fails(), fleets=fleets, duration="31s")
    tree["load_balancers"]["door"] = {"groups": groups, "routing": MITIGATED}
    assert found(tree)["detected"] == 0
    tree["fleets"]["web"] = fleet(count=3)
    assert found(tree)["detected"] == 1


def test_the_window_can_be_set():
    routing = {"weighted_random": {"anomaly_mitigation": True, "window": "10s"}}
    assert shares(looked_at(4, fails(), door={"routing": routing}, duration="35s"))[0] == 1 / 8


def test_the_series_counts_them():
    scenario_ = nph.Scenario.model_validate(looked_at(4, fails("40s"), series="10s"))
    _, values = scenario_.run(rng=7).series("load_balancers.door.anomalous")
    assert [int(value) for value in values] == [0, 0, 0, 1, 1, 1, 1, 1, 1, 0]


def test_weights_may_be_set_and_shares_stay():
    sim = simulation(looked_at(4, fails(), duration="100s"))
    sim.advance("40s")
    sim.set("load_balancers.door.targets.web.weight", 2)
    sim.advance("50s")
    assert sim.results()["load_balancers.door.targets.0.share"] == 1 / 2


def test_it_cannot_be_switched_while_a_simulation_runs():
    sim = simulation(looked_at(4, duration="100s"))
    with pytest.raises(nph.ScenarioError, match="anomaly_mitigation stays"):
        sim.set("load_balancers.door.routing", "round_robin")
    sim.set("load_balancers.door.routing", MITIGATED)


def test_a_router_alone_has_no_windows():
    with pytest.raises(nph.ScenarioError, match="no windows"):
        nph.parts.Router(MITIGATED, targets=3)
