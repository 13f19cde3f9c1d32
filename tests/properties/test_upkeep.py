"""Admission control against a model of a few lines, and refreshes within their bounds."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephoscope import _core
from nephoscope.scenario import Scenario
from nephoscope.scenario.compile import compile_scenario
from properties.liveliness import derandomised, look_until_seen

Tree = dict[str, Any]

MS = 10**6


def checked(tree: Tree) -> Tree:
    """What a world tells whose invariants were looked at after every event."""
    world = _core.World(compile_scenario(Scenario.model_validate(tree), seed=7))
    world.advance_checked(world.duration_ns)
    return world.results()


def scenario(service: Tree, fleet: Tree, **keys: Any) -> Tree:
    machine = {"instance_type": {"vcpus": 1, "memory": "1GiB"}, "boot": "0s"}
    return {
        "nephoscope": 1,
        "duration": "60s",
        "services": {"work": service},
        "fleets": {"web": {"service": "work", **machine, **fleet}},
        "load_balancers": {"door": {"targets": ["web"], **keys.pop("door", {})}},
        **keys,
    }


# --- admission control ------------------------------------------------------------------------

# No two things happen at one instant: arrivals are odd microseconds, work is even ones.
INSTANTS = st.lists(st.integers(0, 9_999), min_size=1, max_size=60, unique=True).map(sorted)


def arrivals(folder, instants: list[int]) -> Tree:
    path = folder / f"{hash(tuple(instants))}.csv"
    rows = [f"{2 * at + 1}" for at in instants]
    path.write_text("\n".join(["at", *rows, ""]), encoding="utf-8")
    trace = {"file": str(path), "column": "at", "scale": "1ms"}
    return {"customers": {"to": "door", "arrivals": {"trace": trace}}}


@derandomised(60)
@given(INSTANTS, st.sampled_from(["3/s", "1/s", "0.7/s", "90/m"]), st.integers(1, 5), st.booleans())
def test_a_rate_limit_is_a_token_bucket(tmp_path_factory, instants, rate, burst, balanced):
    service = {"steps": [{"compute": "0s"}], "rate_limit": {"rate": rate, "burst": burst}}
    traffic = arrivals(tmp_path_factory.getbasetemp(), instants)
    traffic["customers"]["to"] = "door" if balanced else "web"
    web = checked(scenario(service, {}, traffic=traffic))["fleets"][0]
    each_ms = {"3/s": 3, "1/s": 1, "0.7/s": Fraction(7, 10), "90/m": Fraction(3, 2)}[rate]
    level, before, served = Fraction(burst), 0, 0
    for at in instants:
        level = min(level + Fraction(each_ms) * 2 * (at - before) / 1000, Fraction(burst))
        before = at
        if level >= 1:
            level -= 1
            served += 1
    assert (web["completed"], web["requests_throttled"]) == (served, len(instants) - served)


@derandomised(60)
@given(
    INSTANTS,
    st.sampled_from([100, 700, 1800]),
    st.sampled_from([None, 0, 250, 1000]),
    st.sampled_from([None, 1, 2, 4]),
)
def test_shedding_looks_at_what_an_instance_holds(tmp_path_factory, instants, work, delay, most):
    shed = {} if most is None else {"in_flight": most}
    shed |= {} if delay is None else {"queue_delay": f"{delay}ms"}
    service: Tree = {"steps": [{"compute": f"{work}ms"}], "concurrency": 1}
    service |= {"shed": shed} if shed else {}
    traffic = arrivals(tmp_path_factory.getbasetemp(), instants)
    web = checked(scenario(service, {}, traffic=traffic, duration="200s"))["fleets"][0]
    held: list[tuple[int, int, int]] = []  # arrival, begin, end
    kept_out = 0
    for at in (2 * each + 1 for each in instants):
        held = [each for each in held if each[2] > at]
        waiting = [each for each in held if each[1] > at]
        full = most is not None and len(held) >= most
        late = delay is not None and bool(waiting) and at - waiting[0][0] > delay
        if full or late:
            kept_out += 1
        else:
            begin = max(at, held[-1][2] if held else 0)
            held.append((at, begin, begin + work))
    assert web["rejected"] == web.get("requests_shed", 0) == kept_out
    assert web["completed"] == len(instants) - kept_out


# --- refreshes --------------------------------------------------------------------------------


@st.composite
def renewals(draw) -> Tree:
    """A fleet that serves and is renewed, and to which nothing else happens."""
    refresh = {
        "at": f"{draw(st.integers(0, 20_000))}ms",
        "min_healthy": draw(st.sampled_from([0, 0.4, 0.75, 0.9, 1.0])),
        "warmup": draw(st.sampled_from(["0s", "1700ms"])),
    }
    if (most := draw(st.sampled_from([None, 1.0, 1.0, 1.25]))) is not None:
        refresh["max_healthy"] = most
        refresh["min_healthy"] = max(refresh["min_healthy"], most - 1.0)
    if draw(st.booleans()):
        refresh |= {"checkpoints": [0.5, 1.0], "checkpoint_delay": "4s"}
    door: Tree = {"routing": draw(st.sampled_from(["round_robin", "least_connections", "ip_hash"]))}
    if draw(st.booleans()):
        door["health_check"] = {"interval": "900ms", "timeout": "500ms"}
    fleet = {
        "count": draw(st.integers(1, 7)),
        "boot": draw(st.sampled_from(["0s", "2500ms", {"exponential": "1s"}])),
        "refresh": refresh,
    }
    work = draw(st.sampled_from([{"compute": {"exponential": "100ms"}}, {"sleep": "700ms"}]))
    traffic = {"customers": {"to": "door", "rate": f"{2 * fleet['count']}/s", "timeout": "50s"}}
    traffic["customers"] |= draw(st.sampled_from([{}, {"arrivals": "constant"}]))
    if draw(st.booleans()):
        del traffic["customers"]["timeout"]
    service = {"steps": [work], "concurrency": 3}
    return scenario(service, fleet, door=door, traffic=traffic, duration="100s")


def bounds(fleet: Tree) -> tuple[int, int]:
    """How few and how many instances may serve while a fleet is renewed."""
    refresh, count = fleet["refresh"], fleet["count"]
    most = refresh.get("max_healthy")
    least = math.ceil(round(count * refresh["min_healthy"], 6))
    least_seen = count - 1 if most is None and least == count else least
    most_seen = count if most is None else max(count, math.floor(round(count * most, 6)))
    most_seen += 1 if most is not None and least == most_seen == count else 0
    return least_seen, most_seen


def keeps_its_bounds(tree: Tree) -> None:
    results = checked(tree)
    (customers,), (web,), (door,) = (
        results[key] for key in ("traffic", "fleets", "load_balancers")
    )
    fleet = tree["fleets"]["web"]
    count = fleet["count"]
    least_seen, most_seen = bounds(fleet)
    assert least_seen <= web["instances_min"] <= web["instances_max"] <= most_seen
    assert web["instances_final"] == count
    assert web["refresh"]["replaced"] == web["refresh"]["instances"] == count
    assert web["refresh"]["finished_ns"] > web["refresh"]["started_ns"]
    # Who leaves finishes what it holds; only where nobody is left is there nobody to ask.
    assert customers["failed"] == 0
    assert customers["timed_out"] == 0
    if least_seen > 0:
        assert customers["rejected"] == 0
    old = door["targets"]["instance"] < count
    assert not door["targets"]["in_flight"][old].any()


@derandomised(60)
@given(renewals())
def test_a_refresh_keeps_its_bounds_and_loses_no_request(tree):
    keeps_its_bounds(tree)


@derandomised(30)
@given(renewals())
def test_a_roll_back_keeps_them_too(tree):
    """One is protected and waited for, so the refresh fails after an hour."""
    tree["duration"] = "4000s"
    tree["traffic"]["customers"]["rate"] = "0.1/s"
    fleet = tree["fleets"]["web"]
    to = {"instance_type": {"vcpus": 1, "memory": "2GiB"}}
    fleet["refresh"] |= {"to": to, "rollback": True}
    fleet["scale_in_protection"] = 1
    results = checked(tree)
    (customers,), (web,) = results["traffic"], results["fleets"]
    others = fleet["count"] - 1
    least_seen, most_seen = bounds(fleet)
    assert least_seen <= web["instances_min"] <= web["instances_max"] <= most_seen
    assert web["refresh"]["replaced"] == others
    rollback = web["refresh"]["rollback"]
    assert (rollback["instances"], rollback["replaced"]) == (others, others)
    assert web["refresh"]["finished_ns"] >= rollback["started_ns"] >= 3600 * 10**9
    assert web["makes"]["instances"].tolist() == [fleet["count"], 0]
    assert customers["failed"] == customers["timed_out"] == 0


@pytest.mark.slow
@derandomised(400)
@given(renewals())
def test_many_more_refreshes_keep_their_bounds(tree):
    keeps_its_bounds(tree)


# --- maintenance ------------------------------------------------------------------------------


@st.composite
def maintenances(draw) -> Tree:
    """A fleet on hosts of which each is maintained at some instant, or several are."""
    count = draw(st.integers(2, 5))
    faults = []
    for _ in range(draw(st.integers(1, 3))):
        at = {"at": f"{draw(st.integers(0, 60_000))}ms"}
        where = {"host": "hall", "index": draw(st.integers(0, 2 * count)), "notice": "5s"}
        where |= draw(st.sampled_from([{}, {"by": "stop_start"}, {"by": "migrate"}]))
        faults.append(at | {"for": draw(st.sampled_from(["1s", "15s"])), "maintain": where})
    laws = {"pending": "0s", "boot": "700ms", "restart": "700ms", "stop": "4s", "terminate": "0s"}
    fleet = {"count": count, "hosts": "hall", "durations": laws}
    work = draw(st.sampled_from([{"compute": {"uniform": {"min": "0s", "max": "200ms"}}}]))
    service = {"steps": [work], "concurrency": 4}
    door: Tree = {"routing": draw(st.sampled_from(["round_robin", "least_connections"]))}
    traffic = {"customers": {"to": "door", "rate": f"{count}/s", "arrivals": "constant"}}
    tree = scenario(service, fleet, door=door, traffic=traffic, duration="90s", faults=faults)
    del tree["fleets"]["web"]["boot"]
    machine = {"cores": 1, "memory": "2GiB"}
    tree["hosts"] = {"hall": {"count": 2 * count + 1, "type": machine, "place": "spread"}}
    return tree


@derandomised(40)
@given(maintenances())
def test_maintenance_with_notice_loses_no_request(tree):
    results = checked(tree)
    (customers,) = results["traffic"]
    # All may be announced at once; else somebody serves, and who leaves finishes in time.
    hosts = {fault["maintain"]["index"] for fault in tree["faults"]}
    apart = len(hosts) < tree["fleets"]["web"]["count"]
    assert customers["failed"] == 0
    assert customers["rejected"] == 0 or not apart
    early = [int(fault["at"].removesuffix("ms")) < 5000 for fault in tree["faults"]]
    struck = [each["instances"] for each in results["faults"]]
    assert not any(count for count, soon in zip(struck, early, strict=True) if not soon)


@st.composite
def migrations(draw) -> Tree:
    """The same on hosts that are shared, with requests that keep them busy, and pauses."""
    tree = draw(maintenances())
    pool = tree["hosts"]["hall"]
    pool |= {"cpu_overcommit": 2.0, "scheduler": draw(st.sampled_from(["fluid", "credit", "fair"]))}
    pool["place"] = draw(st.sampled_from(["spread", "first_fit", "random"]))
    tree["warmup"] = draw(st.sampled_from(["0s", "20s"]))
    tree["duration"] = "70s" if pool["scheduler"] == "fluid" else "25s"
    for fault in tree["faults"]:
        pause = draw(st.sampled_from(["0s", "300ms", {"exponential": "1s"}]))
        fault["at"] = f"{draw(st.integers(1, 24))}s"
        index = draw(st.integers(0, tree["fleets"]["web"]["count"] - 1))
        fault["maintain"] |= {"by": "migrate", "pause": pause, "index": index}
    tree["traffic"]["customers"]["rate"] = f"{8 * tree['fleets']['web']['count']}/s"
    return tree


def test_time_adds_up_on_all_hosts_however_instances_migrate():
    seen: Counter[str] = Counter()

    def adds_up(tree: Tree) -> None:
        results = checked(tree)
        (pool,), (web,) = results["hosts"], results["fleets"]
        causes = ("run_ns", "steal_contention_ns", "steal_migration_ns")
        for cause in causes:
            assert pool[cause].sum() == web[cause]
            assert (pool[cause] >= 0).all()
        assert sum(web[cause] for cause in causes) <= web["vcpu_ns"]
        stayed = sum(fault["unplaced"] for fault in results["faults"])
        assert stayed or web["launches"] == tree["fleets"]["web"]["count"]
        seen["migrated"] += bool(pool["migrations"])
        seen["paused"] += bool(web["steal_migration_ns"])
        seen["split"] += bool(np.any((pool["run_ns"] > 0) & (pool["instances"] == 0)))

    look_until_seen(adds_up, migrations(), 40, seen, ("migrated", "paused", "split"))
