"""Requests that could be sent again, but never are, fare like any others.

The twin of a system has a deadline decades away at each source: there every request, and
every call, is an errand of the core and each of their sendings a record of its own.
"""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from properties.engine import Session, by_name, same
from properties.liveliness import derandomised
from properties.systems import System, farms, plain_systems, systems

FAR = "25000d"
ADDED = ("retries", "hedges", "out_of_budget")


def far(system: System) -> System:
    tree = copy.deepcopy(system.tree)
    for source in tree["traffic"].values():
        source.setdefault("deadline", FAR)
    return System(tree, system.changes, system.cuts_ns, system.seed)


def is_the_same(system: System) -> None:
    own, twin = Session(system), Session(far(system))
    for instant in (*system.cuts_ns, system.duration_ns):
        own.to(instant)
        twin.to(instant)
        mine, theirs = own.world.results(), twin.world.results()
        for section in ("fleets", "load_balancers", "hosts", "series"):
            assert same(mine[section], theirs[section]), (section, instant)
        others = by_name(theirs["traffic"])
        for name, source in by_name(mine["traffic"]).items():
            other = dict(others[name])
            if "retries" not in source:
                assert all(other.pop(key) == 0 for key in ADDED)
            assert same(source, other), (name, instant)


@derandomised(150)
@given(st.one_of(farms(), plain_systems(), systems()))
def test_a_deadline_far_away_changes_nothing(system):
    is_the_same(system)


@pytest.mark.slow
@derandomised(400)
@given(st.one_of(farms(), plain_systems(), systems()))
def test_a_deadline_far_away_changes_nothing_in_many_more(system):
    is_the_same(system)
