"""The ring buffer by itself."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephoscope import ScenarioError, parts

STEPS = st.lists(st.tuples(st.sampled_from(["push", "pop"]), st.integers(0, 40)), max_size=60)


@given(st.integers(1, 50), STEPS)
def test_a_ring_is_a_bounded_list(capacity, steps):
    ring, model, next_value = parts.RingQueue(capacity), [], 0
    for step, count in steps:
        if step == "push":
            values = list(range(next_value, next_value + count))
            next_value += count
            room = min(count, capacity - len(model))
            assert ring.push(values) == room
            model += values[:room]
        else:
            assert ring.pop(count).tolist() == model[:count]
            del model[:count]
        assert len(ring) == len(model)
    assert copy.deepcopy(ring).pop(capacity).tolist() == model


def test_a_ring_has_a_capacity():
    assert parts.RingQueue(7).capacity == 7
    with pytest.raises(ScenarioError, match="capacity"):
        parts.RingQueue(0)
