"""The rules of a bus: one matcher for all of them, and kinds of events that are known."""

import copy
import pickle

import numpy as np
import pytest

from nephoscope import EventError, PatternError, _core, parts
from nephoscope.errors import SpecError

HUNDREDS = {f"rule {i}": {"detail": {"id": [i], "kind": ["order"]}} for i in range(300)}


def test_names_come_in_the_order_of_the_rules():
    rules = parts.EventRules({"z": {"a": [1]}, "m": {"b": [1]}, "a": {"a": [{"exists": True}]}})
    assert rules.matches({"a": 1, "b": 1}) == ["z", "m", "a"]
    assert rules.matches({"a": 2}) == ["a"]
    assert rules.names == ("z", "m", "a")
    assert len(rules) == 3


def test_a_bus_without_rules_matches_nothing():
    rules = parts.EventRules({})
    assert rules.matches({"a": 1}) == []
    assert rules.count([rules.intern({"a": 1})]).tolist() == []


def test_one_rule_of_hundreds():
    rules = parts.EventRules(HUNDREDS)
    for number in (0, 7, 299):
        assert rules.matches({"detail": {"id": number, "kind": "order"}}) == [f"rule {number}"]
    assert rules.matches({"detail": {"id": 300, "kind": "order"}}) == []
    assert rules.matches({"detail": {"id": 7, "kind": "refund"}}) == []


def test_a_rule_that_two_of_its_branches_match_is_told_once():
    rules = parts.EventRules({"either": {"$or": [{"a": [1]}, {"b": [1]}]}})
    assert rules.matches({"a": 1, "b": 1}) == ["either"]


def test_a_rule_of_which_nothing_must_be_there():
    rules = parts.EventRules({"none": {"a": [{"exists": False}]}, "one": {"b": [1]}})
    assert rules.matches({}) == ["none"]
    assert rules.matches({"a": [1], "b": 1}) == ["one"]


def test_the_same_event_is_one_kind():
    rules = parts.EventRules({"one": {"a": [1]}, "any": {"a": [{"exists": True}]}})
    first, second = rules.intern('{"a":1}'), rules.intern({"a": 2})
    assert rules.intern({"a": 1}) == first != second
    assert (rules.matches_of(first), rules.matches_of(second)) == (["one", "any"], ["any"])


def test_matches_are_counted_by_kind():
    rules = parts.EventRules({"one": {"a": [1]}, "any": {"a": [{"exists": True}]}})
    kinds = [rules.intern({"a": 1}), rules.intern({"a": 2}), rules.intern({"b": 1})]
    sequence = np.repeat(kinds, [5, 7, 11])
    assert rules.count(sequence).tolist() == [5, 12]


def test_a_kind_of_no_event_is_refused():
    rules = parts.EventRules({"one": {"a": [1]}})
    with pytest.raises(SpecError, match="of no event"):
        rules.count([0])
    with pytest.raises(SpecError, match="of no event"):
        rules.matches_of(5)
    with pytest.raises(EventError, match="must be an object"):
        rules.intern("[1]")


def test_copies_and_pickles():
    rules = parts.EventRules({"one": {"a": [1]}})
    for twin in (copy.deepcopy(rules), pickle.loads(pickle.dumps(rules))):
        assert twin.matches({"a": 1}) == ["one"]
    policy = parts.FilterPolicy({"a": {"b": ["x"]}}, scope="body")
    assert pickle.loads(pickle.dumps(policy)).matches(body={"a": {"b": "x"}})


def test_the_first_rule_with_a_mistake_is_told():
    with pytest.raises(PatternError, match="an empty list"):
        parts.EventRules({"good": {"a": [1]}, "bad": {"a": []}})


def test_the_core_refuses_what_is_no_rule():
    patterns = _core.patterns
    spec = patterns.ConditionSpec()
    spec.kind = patterns.ConditionKind.number
    for rule in ([], [[]], [[("a", [])]], [[("a", [spec])]]):
        with pytest.raises(SpecError, match="pattern"):
            patterns.Matcher([rule], patterns.NumberRule.exact)
