"""The loop that knows the shape of its world does what the loop that asks does, to the bit.

A free run picks its shape (cpp/world/shape.hpp); one that is checked after every event has none.
"""

from __future__ import annotations

import pytest
from hypothesis import given

from properties.engine import run, same
from properties.liveliness import derandomised
from properties.systems import System, farms, plain_systems, systems


def is_the_same_checked(system: System) -> None:
    free, checked = run(system), run(system, checked=True)
    assert same(free.results(), checked.results())
    assert free.save() == checked.save()


@derandomised(250)
@given(farms())
def test_farms(system):
    is_the_same_checked(system)


@derandomised(60)
@given(plain_systems())
def test_plain_systems(system):
    is_the_same_checked(system)


@derandomised(60)
@given(systems())
def test_any_system(system):
    is_the_same_checked(system)


@pytest.mark.slow
@derandomised(600)
@given(farms())
def test_many_more_farms(system):
    is_the_same_checked(system)
