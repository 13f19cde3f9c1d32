"""Steal over time adds up to the steal of the results, and looking at it changes nothing."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given

from properties.engine import Results, Session, same
from properties.liveliness import derandomised, look_until_seen
from properties.systems import System, systems

SCHEDULERS = ("fluid", "fair", "credit", "pinned")
STEPS = 5  # looks at the results, each at an instant of a sample of both


def sampled(system: System, series: str) -> System:
    return System(system.tree | {"series": series}, system.changes, (), system.seed)


def stolen_ns(fleet: Results) -> int:
    return sum(value for key, value in fleet.items() if key.startswith("steal_"))


def but_series(results: Results) -> Results:
    return {key: value for key, value in results.items() if key != "series"}


def adds_up(system: System) -> Counter[str]:
    """Runs of coarse, of fine and of no samples; what was stolen where, by scheduler."""
    step_ns = system.duration_ns // STEPS
    coarse, fine = (sampled(system, f"{step_ns // k}ns") for k in (1, 4))
    without = Session(sampled(system, "none"))
    sessions = [Session(coarse), Session(fine)]
    on_hosts = {n: it["hosts"] for n, it in system.tree["fleets"].items() if "hosts" in it}
    seen: Counter[str] = Counter()
    before = dict.fromkeys(on_hosts, 0)  # at the end of the warm-up
    for instant in range(step_ns, system.duration_ns + 1, step_ns):
        without.to(instant)
        plain = without.world.results()
        for session in sessions:
            session.to(instant)
            results = session.world.results()
            assert same(but_series(results), but_series(plain)), instant
            columns = {n for n in results["series"] if n.endswith(".steal_ns")}
            assert columns == {f"fleets.{name}.steal_ns" for name in on_hosts}
            for fleet in results["fleets"]:
                if fleet["name"] not in on_hosts:
                    continue
                total = int(results["series"][f"fleets.{fleet['name']}.steal_ns"].sum())
                if instant == results["warmup_ns"]:
                    before[fleet["name"]] = total
                if instant >= results["warmup_ns"]:
                    assert total - before[fleet["name"]] == stolen_ns(fleet), fleet["name"]
                scheduler = system.tree["hosts"][on_hosts[fleet["name"]]]["scheduler"]
                seen[scheduler] += total > 0
    return seen


def with_warmup(system: System, whole: bool) -> System:
    """Where it has one, it ends with a sample."""
    warmup = f"{system.duration_ns // STEPS}ns" if whole else "0s"
    return System(system.tree | {"warmup": warmup}, system.changes, (), system.seed)


def test_it_is_the_steal_of_the_results_under_each_scheduler():
    seen: Counter[str] = Counter()

    def look(system: System) -> None:
        seen.update(adds_up(with_warmup(system, whole=bool(system.seed % 2))))

    look_until_seen(look, systems(), 200, seen, SCHEDULERS)


@pytest.mark.slow
@derandomised(300)
@given(systems())
def test_it_is_the_steal_of_the_results_of_many_more(system: Any):
    adds_up(with_warmup(system, whole=bool(system.seed % 2)))
