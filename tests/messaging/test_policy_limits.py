"""What filter policies may hold, rule by rule: the last taken, the first refused."""

from typing import Any

import pytest

from nephoscope import PatternError, parts

VALUES = [str(i) for i in range(200)]


def taken(policy: Any, scope: str = "attributes") -> None:
    parts.FilterPolicy(policy, scope=scope)


def refused(policy: Any, words: str, scope: str = "attributes") -> None:
    with pytest.raises(PatternError, match=words):
        parts.FilterPolicy(policy, scope=scope)


def test_a_policy_has_five_keys_at_most():
    taken({key: ["x"] for key in "abcde"})
    refused({key: ["x"] for key in "abcdef"}, "6 keys")


def test_a_policy_has_150_combinations_at_most():
    taken({"a": VALUES[:15], "b": VALUES[:10]})
    refused({"a": VALUES[:16], "b": VALUES[:10]}, "160 combinations")


def test_a_policy_has_256_kib_at_most():
    """The text `{"a":["x..."]}` has ten letters around its value."""
    taken('{"a":["' + "x" * (262_144 - 10) + '"]}')
    refused('{"a":["' + "x" * (262_144 - 9) + '"]}', "at most 262144")


def test_numbers_of_a_policy_are_within_a_billion():
    taken({"a": [1e9, -1e9]})
    refused({"a": [1_000_000_001]}, "out of range")
    refused({"a": [{"numeric": ["<", -1_000_000_001]}]}, "out of range")


def test_policies_of_attributes_are_flat_and_those_of_bodies_nested():
    nested = {"a": {"b": ["x"]}}
    refused(nested, "attributes are not nested")
    taken(nested, "body")


def test_policies_have_neither_wildcards_nor_anything_but_an_end():
    """Patterns of buses have both."""
    for condition in ({"wildcard": "x*"}, {"anything-but": {"suffix": "x"}}):
        refused({"a": [condition]}, "wildcard|suffix")
        assert parts.EventPattern({"a": [condition]}) is not None


def test_anything_but_needs_the_attribute_and_matches_null_of_an_event():
    policy = parts.FilterPolicy({"a": [{"anything-but": "x"}]})
    assert policy.matches({"a": "y"})
    assert not policy.matches({"b": "y"})
    pattern = parts.EventPattern({"a": [{"anything-but": "x"}]})
    assert pattern.matches({"a": None})
    assert not pattern.matches({"b": None})


def test_dots_and_nesting_are_the_same_in_bodies():
    for policy in ({"a.b": ["x"]}, {"a": {"b": ["x"]}}):
        taken_ = parts.FilterPolicy(policy, scope="body")
        assert taken_.matches(body={"a": {"b": "x"}})
        assert taken_.matches(body={"a.b": "x"})
        assert not taken_.matches(body={"a": {"b": "y"}})
