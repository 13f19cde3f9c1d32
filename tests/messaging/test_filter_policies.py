"""Filter policies: what of a message they look at, what they refuse, and their limits."""

import json

import pytest

from nephoscope import EventError, PatternError, parts


def typed(kind, value):
    return {"type": kind, "value": value}


def let_through(policy, body=None, **attributes):
    return parts.FilterPolicy(policy).matches(attributes, body)


# --- attributes -------------------------------------------------------------------------------


def test_attributes_are_the_scope_unless_told_otherwise():
    policy = parts.FilterPolicy({"store": ["mine"]})
    assert policy.scope == "attributes"
    assert policy.matches({"store": typed("String", "mine")})
    assert not policy.matches({}, body={"store": "mine"})
    assert not policy.matches(None, '{"store":"mine"}')


def test_all_keys_must_match_and_other_attributes_do_not_matter():
    policy = {"store": ["mine"], "event": ["a", "b"]}
    assert let_through(policy, store="mine", event="b", more="x")
    assert not let_through(policy, store="mine", event="c")
    assert not let_through(policy, store="mine")


def test_a_string_is_a_text():
    assert let_through({"a": ["5"]}, a=typed("String", "5"))
    assert not let_through({"a": [5]}, a=typed("String", "5"))
    assert not let_through({"a": [True]}, a=typed("String", "true"))
    assert not let_through({"a": ["x"]}, a=typed("String", '["x"]'))


def test_a_number_is_a_number():
    assert let_through({"a": [5]}, a=typed("Number", "5.0"))
    assert let_through({"a": [{"numeric": [">", 5]}]}, a=typed("Number", "5.5"))
    assert not let_through({"a": ["5"]}, a=typed("Number", "5"))
    assert not let_through({"a": [{"prefix": "5"}]}, a=typed("Number", "5"))
    assert let_through({"a": [5]}, a=typed("Number", 5))
    assert let_through({"a": [-0.5]}, a=typed("Number", "-0.50"))


def test_any_element_of_a_string_array_may_match():
    policy = {"a": ["rugby", 7, None]}
    for array in ('["tennis","rugby"]', "[7.0]", "[null]", ["rugby"]):
        assert let_through(policy, a=typed("String.Array", array))
    for array in ('["tennis"]', "[]", '["7"]', [True]):
        assert not let_through(policy, a=typed("String.Array", array))
    assert let_through({"a": [{"anything-but": ["x"]}]}, a=typed("String.Array", '["x","y"]'))
    assert not let_through({"a": [{"anything-but": ["x"]}]}, a=typed("String.Array", '["x"]'))


@pytest.mark.parametrize("array", ["rugby", "[", '"rugby"', '{"a":"rugby"}', '[["rugby"]]', "5"])
def test_a_string_array_that_is_none_matches_nothing(array):
    attribute = typed("String.Array", array)
    for condition in ("rugby", {"exists": True}, {"exists": False}, {"anything-but": "x"}):
        assert not let_through({"a": [condition]}, a=attribute)
    assert let_through({"b": ["x"]}, a=attribute, b="x")
    assert let_through({"$or": [{"a": ["rugby"]}, {"b": ["x"]}]}, a=attribute, b="x")


def test_a_number_that_is_none_matches_nothing():
    for value in ("five", "", "0x10", None):
        assert not let_through({"a": [{"exists": True}]}, a=typed("Number", value))


def test_binary_is_not_seen():
    assert not let_through({"a": [{"exists": True}]}, a=typed("Binary", b"x"))
    assert let_through({"a": [{"exists": False}]}, a=b"x")
    assert let_through({"b": ["x"]}, a=typed("Binary", "eA=="), b="x")


def test_attributes_in_the_words_of_the_provider():
    policy = {"price": [{"numeric": [">=", 200]}], "who": [{"prefix": "a"}]}
    price = {"DataType": "Number", "StringValue": "210.75"}
    assert let_through(policy, price=price, who={"Type": "String", "Value": "ab"})
    assert let_through(policy, price={**price, "DataType": "Number.float"}, who="ab")


def test_plain_values_have_the_type_that_they_are():
    policy = {"a": ["x"], "b": [1.5], "c": ["y"]}
    assert let_through(policy, a="x", b=1.5, c=["z", "y"])


def test_names_with_dots_are_names():
    assert parts.FilterPolicy({"a.b": ["x"]}).matches({"a.b": "x"})


def test_a_key_that_is_missing_fails_every_rule_but_that_it_is():
    assert not let_through({"a": [None, {"anything-but": "x"}]}, b="x")
    assert let_through({"a": [{"exists": False}]}, b="x")
    assert let_through({"a": [{"exists": True}]}, a="")
    assert not let_through({"a": [{"exists": True}]}, b="x")


def test_alternatives():
    policy = {"s": ["x"], "$or": [{"a": [{"prefix": "y"}]}, {"b": [1]}]}
    assert let_through(policy, s="x", a="yes")
    assert let_through(policy, s="x", b=1)
    assert not let_through(policy, s="x", a="no", b=2)


def test_operators_that_policies_have():
    assert let_through({"a": [{"suffix": "x"}]}, a="ax")
    assert let_through({"a": [{"equals-ignore-case": "AX"}]}, a="ax")
    assert let_through({"a": [{"cidr": "10.0.0.0/8"}]}, a="10.1.2.3")
    assert let_through({"a": [{"anything-but": {"prefix": "b"}}]}, a="ax")
    assert not let_through({"a": [{"anything-but": {"prefix": "a"}}]}, a="ax")
    assert not let_through({"a": [{"anything-but": [100, 500]}]}, a=100.0)


# --- bodies -----------------------------------------------------------------------------------


def test_a_body_is_matched_like_an_event():
    policy = parts.FilterPolicy({"o": {"k": [{"prefix": "auto-"}], "n": [1]}}, scope="body")
    assert policy.matches(body='{"o":[{"k":"x"},{"k":"auto-1","n":1.0}]}')
    assert policy.matches(body={"o.k": "auto-2", "o": {"n": 1}})
    assert not policy.matches(body='{"o":[{"k":"auto-1"},{"n":1}]}')
    assert not policy.matches({"o": "auto-1"}, None)


@pytest.mark.parametrize("body", [None, "", "x", "[]", '["a"]', "5", "null", '"{}"', b"\xff", [1]])
def test_a_body_that_is_no_object_does_not_match(body):
    for condition in (1, {"exists": False}):
        assert not parts.FilterPolicy({"a": [condition]}, scope="body").matches(body=body)


def test_a_policy_that_is_empty_lets_everything_through():
    assert parts.FilterPolicy("{}").matches({"a": "x"})
    assert parts.FilterPolicy({}, scope="body").matches(body="no JSON")


# --- numbers ----------------------------------------------------------------------------------


def test_five_digits_after_the_point_count():
    assert let_through({"a": [100.123456789]}, a=typed("Number", "100.1234567"))
    assert let_through({"a": [{"numeric": ["=", 1.23456]}]}, a=typed("Number", "1.234561"))
    assert not let_through({"a": [1.23456]}, a=typed("Number", "1.23457"))
    assert not let_through({"a": [{"numeric": [">", 0.00001]}]}, a=typed("Number", "0.000019"))
    assert let_through({"a": [{"numeric": ["<", 0]}]}, a=typed("Number", "-0.000001"))
    assert let_through({"a": [-1.00001]}, a=typed("Number", "-1.000001"))


def test_numbers_of_messages_beyond_a_billion_equal_nothing():
    for number in ("1000000000.1", "-2e9"):
        assert not let_through({"a": [{"numeric": [">", 5]}]}, a=typed("Number", number))
        assert not let_through({"a": [{"numeric": ["<", 5]}]}, a=typed("Number", number))
        assert let_through({"a": [{"exists": True}]}, a=typed("Number", number))
    assert let_through({"a": [1e9, -1e9]}, a=typed("Number", "1000000000"))
    assert let_through({"a": [1e9, -1e9]}, a=typed("Number", "-1000000000.0"))


# --- what is refused --------------------------------------------------------------------------

VALUES = [str(i) for i in range(200)]
REFUSED = [
    ({"a": [{"wildcard": "x*"}]}, "a[0]", "not for filter policies"),
    ({"a": [{"exactly": "x"}]}, "a[0]", "not for filter policies"),
    ({"a": [{"anything-but": {"suffix": "x"}}]}, "a[0].anything-but", "'suffix' within"),
    ({"a": [{"anything-but": {"wildcard": "x"}}]}, "a[0].anything-but", "'wildcard' within"),
    ({"a": [{"anything-but": {"equals-ignore-case": "x"}}]}, "a[0].anything-but", "within"),
    ({"a": [{"anything-but": {"prefix": ["x"]}}]}, "a[0].anything-but.prefix", "is no text"),
    ({"a": [{"prefix": {"equals-ignore-case": "x"}}]}, "a[0].prefix", "is no text"),
    ({"a": [{"wrong": True}]}, "a[0]", "is no operator"),
    ({"a": "x"}, "a", "a field without a list"),
    ({"a": []}, "a", "an empty list"),
    ({"a": {"b": ["x"]}}, "a", "attributes are not nested"),
    ({"$or": [{"a": {"b": ["x"]}}, {"c": ["x"]}]}, "$or[0].a", "attributes are not nested"),
    ({"$or": [{"a": ["x"]}]}, "$or", "fewer than two"),
    ({key: ["x"] for key in "abcdef"}, "", "6 keys"),
    ({"a": VALUES[:151]}, "", "151 combinations"),
    ({"a": VALUES[:100], "b": VALUES[:2]}, "", "200 combinations"),
    ({"a": [1e9 + 1]}, "a[0]", "out of range"),
    ({"a": [{"numeric": [">", -2e9]}]}, "a[0].numeric[1]", "out of range"),
    ({"a": ["x" * 262144]}, "", "at most 262144"),
    ("[]", "", "no policy"),
    ("{", "", "not legal JSON"),
]


@pytest.mark.parametrize(("policy", "path", "message"), REFUSED, ids=lambda it: repr(it)[:40])
def test_what_is_no_policy_is_refused(policy, path, message):
    with pytest.raises(PatternError) as caught:
        parts.FilterPolicy(policy)
    assert caught.value.path == path
    assert message in str(caught.value)


def test_policies_up_to_the_limits_are_taken():
    parts.FilterPolicy({key: ["x"] for key in "abcde"})
    parts.FilterPolicy({"a": VALUES[:150]})
    parts.FilterPolicy({"a": VALUES[:15], "b": VALUES[:10]})
    parts.FilterPolicy({"a": [1e9, -1e9]})


def test_combinations_of_nested_keys_count_their_depth():
    """4 values three deep and 3 values two deep: 4 x 3 x 3 x 2 = 72; with 7 values it is 168."""
    deep = {"a": {"b": {"c": VALUES[:4]}}}
    parts.FilterPolicy({**deep, "d": {"e": VALUES[:3]}}, scope="body")
    with pytest.raises(PatternError, match="168 combinations"):
        parts.FilterPolicy({**deep, "d": {"e": VALUES[:7]}}, scope="body")


def test_combinations_of_alternatives_are_added():
    """(10 + 5) x 10 = 150."""
    policy = {"$or": [{"a": VALUES[:10]}, {"b": VALUES[:5]}], "c": VALUES[:10]}
    parts.FilterPolicy(policy)
    with pytest.raises(PatternError, match="160 combinations"):
        parts.FilterPolicy({**policy, "$or": [{"a": VALUES[:10]}, {"b": VALUES[:6]}]})


def test_keys_below_the_top_are_not_counted():
    parts.FilterPolicy({"a": {key: ["x"] for key in "bc"}, "d": {"e": ["x"]}}, scope="body")


def test_scopes_are_two():
    with pytest.raises(PatternError, match="did you mean attributes"):
        parts.FilterPolicy({"a": ["x"]}, scope="attribute")


@pytest.mark.parametrize(
    "attributes",
    [
        5,
        {"a": None},
        {"a": True},
        {"a": {"type": "String"}},
        {"a": {"type": "Text", "value": "x"}},
        {1: "x"},
    ],
)
def test_what_no_message_has_is_refused(attributes):
    with pytest.raises(EventError):
        parts.FilterPolicy({"a": ["x"]}).matches(attributes)


def test_policies_as_text():
    text = json.dumps({"a": [{"anything-but": ["x", "y"]}]})
    assert parts.FilterPolicy(text).matches({"a": "z"})
    assert parts.FilterPolicy(text.encode()).matches({"a": "z"})
