"""What is no pattern is refused, with where, what is allowed and the nearest word."""

import pickle

import pytest

from nephoscope import PatternError, parts

# Pattern, path of the mistake, part of the message.
BAD = [
    ("{}", "", "an empty object"),
    ("[]", "", "a list is no pattern"),
    ('"x"', "", "is no pattern"),
    ("", "", "not legal JSON: Expecting value (line 1, column 1)"),
    ('{"a":[1],}', "", "line 1, column 10"),
    ('{"a":[NaN]}', "", "NaN is no number of JSON"),
    ('{"a":[01]}', "", "not legal JSON"),
    ('{"a":["\\ud800"]}', "", "half of a surrogate pair"),
    ('{"a":[1e9999999]}', "", "an exponent beyond"),
    (b'{"a":["\xff"]}', "", "not UTF-8"),
    ({"a": []}, "a", "an empty list"),
    ({"a": {}}, "a", "an empty object"),
    ({"a": {"b": {}}}, "a.b", "an empty object"),
    ({"a": 1}, "a", "a field without a list"),
    ({"a": None}, "a", "a field without a list"),
    ({"a b": {"c.d": "x"}}, '"a b"."c.d"', "a field without a list"),
    ({"a": [[1]]}, "a[0]", "a list within the list"),
    ({"a": [1, {}]}, "a[1]", "no operator"),
    ({"a": [{"prefix": "a", "suffix": "b"}]}, "a[0]", "2 operators in one object"),
    ({"a": [{"prefx": "a"}]}, "a[0]", "did you mean prefix?"),
    ({"a": [{"Prefix": "a"}]}, "a[0]", "did you mean prefix?"),
    ({"a": [{"anything_but": "a"}]}, "a[0]", "did you mean anything-but?"),
    ({"a": [{"prefix": 5}]}, "a[0].prefix", "5 is no text"),
    ({"a": [{"prefix": ["a"]}]}, "a[0].prefix", "a list is no text"),
    ({"a": [{"suffix": None}]}, "a[0].suffix", "null is no text"),
    ({"a": [{"prefix": {"equals-ignore-cas": "a"}}]}, "a[0].prefix", "mean equals-ignore-case?"),
    ({"a": [{"suffix": {"wildcard": "a"}}]}, "a[0].suffix", "'wildcard' within suffix"),
    ({"a": [{"equals-ignore-case": ["a"]}]}, "a[0].equals-ignore-case", "is no text"),
    ({"a": [{"exists": "true"}]}, "a[0].exists", "neither true nor false"),
    ({"a": [{"exists": 1}]}, "a[0].exists", "neither true nor false"),
    ({"a": [{"exists": None}]}, "a[0].exists", "neither true nor false"),
    ({"a": [{"wildcard": "a**b"}]}, "a[0].wildcard", "two * in a row at letter 3"),
    ({"a": [{"wildcard": r"a\x"}]}, "a[0].wildcard", "an unknown escape at letter 2"),
    ({"a": [{"wildcard": "a\\"}]}, "a[0].wildcard", "an unknown escape at letter 2"),
    ({"a": [{"anything-but": None}]}, "a[0].anything-but", "null within anything-but"),
    ({"a": [{"wildcard": "*:*:*:*:*:event-bus/*"}]}, "a", "wildcards too complex"),
    ({"a": [{"wildcard": f"*/data/*.{x}"} for x in "wxyz"]}, "a", "wildcards too complex"),
    ({"a": [{"wildcard": 5}]}, "a[0].wildcard", "5 is no text"),
    ({"a": [{"cidr": "10.0.0.0"}]}, "a[0].cidr", "is no block"),
    ({"a": [{"cidr": "10.0.0/8"}]}, "a[0].cidr", "is no block"),
    ({"a": [{"cidr": "10.0.0.0/8/8"}]}, "a[0].cidr", "no number of bits"),
    ({"a": [{"cidr": "10.0.0.0/-1"}]}, "a[0].cidr", "no number of bits"),
    ({"a": [{"cidr": "10.0.0.0/"}]}, "a[0].cidr", "no number of bits"),
    ({"a": [{"cidr": "10.0.0.1/32"}]}, "a[0].cidr", "at most 31"),
    ({"a": [{"cidr": "::1/128"}]}, "a[0].cidr", "at most 127"),
    ({"a": [{"cidr": 10}]}, "a[0].cidr", "10 is no text"),
    ({"a": [{"numeric": []}]}, "a[0].numeric", "no comparison"),
    ({"a": [{"numeric": ">5"}]}, "a[0].numeric", "no comparison"),
    ({"a": [{"numeric": ["="]}]}, "a[0].numeric", "no comparison"),
    ({"a": [{"numeric": [">", 1, "<"]}]}, "a[0].numeric", "not one or two"),
    ({"a": [{"numeric": ["!=", 5]}]}, "a[0].numeric", "'!=' is no comparison"),
    ({"a": [{"numeric": [5, "="]}]}, "a[0].numeric", "5 is no comparison"),
    ({"a": [{"numeric": [">", "5"]}]}, "a[0].numeric", "'5' is no number"),
    ({"a": [{"numeric": [">", True]}]}, "a[0].numeric", "true is no number"),
    ({"a": [{"numeric": ["<", 5, ">", 1]}]}, "a[0].numeric", "< and > are no range"),
    ({"a": [{"numeric": ["=", 5, "<", 9]}]}, "a[0].numeric", "= and < are no range"),
    ({"a": [{"numeric": [">=", 1, "<=", 1]}]}, "a[0].numeric", "1 is not below 1"),
    ({"a": [{"numeric": [">", 5, "<", 4.5]}]}, "a[0].numeric", "5 is not below 4.5"),
    ({"a": [{"anything-but": []}]}, "a[0].anything-but", "an empty list"),
    ({"a": [{"anything-but": True}]}, "a[0].anything-but", "true within anything-but"),
    ({"a": [{"anything-but": ["x", 5]}]}, "a[0].anything-but", "texts and numbers"),
    ({"a": [{"anything-but": ["x", None]}]}, "a[0].anything-but[1]", "null within"),
    ({"a": [{"anything-but": ["x", ["y"]]}]}, "a[0].anything-but[1]", "a list within"),
    ({"a": [{"anything-but": {}}]}, "a[0].anything-but", "no operator"),
    ({"a": [{"anything-but": {"numeric": [">", 1]}}]}, "a[0].anything-but", "'numeric' within"),
    ({"a": [{"anything-but": {"cidr": "10.0.0.0/8"}}]}, "a[0].anything-but", "'cidr' within"),
    ({"a": [{"anything-but": {"exists": True}}]}, "a[0].anything-but", "'exists' within"),
    ({"a": [{"anything-but": {"prefx": "a"}}]}, "a[0].anything-but", "did you mean prefix?"),
    ({"a": [{"anything-but": {"prefix": ""}}]}, "a[0].anything-but.prefix", "an empty text"),
    ({"a": [{"anything-but": {"suffix": ["a", ""]}}]}, "a[0].anything-but.suffix", "an empty text"),
    ({"a": [{"anything-but": {"prefix": 5}}]}, "a[0].anything-but.prefix", "5 is no text"),
    ({"a": [{"anything-but": {"prefix": []}}]}, "a[0].anything-but.prefix", "an empty list"),
    ({"a": [{"anything-but": {"prefix": "a", "suffix": "b"}}]}, "a[0].anything-but", "2 operators"),
    (
        {"a": [{"anything-but": {"prefix": {"equals-ignore-case": "a"}}}]},
        "a[0].anything-but.prefix",
        "is no text",
    ),
    ({"$or": []}, "$or", "fewer than two"),
    ({"$or": [{"a": [1]}]}, "$or", "fewer than two"),
    ({"$or": [{"a": [1]}, "x"]}, "$or[1]", "'x' within $or"),
    ({"$or": [{"a": [1]}, {}]}, "$or[1]", "an empty object"),
    ({"$or": [{"a": [1]}, {"b": []}]}, "$or[1].b", "an empty list"),
    ({"$or": [{"prefix": ["x"]}, {"a": [1]}]}, "$or[0].prefix", "an operator, not a field"),
    ({"$or": [{"a": {"numeric": ["x"]}}, {"a": [1]}]}, "$or[0].a.numeric", "an operator"),
    (
        {"x": {f"k{i}": {"$or": [{"a": [1]}, {"b": [1]}]} for i in range(10)}},
        "x.k9.$or",
        "over 1000",
    ),
    ({"a": [{"prefix": {1}}]}, "a[0].prefix", "is no value of JSON"),
    ({1: [1]}, "", "the key 1 is no text"),
    ({"a": [float("inf")]}, "a[0]", "is no value of JSON"),
]


@pytest.mark.parametrize(("pattern", "path", "message"), BAD, ids=lambda it: repr(it)[:40])
def test_a_mistake_is_told_with_its_place(pattern, path, message):
    with pytest.raises(PatternError) as caught:
        parts.EventPattern(pattern)
    assert caught.value.path == path
    assert message in str(caught.value)
    assert str(caught.value).startswith(path)


def test_a_mistake_says_what_is_allowed():
    with pytest.raises(PatternError) as caught:
        parts.EventPattern({"detail": {"state": [{"prefx": "run"}]}})
    assert str(caught.value) == (
        "detail.state[0]: 'prefx' is no operator; did you mean prefix? (allowed: prefix, suffix, "
        "equals-ignore-case, wildcard, anything-but, numeric, cidr, exists or exactly)"
    )


def test_errors_survive_pickling():
    with pytest.raises(PatternError) as caught:
        parts.EventPattern({"a": []})
    twin = pickle.loads(pickle.dumps(caught.value))
    assert str(twin) == str(caught.value)


def test_wildcards_up_to_the_limit_are_taken():
    for wildcard in ("*:*:*:*:*", "*a*b*c*d*e*f*g", "arn:*:*:*:*:*"):
        parts.EventPattern({"a": [{"wildcard": wildcard}]})
    parts.EventPattern({"a": [{"wildcard": "*/data/*.a"}, {"wildcard": "*/data/*.b"}]})


def test_operators_are_fields_outside_of_or():
    assert parts.EventPattern({"prefix": ["x"], "a": {"exists": [1]}}).matches(
        {"prefix": "x", "a": {"exists": 1}}
    )
