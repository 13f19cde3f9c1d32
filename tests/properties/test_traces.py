"""Following requests changes nothing of what a world does, and their parts add up."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given

from nephoscope import _core
from nephoscope.results.breakdown import SPANS
from properties.engine import Session, run, same
from properties.liveliness import derandomised, look_until_seen
from properties.systems import System, plain_systems, systems
from properties.test_properties import conserves, resumes

KEPT = 20


def traced(system: System) -> System:
    return System(system.tree | {"traces": KEPT}, system.changes, system.cuts_ns, system.seed)


def tells(world: _core.World) -> dict:
    """Everything a world tells but for what only one that follows requests does."""
    results = world.results()
    traffic = [{key: it[key] for key in it.keys() - {"traces"}} for it in results["traffic"]]
    return results | {"traffic": traffic}


def is_the_same_followed(system: System) -> _core.World:
    own, twin = Session(system), Session(traced(system))
    for instant in (*system.cuts_ns, system.duration_ns):
        own.to(instant)
        twin.to(instant)
        assert same(tells(own.world), tells(twin.world)), instant
    return twin.world


def test_nobody_can_tell_whether_requests_are_followed():
    """Many kinds of parts are met, and samples that were thinned."""
    seen: Counter[str] = Counter()

    def look(system: System) -> None:
        for source in is_the_same_followed(system).results()["traffic"]:
            traces = source["traces"]
            assert len(traces["latency_ns"]) <= KEPT
            seen["thinned"] += traces["share"] < 1.0
            seen.update(SPANS[part % len(SPANS)] for part in np.unique(traces["part"]))

    # Who is answered by what hung is looked for below.
    rare = {*SPANS} - {"accelerator", "balancer", "not_answering"}
    look_until_seen(look, systems(), 200, seen, ("thinned", "work", "waiting"), rare)


def hanging(system: System) -> System:
    """The same, of which every fleet hangs for a tenth of the time."""
    tenth_ms = max(system.duration_ns // 10_000_000, 1)
    when = {"at": f"{3 * tenth_ms}ms", "for": f"{tenth_ms}ms"}
    hangs = [when | {"hang": fleet} for fleet in system.tree["fleets"]]
    tree = system.tree | {"faults": [*system.tree.get("faults", []), *hangs]}
    return System(tree, system.changes, system.cuts_ns, system.seed)


def test_nobody_can_tell_of_those_who_hang():
    seen: Counter[str] = Counter()

    def look(system: System) -> None:
        for source in is_the_same_followed(hanging(system)).results()["traffic"]:
            parts = np.unique(source["traces"]["part"])
            seen.update(SPANS[part % len(SPANS)] for part in parts)

    look_until_seen(look, systems(), 40, seen, ("not_answering",))


@derandomised(60)
@given(plain_systems())
def test_nobody_can_tell_in_plain_systems(system):
    is_the_same_followed(system)


@derandomised(60)
@given(systems())
def test_the_parts_add_up_after_every_event(system):
    conserves(traced(system))


@derandomised(40)
@given(systems())
def test_a_run_may_be_cut_saved_and_restored_anywhere(system):
    resumes(traced(system))


@pytest.mark.slow
@derandomised(200)
@given(systems())
def test_nobody_can_tell_in_many_more(system):
    is_the_same_followed(system)
    run(traced(system), checked=True)
