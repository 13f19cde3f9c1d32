"""A request that is sure to be answered in time is not watched for its deadline.

The twin of a system has services with one more step, which never fails and takes no time: there
the core looks after every deadline. Both must tell the same to the bit, except for the number of
events, which counts looks at deadlines.
"""

from __future__ import annotations

import copy
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephoscope import _core
from properties.engine import Session, same
from properties.liveliness import derandomised, look_until_seen
from properties.systems import SECONDS, System, farms, plain_systems
from properties.test_properties import conserves, resumes


@st.composite
def timed_systems(draw) -> System:
    system = draw(st.one_of(farms(), plain_systems(), plain_systems()))
    tree = copy.deepcopy(system.tree)
    for source in tree["traffic"].values():
        if draw(st.integers(0, 9)) > 0:
            source["timeout"] = draw(SECONDS)
            source["on_timeout"] = draw(st.sampled_from(["finish", "abandon"]))
    doors = tree["load_balancers"]
    for door in doors.values():
        if "surge_queue" not in door and draw(st.integers(0, 2)) == 0:
            door["idle_timeout"] = draw(SECONDS)
    for door in doors.values():  # which is one for all listeners of a balancer
        if "listener_of" in door:
            door |= {"idle_timeout": doors[door["listener_of"]].get("idle_timeout")}
    return System(tree, system.changes, system.cuts_ns, system.seed)


def looked_after(system: System) -> System:
    tree = copy.deepcopy(system.tree)
    for service in tree["services"].values():
        service["steps"].append({"fail": 0.0})
    return System(tree, system.changes, system.cuts_ns, system.seed)


def tells(world: _core.World) -> dict:
    results = world.results()
    del results["events"]
    state = world.state()
    if any("health" in balancer for balancer in results["load_balancers"]):
        del state["waiting"]  # a check waits where nobody can tell when its turn comes
    return results | {"state": state}


def is_the_same_looked_after(system: System) -> tuple[_core.World, _core.World]:
    """The worlds at their end, which nobody can tell from each other."""
    own, twin = Session(system), Session(looked_after(system))
    for instant in (*system.cuts_ns, system.duration_ns):
        own.to(instant)
        twin.to(instant)
        assert same(tells(own.world), tells(twin.world)), instant
    return own.world, twin.world


def test_nobody_can_tell_a_deadline_that_is_not_watched():
    """In many of the systems some requests time out and others are not watched."""
    seen: Counter[str] = Counter()

    def look(system: System) -> None:
        own, twin = is_the_same_looked_after(system)
        timed_out = any(s["timed_out"] for s in own.results()["traffic"])
        seen["timed out"] += timed_out
        seen["fewer looks"] += own.events < twin.events
        seen["both"] += timed_out and own.events < twin.events

    look_until_seen(look, timed_systems(), 250, seen, ("timed out", "fewer looks", "both"))


@pytest.mark.slow
@derandomised(500)
@given(timed_systems())
def test_nobody_can_tell_in_many_more(system):
    is_the_same_looked_after(system)


@derandomised(100)
@given(timed_systems())
def test_invariants_hold_after_every_event(system):
    conserves(system)


@derandomised(60)
@given(timed_systems())
def test_a_run_may_be_cut_saved_and_restored_anywhere(system):
    resumes(system)
