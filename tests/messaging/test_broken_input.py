"""Whatever is given for a pattern, an event or a schedule is taken, or refused in our own words."""

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from nephoscope import EventError, PatternError, parts

WORDS = ["a", "a.b", "$or", "prefix", "suffix", "equals-ignore-case", "wildcard", "anything-but"]
WORDS += ["numeric", "cidr", "exists", "exactly", "", ">", "<=", "10.0.0.0/8", "*", "\\", "x*\\*"]
KEYS = st.one_of(st.sampled_from(WORDS), st.text(max_size=3))
LEAVES = st.one_of(
    KEYS, st.integers(), st.floats(), st.booleans(), st.none(), st.decimals(), st.binary(max_size=3)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=3), st.tuples(inner)
    ),
    max_leaves=10,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=3)
EVENT = {"a": {"b": [1, "x"]}, "exists": None}


def outcome(make, *given_values):
    """What comes of it: an error's text, or what was made."""
    try:
        return make(*given_values)
    except (PatternError, EventError) as error:
        return str(error)


def as_text(value):
    """The same as text, or None where no text of JSON says it."""
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return None


@settings(max_examples=80)
@given(OBJECTS)
@example({"a": [{"numeric": [">", 10**5000]}]})
def test_patterns(pattern):
    found = outcome(parts.EventPattern, pattern)
    text = as_text(pattern)
    if text is not None:
        same = outcome(parts.EventPattern, text)
        assert isinstance(found, str) == isinstance(same, str)
    if not isinstance(found, str):
        assert found.matches(EVENT) in {True, False}


@settings(max_examples=60)
@given(OBJECTS, st.sampled_from(["attributes", "body"]), OBJECTS)
def test_policies_and_attributes(policy, scope, attributes):
    found = outcome(parts.FilterPolicy, policy, scope)
    if isinstance(found, str):
        found = parts.FilterPolicy({"a": ["x"]}, scope)
    assert isinstance(outcome(found.matches, attributes, attributes), bool | str)


@settings(max_examples=60)
@given(st.one_of(st.text(), st.text('{}[]":,\\0eE-.ua \n'), st.binary(max_size=9), VALUES))
def test_events(event):
    pattern = parts.EventPattern({"a": [{"exists": True}]})
    assert isinstance(outcome(pattern.matches, event), bool | str)


@settings(max_examples=60)
@given(
    st.dictionaries(st.text("ab-1 <", max_size=3), st.text("$.ab[]*01 ", max_size=7), max_size=2),
    st.text('<>{}":a.,1\\ \n', max_size=20),
)
@example({"a": "$"}, "<a>")
@example({"a": "$.b[*]"}, '{"x":<a>}')
def test_transformers(paths, template):
    found = outcome(parts.InputTransformer, paths, template)
    if not isinstance(found, str):
        assert isinstance(found.apply(EVENT), str)


@settings(max_examples=60)
@given(
    st.sampled_from(["rate", "cron", "at", ""]),
    st.text("0123456789*?/-,#LWSUN ", max_size=20),
    st.sampled_from(["UTC", "Europe/Berlin", ""]),
)
def test_schedules(name, fields, zone):
    outcome(parts.EventSchedule, f"{name}({fields})", zone)
