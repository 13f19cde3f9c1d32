"""Random patterns and events: the matcher of one pattern, that of many, and the slow one agree."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from messaging import reference_matcher
from nephoscope import parts

# Few of each, so that they meet.
KEYS = st.sampled_from(["a", "b", "c", "a.b", "b.c", "é"])
TEXTS = st.sampled_from(
    [
        "",
        "a",
        "b",
        "ab",
        "aB",
        "abab",
        "ß",
        "SS",
        "ss",
        "straße",
        "É",
        "é",
        "a*b",
        "\\",
        "😀",
        "\n",
        "10.0.0.1",
        "10.0.0.77",
        "10.1.0.1",
        "::1",
        "0:0::1",
        "2001:DB8::7",
        "::ffff:a00:1",
        "1:2",
    ]
)
INTEGERS = st.sampled_from([0, 1, -1, 2, 300, 9007199254740992, 9007199254740993])
NUMBERS = st.one_of(INTEGERS, st.sampled_from([0.1, -0.5, 1.0, 300.0, 3e20, 1e-7]))
LITERALS = st.sampled_from([None, True, False])
LEAVES = st.one_of(TEXTS, TEXTS, NUMBERS, LITERALS)

VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)
EVENTS = st.dictionaries(KEYS, VALUES, max_size=4)


def one(name, values):
    return values.map(lambda value: {name: value})


@st.composite
def comparisons(draw):
    numbers = sorted(draw(st.lists(INTEGERS, min_size=2, max_size=2, unique=True)))
    if draw(st.booleans()):
        return [draw(st.sampled_from(["=", "<", "<=", ">", ">="])), draw(NUMBERS)]
    signs = draw(st.sampled_from([">", ">="])), draw(st.sampled_from(["<", "<="]))
    return [signs[0], numbers[0], signs[1], numbers[1]]


WILDCARDS = st.sampled_from(
    ["*", "a*", "*b", "a*b", "*a*", "\\*", "a\\*b", "\\\\", "", "*\n*", "ß*"]
)
LETTERS = TEXTS.filter(bool)
BUT = st.one_of(
    TEXTS,
    NUMBERS,
    st.lists(TEXTS, min_size=1, max_size=2),
    st.lists(NUMBERS, min_size=1, max_size=2),
    one("prefix", st.one_of(LETTERS, st.lists(LETTERS, min_size=1, max_size=2))),
    one("suffix", LETTERS),
    one("equals-ignore-case", st.one_of(TEXTS, st.lists(TEXTS, min_size=1, max_size=2))),
    one("wildcard", WILDCARDS),
)
BLOCKS = st.sampled_from(
    ["10.0.0.0/24", "10.0.0.9/8", "0.0.0.0/0", "::/0", "2001:db8::/32", "::1/127"]
)
CONDITIONS = st.one_of(
    LEAVES,
    LEAVES,
    one("exists", st.booleans()),
    one("exists", st.booleans()),
    one("prefix", st.one_of(TEXTS, one("equals-ignore-case", TEXTS))),
    one("suffix", st.one_of(TEXTS, one("equals-ignore-case", TEXTS))),
    one("equals-ignore-case", TEXTS),
    one("wildcard", WILDCARDS),
    one("numeric", comparisons()),
    one("cidr", BLOCKS),
    one("anything-but", BUT),
)
FIELDS = st.lists(CONDITIONS, min_size=1, max_size=3)


def objects(inner):
    return st.dictionaries(KEYS, inner, min_size=1, max_size=3)


@st.composite
def with_or(draw, inner):
    """An object of fields with alternatives before, between or after them."""
    members = list(draw(objects(inner)).items())
    choices = draw(st.lists(objects(inner), min_size=2, max_size=3))
    members.insert(draw(st.integers(0, len(members))), ("$or", choices))
    return dict(members)


PATTERNS = objects(
    st.recursive(FIELDS, lambda inner: st.one_of(objects(inner), with_or(inner)), max_leaves=5)
)
PATTERNS = st.one_of(PATTERNS, with_or(FIELDS))


def hit(value):
    """Conditions that hold of a value, mostly."""
    always = [value, {"exists": True}, {"anything-but": "none of these"}]
    if isinstance(value, str):
        half = value[: len(value) // 2 + 1]
        literal = half.replace("\\", "\\\\").replace("*", "\\*")
        always += [
            {"prefix": half},
            {"suffix": value[1:]},
            {"equals-ignore-case": value.swapcase()},
            {"prefix": {"equals-ignore-case": half.upper()}},
            {"wildcard": literal + "*"},
        ]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        always += [{"numeric": ["=", value]}, {"numeric": [">=", value, "<", value + 1e21]}]
    return st.sampled_from(always)


@st.composite
def aimed(draw):
    """An event and a pattern of its own paths, which often matches it."""
    event = draw(EVENTS.filter(bool))
    leaves = [(path, value) for path, value, _ in reference_matcher.flatten(event)]
    pattern = {}
    for path, value in draw(
        st.lists(st.sampled_from(leaves or [("a", 1)]), min_size=1, max_size=3)
    ):
        pattern[path] = [draw(CONDITIONS), draw(hit(value))][draw(st.integers(0, 4)) // 4 :]
    if draw(st.booleans()):
        pattern[draw(KEYS) + ".c"] = [{"exists": False}, draw(CONDITIONS)]
    if draw(st.integers(0, 3)) == 0:
        pattern["$or"] = [
            draw(objects(FIELDS)),
            dict([draw(st.sampled_from(list(pattern.items())))]),
        ]
    return pattern, event


@settings(max_examples=60)
@given(
    pairs=st.lists(aimed(), min_size=1, max_size=3),
    patterns=st.lists(PATTERNS, max_size=3),
    events=st.lists(EVENTS, max_size=2),
)
def test_all_matchers_agree(pairs, patterns, events):
    patterns = [*patterns, *(pattern for pattern, _ in pairs)]
    events = [*events, *(event for _, event in pairs)]
    names = [f"rule {number}" for number in range(len(patterns))]
    rules = parts.EventRules(dict(zip(names, patterns, strict=True)))
    alone = [parts.EventPattern(json.dumps(pattern)) for pattern in patterns]
    for event in events:
        expected = [reference_matcher.matches(pattern, event) for pattern in patterns]
        assert [pattern.matches(event) for pattern in alone] == expected
        matching = [name for name, matched in zip(names, expected, strict=True) if matched]
        assert rules.matches(json.dumps(event)) == matching
        assert rules.matches_of(rules.intern(event)) == matching


KEYS_OF_ELEMENTS = st.sampled_from(["b", "c", "d"])
SMALL = st.sampled_from([1, 2])
NESTED = st.recursive(
    SMALL,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(KEYS_OF_ELEMENTS, inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(max_examples=80)
@given(
    pattern=st.dictionaries(
        st.sampled_from(["a.b", "a.c", "a.d", "a.b.c", "a.c.d", "a"]),
        st.lists(st.one_of(SMALL, one("exists", st.booleans())), min_size=1, max_size=2),
        min_size=2,
        max_size=4,
    ),
    elements=st.lists(
        st.dictionaries(KEYS_OF_ELEMENTS, NESTED, max_size=3), min_size=1, max_size=4
    ),
)
def test_all_matchers_agree_on_arrays_of_objects(pattern, elements):
    event = {"a": elements}
    expected = reference_matcher.matches(pattern, event)
    assert parts.EventPattern(pattern).matches(event) == expected


def test_random_patterns_and_events_are_worth_running():
    """What the properties above are about happens: matches, misses, arrays of objects, `$or`."""
    seen = {"match": 0, "miss": 0, "array": 0, "or": 0}

    @settings(max_examples=60)
    @given(pair=aimed())
    def look(pair):
        pattern, event = pair
        seen["match" if parts.EventPattern(pattern).matches(event) else "miss"] += 1
        seen["array"] += "[{" in json.dumps(event)
        seen["or"] += "$or" in json.dumps(pattern)

    look()
    assert min(seen.values()) >= 5, seen
    assert seen["match"] >= 20, seen
