"""Properties of every run, over random scenarios with random interventions.

The draws are derandomised: the same scenarios on every machine, every time. The fast suite runs 150
of them through the invariants, the slow one 1,200.
"""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from nephoscope import _core
from properties.engine import Results, Session, by_name, compiled, run, same
from properties.liveliness import derandomised, look_until_seen
from properties.systems import System, systems

COUNTS = ("completed", "rejected", "failed", "timed_out", "in_flight")
LIFE = ("interruptions", "stops", "starts", "reboots", "hibernations")
FRONTS = {
    "slow starts": "slow_starts",
    "cookies": "cookies_followed",
    "moves": "cookies_moved",
    "504": "gateway_timeout",
    "spilled": "spilled",
    "queued": "queued_most",
    "over capacity": "over_capacity",
}
AGAIN = ("retries", "hedges", "out_of_budget", "held_back")
SCALED = ("scaled out", "scaled in", "scheduled", "predicted")
KEPT = ("replaced unhealthy", "replaced stopped", "protected", "warm_starts", "returned")
UPKEEP = ("kept out", "shed", "replaced", "renewed", "moved", "migrated", "types")


# --- invariants and conservation --------------------------------------------------------------


def conserves(system: System) -> None:
    """Runs with the invariants checked after every event, then adds everything up by itself."""
    world = run(system, checked=True)
    results = world.results()
    for source in results["traffic"]:
        assert source["offered"] == sum(source[key] for key in COUNTS), source["name"]
    for account in (*results["fleets"], *results["load_balancers"]):
        assert account["requests"] == sum(account[key] for key in COUNTS), account["name"]
    for account in (*results["traffic"], *results["fleets"], *results["load_balancers"]):
        assert account["latency"].count == account["completed"]
    for balancer in results["load_balancers"]:
        targets = balancer["targets"]
        assert np.all(targets["run_ns"] >= 0)
        assert np.array_equal(targets["requests"], sum(targets[key] for key in COUNTS))
        # What found no target was rejected by the balancer itself, or waits there, or has left.
        keeps = balancer.keys() & {"spilled", "capacity", "connections_opened", "own_answers"}
        apart = {*COUNTS} - {"completed"} if keeps else {"rejected"}
        for key in COUNTS:
            rest = balancer[key] - targets[key].sum()
            assert rest == 0 or (key in apart and rest > 0), (balancer["name"], key)
    for fleet in results["fleets"]:
        assert 0 <= fleet["run_ns"] <= fleet["vcpu_ns"], fleet["name"]
        assert fleet["instances_min"] <= fleet["instances_final"] <= fleet["instances_max"]
        assert fleet["instances_min"] <= fleet["instances_mean"] <= fleet["instances_max"]
    horizon = results["now_ns"]
    for account in (*results["traffic"], *results["fleets"]):
        if account["completed"]:
            assert 0 <= account["latency"].min <= account["latency"].max <= horizon


@derandomised(150)
@given(systems())
def test_invariants_hold_after_every_event(system):
    conserves(system)


@pytest.mark.slow
@derandomised(1200)
@given(systems())
def test_invariants_hold_after_every_event_of_many_more(system):
    conserves(system)


def upkeep(results: Results) -> Counter[str]:
    """What was renewed and moved."""
    found: Counter[str] = Counter()
    renewed = [f["refresh"] for f in results["fleets"] if "refresh" in f]
    found["replaced"] = any(each["replaced"] for each in renewed)
    found["renewed"] = any(each["finished_ns"] > each["started_ns"] for each in renewed)
    found["moved"] = any(each.get("moved", 0) for each in results["faults"])
    found["migrated"] = any(pool.get("migrations", 0) for pool in results["hosts"])
    makes = [fleet["makes"] for fleet in results["fleets"] if "makes" in fleet]
    found["types"] = any(each["launches"][1] > 0 for each in makes)
    return found


def hung(system: System, results: Any) -> bool:
    """Whether some instance did."""
    struck = zip(system.tree["faults"], results["faults"], strict=True)
    return any(it["instances"] for fault, it in struck if "hang" in fault)


def test_the_scenarios_are_worth_running():
    """Random scenarios prove little if nothing happens in them: all kinds of things do."""
    seen: Counter[str] = Counter()

    def look(system: System) -> None:
        world = run(system)
        results = world.results()
        seen["scenarios"] += 1
        seen["events"] += world.events
        for key in COUNTS:
            seen[key] += any(source[key] > 0 for source in results["traffic"])
        seen["wasted"] += any(fleet["wasted"] > 0 for fleet in results["fleets"])
        seen["busy balancer"] += any(b["completed"] > 0 for b in results["load_balancers"])
        seen["nested calls"] += sum(f["requests"] for f in results["fleets"]) > sum(
            source["offered"] for source in results["traffic"]
        )
        used = ("network_bytes", "disk_bytes", "disk_ops", "gpu_ns", "out_of_memory")
        seen["devices"] += any(fleet.get(key, 0) for fleet in results["fleets"] for key in used)
        seen["changes"] += bool(system.changes)
        for what in AGAIN:
            seen[what] += any(source.get(what, 0) > 0 for source in results["traffic"])
        lives = [fleet for fleet in results["fleets"] if "interruptions" in fleet]
        for what in LIFE:
            seen[what] += any(fleet[what] > 0 for fleet in lives)
        seen["dear spot"] += any(fleet.get("price_too_high", 0) for fleet in lives)
        seen["kept out"] += any(f.get("requests_throttled", 0) for f in results["fleets"])
        seen["shed"] += any(f.get("requests_shed", 0) for f in results["fleets"])
        seen.update(upkeep(results))
        seen["falls"] += any(fleet.get("failures", 0) for fleet in results["fleets"])
        scaling = [fleet["scaling"] for fleet in results["fleets"] if "scaling" in fleet]
        seen["scaled out"] += any(each["outward"].any() for each in scaling)
        seen["scaled in"] += any(each["inward"].any() for each in scaling)
        seen["scheduled"] += any(each["scheduled"] for each in scaling)
        seen["predicted"] += any(each.get("predicted", 0) for each in scaling)
        kept = [f["membership"] for f in results["fleets"] if "membership" in f]
        for what in KEPT:
            seen[what] += any(each[what.split()[-1]] for each in kept)
        health = [b["health"] for b in results["load_balancers"] if "health" in b]
        seen["unhealthy"] += any(each["turned_unhealthy"] for each in health)
        seen["recovered"] += any(each["recovered"] for each in health)
        seen["fail-open"] += any(each["fail_open_ns"] for each in health)
        for what, key in FRONTS.items():
            seen[what] += any(b.get(key, 0) for b in results["load_balancers"])
        seen["groups"] += any(len(b.get("groups", {})) > 1 for b in results["load_balancers"])
        doors = system.tree["load_balancers"].values()
        seen["zones"] += any(door.get("cross_zone") is False for door in doors)
        seen["nodes"] += any(door.get("nodes", 1) > 1 for door in doors)
        seen["hung"] += hung(system, results)

    rare = (*LIFE, *AGAIN, *UPKEEP, *SCALED, *KEPT, *FRONTS, "devices", "falls")
    rare = (*rare, "unhealthy", "recovered", "fail-open", "groups", "zones", "nodes", "hung")
    rare = (*rare, "dear spot")
    often = (*COUNTS, "wasted", "busy balancer", "nested calls", "changes")
    look_until_seen(look, systems(), 200, seen, often, rare)
    assert seen["events"] > 200 * seen["scenarios"]


# --- the same run, cut, saved, forked ---------------------------------------------------------


def resumes(system: System) -> None:
    straight = run(system).results()
    assert same(run(system, system.cuts_ns).results(), straight), "cut into pieces"
    session = Session(system)
    for instant in system.cuts_ns:
        session.to(instant)
        saved = session.world.save()
        assert session.world.save() == saved, "saving changes nothing"
        twin = session.world.copy()
        # What the twin goes through is nothing to the original.
        twin.advance(system.duration_ns)
        session.world = _core.World.restore(compiled(system), saved)
        assert session.world.save() == saved, "a restored world is the saved one"
    session.to(system.duration_ns)
    assert same(session.world.results(), straight), "saved and restored"
    assert session.world.save() == run(system).save()


@derandomised(60)
@given(systems())
def test_a_run_may_be_cut_saved_and_restored_anywhere(system):
    resumes(system)


@pytest.mark.slow
@derandomised(600)
@given(systems())
def test_many_more_runs_may_be_cut_saved_and_restored_anywhere(system):
    resumes(system)


@derandomised(60)
@given(systems())
def test_a_fork_goes_on_as_the_original(system):
    straight = run(system).results()
    for instant in system.cuts_ns[:1]:
        session = Session(system)
        session.to(instant)
        twin = session.fork()
        session.to(system.duration_ns)
        twin.to(system.duration_ns)
        assert same(session.world.results(), straight)
        assert same(twin.world.results(), straight)


@derandomised(60)
@given(systems())
def test_a_damaged_state_is_refused_or_runs(system):
    """Bytes that are cut or changed never crash: they are refused, or they are a legal state."""
    session = Session(system)
    session.to(system.duration_ns // 2)
    saved = bytearray(session.world.save())
    spec = compiled(system)
    for cut in (0, 8, len(saved) // 2, len(saved) - 1):
        with pytest.raises(Exception, match="state"):
            _core.World.restore(spec, bytes(saved[:cut]))


# --- metamorphic ------------------------------------------------------------------------------


def with_idle_company(system: System) -> System:
    """The same system beside a fleet and a balancer that nobody uses, first and last by name."""
    tree = copy.deepcopy(system.tree)
    idle = {"service": "idle-work", "count": 3, "instance_type": {"vcpus": 2, "memory": "1GiB"}}
    tree["services"] = (
        {"a-work": {"steps": [{"compute": {"gamma": {"mean": "1s", "cv": 2.0}}}]}}
        | tree["services"]
        | {"idle-work": {"steps": [{"sleep": {"exponential": "1s"}}]}}
    )
    tree["fleets"] = {"a-fleet": idle | {"service": "a-work"}} | tree["fleets"] | {"z-fleet": idle}
    tree["load_balancers"] = {
        "a-door": {"targets": ["a-fleet"], "routing": "random"},
        **tree["load_balancers"],
        "z-door": {"targets": ["z-fleet", "a-fleet"], "routing": "least_response_time"},
    }
    return System(tree, system.changes, system.cuts_ns, system.seed)


@derandomised(60)
@given(systems())
def test_idle_company_changes_nothing(system):
    alone, company = run(system).results(), run(with_idle_company(system)).results()
    assert company["events"] == alone["events"]
    for kind in ("traffic", "load_balancers", "fleets"):
        theirs = by_name(company[kind])
        for name, account in by_name(alone[kind]).items():
            mine = copy.copy(account)
            if kind == "load_balancers":
                # Fleets are told by their place in the list, which has moved by one.
                mine["targets"] = account["targets"] | {"fleet": account["targets"]["fleet"] + 1}
            assert same(mine, theirs[name]), name


@derandomised(60)
@given(systems())
def test_a_source_that_never_sends_changes_nothing(system):
    tree = copy.deepcopy(system.tree)
    silent = {"to": sorted(tree["fleets"])[0], "rate": "1e-12/s", "clients": 1}
    tree["traffic"] = {"a-silent": silent} | tree["traffic"] | {"z-silent": silent}
    company = run(System(tree, system.changes, system.cuts_ns, system.seed)).results()
    alone = run(system).results()
    theirs = by_name(company["traffic"])
    assert all(same(source, theirs[source["name"]]) for source in alone["traffic"])
    assert same(company["fleets"], alone["fleets"])
    assert same(company["load_balancers"], alone["load_balancers"])


@derandomised(60)
@given(systems())
def test_the_interval_of_the_series_changes_no_count(system):
    def counts(interval: str):
        tree = system.tree | {"series": interval}
        results = run(System(tree, system.changes, system.cuts_ns, system.seed)).results()
        return {key: value for key, value in results.items() if key != "series"}

    without = counts("none")
    assert same(counts("100ms"), without)
    assert same(counts("777ms"), without)


@derandomised(60)
@given(systems())
def test_the_series_add_up_to_the_counts(system):
    tree = system.tree | {"series": "500ms", "warmup": "0s"}
    results = run(System(tree, system.changes, system.cuts_ns, system.seed)).results()
    for source in results["traffic"]:
        name = source["name"]
        for key in ("offered", "completed", "rejected", "failed", "timed_out"):
            assert results["series"][f"traffic.{name}.{key}"].sum() == source[key], (name, key)
        assert results["series"][f"traffic.{name}.in_flight"][-1] == source["in_flight"]


@derandomised(60)
@given(systems())
def test_the_warm_up_changes_what_is_measured_and_nothing_else(system):
    half = f"{system.duration_ns // 2}ns"
    runs = [
        run(System(system.tree | {"warmup": w}, system.changes, (), system.seed))
        for w in ("0s", half)
    ]
    whole, part = (world.results() for world in runs)
    assert runs[0].events == runs[1].events
    assert same(runs[0].state(), runs[1].state())
    for kind in ("traffic", "fleets", "load_balancers"):
        for all_, some in zip(whole[kind], part[kind], strict=True):
            assert all(some[key] <= all_[key] for key in COUNTS)


@derandomised(40)
@given(systems())
def test_the_seed_decides_everything(system):
    assert run(system).save() == run(system).save()
