"""The rules of event patterns, each by name, on cases worked out by hand."""

import json
from decimal import Decimal

import pytest

from nephoscope import EventError, parts


def matches(pattern, event) -> bool:
    return parts.EventPattern(pattern).matches(event)


def check(any_of, yes=(), no=()):
    """Which values of the field `a` match a list."""
    pattern = parts.EventPattern({"a": any_of})
    assert [it for it in yes if not pattern.matches({"a": it})] == []
    assert [it for it in no if pattern.matches({"a": it})] == []


# --- fields -----------------------------------------------------------------------------------


def test_all_fields_must_match_and_others_do_not_matter():
    pattern = {"a": [1], "b": {"c": ["x"]}}
    assert matches(pattern, {"a": 1, "b": {"c": "x", "d": 2}, "e": 3})
    assert not matches(pattern, {"a": 1, "b": {"c": "y"}})
    assert not matches(pattern, {"a": 1})
    assert not matches(pattern, {"b": {"c": "x"}})


def test_one_value_of_a_list_is_enough():
    check(["x", 5, None, {"prefix": "z"}], yes=["x", 5, None, "zz"], no=["y", 6, True, "az"])


def test_keys_are_case_sensitive():
    assert not matches({"A": [1]}, {"a": 1})


def test_dots_and_nesting_are_the_same():
    nested, dotted = {"a": {"b": {"c": 1}}}, {"a.b.c": 1}
    halfway = [{"a.b": {"c": 1}}, {"a": {"b.c": 1}}]
    for pattern in ({"a": {"b": {"c": [1]}}}, {"a.b.c": [1]}, {"a": {"b.c": [1]}}):
        assert all(matches(pattern, event) for event in (nested, dotted, *halfway))


def test_a_nested_path_and_a_dotted_one_are_two_values_of_a_field():
    event = {"a": {"b": 1}, "a.b": 2}
    assert matches({"a.b": [1]}, event)
    assert matches({"a.b": [2]}, event)


def test_keys_may_be_any_text():
    for key in ("", " ", "$", "é", "a/b", "😀", '"', "\\", "detail-type"):
        assert matches({key: [1]}, {key: 1})
        assert matches({"x": {key: [1]}}, {"x": {key: 1}})


def test_a_value_where_the_pattern_has_an_object_does_not_match():
    assert not matches({"a": {"b": [1]}}, {"a": 1})
    assert not matches({"a": {"b": [1]}}, {"a": "b"})
    assert not matches({"a": [1]}, {"a": {"b": 1}})


def test_of_members_given_twice_the_last_counts():
    assert not matches('{"a":[1],"a":[2]}', '{"a":1}')
    assert matches('{"a":[1],"a":[2]}', '{"a":2}')
    assert matches({"a": [2]}, '{"a":1,"a":2}')
    assert not matches({"a": [1]}, '{"a":1,"a":2}')
    assert not matches({"a": {"b": [1]}}, '{"a":{"b":1},"a":{"c":1}}')
    many = ",".join(f'"k{i}":{i}' for i in range(20))
    assert not matches({"k3": [3]}, f'{{{many},"k3":4}}')
    assert matches({"k3": [4]}, f'{{{many},"k3":4}}')


def test_a_path_given_twice_in_a_pattern_the_last_counts():
    assert matches('{"a":{"b":[1]},"a.b":[2]}', {"a": {"b": 2}})
    assert not matches('{"a":{"b":[1]},"a.b":[2]}', {"a": {"b": 1}})
    assert not matches('{"a":{"b":[1]},"a":{"c":[2]}}', {"a": {"c": 2}})
    assert matches('{"a":{"b":[1]},"a":{"c":[2]}}', {"a": {"b": 1, "c": 2}})


# --- exact values -----------------------------------------------------------------------------


def test_texts_match_exactly():
    check(["abc"], yes=["abc"], no=["ABC", "ab", "abcd", "", " abc", None])
    check([""], yes=[""], no=["a", None, 0, False])


def test_letters_of_any_script_match_as_they_are():
    check(["straße 😀"], yes=["straße 😀"], no=["STRASSE 😀", "strasse 😀"])
    assert matches('{"a":["\\u00e9\\ud83d\\ude00"]}', {"a": "é😀"})
    assert matches({"a": ["é😀"]}, '{"a":"\\u00e9\\ud83d\\ude00"}')
    check(["é"], no=["e\u0301"])  # composed and not


def test_types_are_never_mixed():
    check(["300"], yes=["300"], no=[300])
    check([300], yes=[300], no=["300"])
    check([True], yes=[True], no=["true", 1])
    check([False], yes=[False], no=["false", 0, None, ""])
    check(["true"], yes=["true"], no=[True])
    check([1], no=[True])
    check([0], no=[False, None])


def test_null_matches_null_only():
    check([None], yes=[None, [1, None]], no=["", "null", 0, False, [], {}])
    assert not matches({"a": [None]}, {})


def test_numbers_match_by_value():
    for text in ("300", "300.0", "3.0e2", "3E+2", "0.3e3", "30000e-2", "300.000"):
        assert matches({"a": [300]}, f'{{"a":{text}}}'), text
        assert matches(f'{{"a":[{text}]}}', {"a": 300}), text
    check([0], yes=[0, -0.0, 0.0], no=[1e-300])
    assert matches({"a": [0]}, '{"a":-0.00e5}')
    check([0.1], yes=[0.1, Decimal("0.10")], no=[0.1000001, Decimal("0.10000000000000000000001")])
    check([-1.5], yes=[-1.5], no=[1.5])


def test_numbers_are_never_rounded():
    big = 9007199254740993
    check([big], yes=[big], no=[big - 1, big + 1])
    huge = "1" + "0" * 40 + "1"
    assert matches(f'{{"a":[{huge}]}}', f'{{"a":{huge}}}')
    assert not matches(f'{{"a":[{huge}]}}', '{"a":1e41}')
    fine = "0.1234567890123456789012345678901234567890"
    assert matches(f'{{"a":[{fine}]}}', f'{{"a":{fine}00}}')
    assert not matches(f'{{"a":[{fine}]}}', f'{{"a":{fine}1}}')
    assert matches('{"a":[1e400]}', '{"a":10e399}')
    assert not matches('{"a":[1e400]}', '{"a":1e401}')


# --- arrays -----------------------------------------------------------------------------------


def test_any_element_of_an_array_may_match():
    check([1], yes=[[1], [2, 1], [[1, 2], [3]], [[[1]]]], no=[[2], [], [[]], [[2], []]])


def test_an_empty_array_is_no_value():
    check([{"exists": False}], yes=[[], [[]], {}], no=[[None], [[""]]])
    check([{"exists": True}], yes=[[0], [None]], no=[[], [[], {}]])


def test_objects_in_an_array_are_fields_of_it():
    assert matches({"a": {"b": [1]}}, {"a": [{"b": 1}]})
    assert matches({"a": {"b": [1]}}, {"a": [[{"b": 1}]]})
    assert matches({"a": {"b": [1]}}, {"a": [5, "x", {"c": 1}, {"b": [2, 1]}]})


def test_fields_under_an_array_match_by_one_element():
    pattern = {"a": {"b": [1], "c": [2]}}
    assert not matches(pattern, {"a": [{"b": 1, "c": 9}, {"b": 9, "c": 2}]})
    assert matches(pattern, {"a": [{"b": 9, "c": 9}, {"b": 1, "c": 2}]})
    assert not matches(pattern, {"a": [[{"b": 1}], [{"c": 2}]]})
    assert matches(pattern, {"a": [[{"b": 1, "c": 2}], [{}]]})


def test_elements_of_nested_arrays_agree_level_by_level():
    pattern = {"a": {"b": {"c": [1], "d": [2]}, "e": [3]}}
    assert matches(pattern, {"a": [{"b": [{"c": 1, "d": 2}, {}], "e": 3}]})
    assert not matches(pattern, {"a": [{"b": [{"c": 1}, {"d": 2}], "e": 3}]})
    assert not matches(pattern, {"a": [{"b": [{"c": 1, "d": 2}]}, {"e": 3}]})


def test_independent_arrays_combine_freely():
    pattern = {"x": {"b": [1]}, "y": {"c": [2]}}
    assert matches(pattern, {"x": [{"b": 9}, {"b": 1}], "y": [{"c": 2}, {"c": 3}]})


def test_values_beside_an_array_combine_with_every_element():
    pattern = {"a": {"b": [1], "c": {"d": [2]}}}
    assert matches(pattern, {"a": {"b": 1, "c": [{"d": 9}, {"d": 2}]}})


def test_elements_of_an_array_of_values_need_not_be_one():
    assert matches({"a": {"b": [1], "c": [2]}}, {"a": {"b": [0, 1], "c": [2, 0]}})


def test_large_arrays_of_which_no_element_has_all():
    elements = [{"b" if i % 2 else "c": i} for i in range(600)]
    any_of = [{"exists": True}]
    assert not matches({"a": {"b": any_of, "c": any_of}}, {"a": elements})
    assert matches({"a": {"b": any_of, "c": any_of}}, {"a": [*elements, {"b": 1, "c": 2}]})


def test_large_arrays_are_no_matter():
    elements = [{"b": i, "c": i + 1, "d": i + 2} for i in range(300)]
    assert matches({"a": {"b": [250], "c": [251], "d": [252]}}, {"a": elements})
    any_of = [{"exists": True}]
    assert not matches({"a": {"b": any_of, "c": any_of, "d": any_of, "e": any_of}}, {"a": elements})


# --- exists -----------------------------------------------------------------------------------


def test_exists_asks_for_a_value():
    check([{"exists": True}], yes=[None, "", 0, False, [None]], no=[[], {}, {"b": 1}, [[]]])
    assert not matches({"a": [{"exists": True}]}, {"b": 1})


def test_not_exists_asks_for_none():
    check([{"exists": False}], yes=[[], {}, {"b": 1}, [[]]], no=[None, "", 0, [None]])
    assert matches({"a": [{"exists": False}]}, {"b": 1})
    assert matches({"a": {"b": [{"exists": False}]}}, {"a": 1})


def test_not_exists_beside_a_value():
    pattern = {"a": [{"exists": False}, "x"]}
    assert matches(pattern, {"b": 1})
    assert matches(pattern, {"a": "x"})
    assert not matches(pattern, {"a": "y"})


def test_not_exists_looks_at_all_elements():
    assert not matches({"a": {"b": [{"exists": False}]}}, {"a": [{"b": 1}, {"c": 2}]})
    assert not matches({"a": {"b": [{"exists": False}], "c": [2]}}, {"a": [{"b": 1}, {"c": 2}]})


def test_not_exists_after_a_choice_looks_at_that_element_alone():
    """Paths are decided in their order: b has chosen an element before c is asked for."""
    pattern = {"a": {"b": [1], "c": [{"exists": False}]}}
    assert matches(pattern, {"a": [{"b": 1}, {"b": 2, "c": 3}]})
    assert not matches(pattern, {"a": [{"b": 1, "c": 3}, {"b": 2}]})


# --- texts ------------------------------------------------------------------------------------


def test_prefix_is_of_texts():
    check([{"prefix": "ab"}], yes=["ab", "abc"], no=["a", "AB", "cab", ""])
    check([{"prefix": ""}], yes=["", "x"], no=[5, None, True])
    check([{"prefix": "1"}], yes=["12"], no=[12])


def test_suffix_is_of_texts():
    check([{"suffix": ".png"}], yes=[".png", "a.png", ["x", "y.png"]], no=["png", ".PNG", ".png "])
    check([{"suffix": ""}], yes=["", "x"], no=[5, None])


def test_prefix_and_suffix_in_any_case():
    check([{"prefix": {"equals-ignore-case": "eVent"}}], yes=["EVENTS", "event"], no=["an event"])
    check([{"suffix": {"equals-ignore-case": ".pNg"}}], yes=["A.PNG", ".png"], no=["png", ".png "])
    check([{"prefix": {"equals-ignore-case": "ß"}}], yes=["SSa", "ßa"], no=["ssa", "Sa"])
    check([{"suffix": {"equals-ignore-case": "ß"}}], yes=["aSS", "aß"], no=["ass", "aS"])
    check([{"prefix": {"equals-ignore-case": ""}}], yes=["", "x"], no=[1])


def test_equals_in_any_case():
    check([{"equals-ignore-case": "aLiCe"}], yes=["alice", "ALICE"], no=["alic", "alicee", ""])
    check([{"equals-ignore-case": "Éa"}], yes=["éA", "ÉA"], no=["Ea"])
    check([{"equals-ignore-case": "5"}], yes=["5"], no=[5])
    check([{"equals-ignore-case": ""}], yes=[""], no=["a", None])


def test_a_letter_of_another_length_in_capitals():
    check([{"equals-ignore-case": "straße"}], yes=["STRASSE", "Straße", "straSSe"], no=["strasse"])
    check([{"equals-ignore-case": "ﬁx"}], yes=["FIX", "ﬁX"], no=["fix"])
    check([{"equals-ignore-case": "ßs"}], yes=["SSS", "ßS"], no=["SS", "ßß"])
    check([{"equals-ignore-case": "ⱥ"}], yes=["Ⱥ", "ⱥ"])


def test_wildcards_stand_for_any_number_of_letters():
    check([{"wildcard": "*"}], yes=["", "x", "a\nb"], no=[5, None])
    check([{"wildcard": "a*b"}], yes=["ab", "axb", "abab"], no=["a", "abc", "xab", "A*b"])
    check([{"wildcard": "*a*"}], yes=["a", "xay"], no=["", "xy"])
    check([{"wildcard": "a*a"}], yes=["aa", "aba"], no=["a"])
    check([{"wildcard": "*ab*ab"}], yes=["abab", "xabyab"], no=["ab", "abxb"])
    check([{"wildcard": ""}], yes=[""], no=["a"])
    check([{"wildcard": "abc"}], yes=["abc"], no=["abcd"])
    check([{"wildcard": "A*"}], no=["abc"])


def test_escapes_of_wildcards():
    check([{"wildcard": r"a\*b"}], yes=["a*b"], no=["ab", "axb", r"a\*b"])
    check([{"wildcard": r"a\\*"}], yes=["a\\", "a\\b"], no=["a*", "ab"])
    check([{"wildcard": r"*\**"}], yes=["*", "a*b"], no=["ab"])


# --- anything-but -----------------------------------------------------------------------------


def test_anything_but_a_text():
    check([{"anything-but": "x"}], yes=["y", "", None, 5, True, "X"], no=["x", [], {}])
    assert not matches({"a": [{"anything-but": "x"}]}, {"b": 1})


def test_anything_but_a_number():
    check([{"anything-but": 123}], yes=[124, "123", None, False], no=[123, 123.0])
    check([{"anything-but": [1, 2.50]}], yes=[3, "1"], no=[1.0, 2.5])


def test_anything_but_a_list():
    check([{"anything-but": ["x", "y"]}], yes=["z", 1, ["x", "z"]], no=["x", "y", ["x", "y"], []])


def test_anything_but_a_beginning_or_an_end():
    check([{"anything-but": {"prefix": "x"}}], yes=["y", "ax", 5, None], no=["x", "xy"])
    check([{"anything-but": {"prefix": ["x", "y"]}}], yes=["z"], no=["xa", "ya"])
    check([{"anything-but": {"suffix": "x"}}], yes=["xy", 5, None], no=["x", "ax"])
    check([{"anything-but": {"suffix": ["a", "b"]}}], yes=["xc"], no=["xa", "xb"])


def test_anything_but_in_any_case():
    check([{"anything-but": {"equals-ignore-case": "ab"}}], yes=["abc", 5, None], no=["AB", "ab"])
    check([{"anything-but": {"equals-ignore-case": ["a", "ß"]}}], yes=["b"], no=["A", "SS"])


def test_anything_but_a_wildcard():
    check(
        [{"anything-but": {"wildcard": "*/lib/*"}}], yes=["a/b", 5, None], no=["a/lib/b", "/lib/"]
    )
    check([{"anything-but": {"wildcard": ["a*", "*b"]}}], yes=["c"], no=["ax", "xb"])


# --- numbers and addresses --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numeric", "yes", "no"),
    [
        (["=", 5], [5, 5.0], [6, "5", None]),
        ([">", 5], [5.000001, 6, [1, 6]], [5, "6", True, [1, 2]]),
        ([">=", 5], [5], [4.999]),
        (["<", -1.5], [-2], [-1.5, -1]),
        (["<=", -1.5], [-1.5], [-1.4]),
        ([">", 0, "<=", 5], [0.1, 5], [0, 5.1]),
        ([">=", 0, "<", 5], [0, 4.9], [-0.1, 5]),
        ([">", 1e18], [2e18], [1e18]),
        ([">", 9007199254740992], [9007199254740993], [9007199254740992]),
        (["<", 1e-7], [9e-8, 0, -1], [1e-7]),
        ([">", -1], [0, -0.5], [-1, -2]),
    ],
)
def test_numeric(numeric, yes, no):
    check([{"numeric": numeric}], yes, no)


def test_blocks_of_addresses():
    check(
        [{"cidr": "10.0.0.0/24"}],
        yes=["10.0.0.0", "10.0.0.255", "::ffff:a00:1"],
        no=["10.0.1.0", "::ffff:10.0.0.1", "10.0.0.256", "10.0.0", "x", 10, ""],
    )
    check([{"cidr": "10.0.0.7/24"}], yes=["10.0.0.1"], no=["10.0.1.7"])
    check([{"cidr": "10.0.0.128/25"}], yes=["10.0.0.128"], no=["10.0.0.127"])
    check([{"cidr": "0.0.0.0/0"}], yes=["1.2.3.4"], no=["999.2.3.4", "::1", "1.2.3.4.5"])
    check([{"cidr": "10.0.0.4/31"}], yes=["10.0.0.5"], no=["10.0.0.6"])


def test_blocks_of_long_addresses():
    block = [{"cidr": "2001:db8::/32"}]
    check(block, yes=["2001:DB8:0:0::1", "2001:db8:ffff::"], no=["2001:db9::", "1.2.3.4", "::"])
    check([{"cidr": "::/0"}], yes=["::", "ffff::1"], no=["1.2.3.4", ":", ":::", "1::2::3", "g::"])
    check([{"cidr": "2001:db8::1/127"}], yes=["2001:db8::"], no=["2001:db8::2"])
    check([{"cidr": "1:2:3:4:5:6:7:8/64"}], yes=["1:2:3:4::"], no=["1:2:3:5::", "1:2:3:4"])


def test_an_address_matches_in_any_spelling():
    check(["2400:6500:FF00::36FB:1F85"], yes=["2400:6500:ff00:0:0:0:36fb:1f85"], no=["2400:6500::"])
    check(["10.0.0.1"], yes=["10.0.0.1", "010.0.0.1"], no=["10.0.0.10", "10.0.0.1 "])
    check([{"anything-but": "::1"}], yes=["0:0::1"], no=["::1"])
    check([{"prefix": "10."}, {"cidr": "11.0.0.0/8"}], yes=["10.9.9.9", "11.1.1.1"])
    check(["face:b00c"], yes=["face:b00c"], no=["FACE:B00C"])


# --- $or --------------------------------------------------------------------------------------


def test_or_needs_one_alternative():
    pattern = {"$or": [{"a": [1]}, {"b": [2], "c": [3]}]}
    assert matches(pattern, {"a": 1})
    assert matches(pattern, {"b": 2, "c": 3})
    assert not matches(pattern, {"b": 2})


def test_or_beside_fields_and_within_them():
    pattern = {"s": [1], "d": {"$or": [{"x": [1]}, {"$or": [{"y": [1]}, {"z": [1]}]}]}}
    for key in "xyz":
        assert matches(pattern, {"s": 1, "d": {key: 1}})
        assert not matches(pattern, {"s": 2, "d": {key: 1}})
        assert not matches(pattern, {"s": 1, key: 1})


def test_two_ors_multiply():
    pattern = {"$or": [{"a": [1]}, {"b": [1]}], "d": {"$or": [{"a": [1]}, {"b": [1]}]}}
    assert matches(pattern, {"a": 1, "d": {"b": 1}})
    assert not matches(pattern, {"a": 1, "b": 1})


def test_an_alternative_overrides_what_came_before():
    pattern = '{"a":[1],"$or":[{"a":[2]},{"c":[1]}]}'
    assert matches(pattern, {"a": 2})
    assert matches(pattern, {"a": 1, "c": 1})
    assert not matches(pattern, {"a": 1})
    after = '{"$or":[{"a":[2]},{"c":[1]}],"a":[1]}'
    assert not matches(after, {"a": 2})
    assert matches(after, {"a": 1})


def test_or_that_is_no_list_is_a_field():
    assert matches({"$or": {"a": [1]}}, {"$or": {"a": 1}})
    assert not matches({"$or": {"a": [1]}}, {"a": 1})


# --- events -----------------------------------------------------------------------------------


def test_events_as_text_bytes_and_python_values():
    pattern = parts.EventPattern(b'{"a":{"b":[1,"x"]}}')
    for event in ({"a": {"b": ("y", "x")}}, '{"a":{"b":1.0}}', b' {"a" : {"b":["x"]}}\n'):
        assert pattern.matches(event)


@pytest.mark.parametrize(
    "event",
    [
        "",
        "{",
        "[]",
        "null",
        "5",
        '"a"',
        '{"a":1}x',
        '{"a":01}',
        '{"a":1.}',
        '{"a":+1}',
        '{"a":.5}',
        '{"a":NaN}',
        "{'a':1}",
        '{"a":1,}',
        '{"a":"\n"}',
        '{"a":"\\x"}',
        '{"a":"\\ud800"}',
        "{a:1}",
        '{"a":tru}',
        '{"a":"',
        '{"a" 1}',
        '{"a":"\\u12g4"}',
        '{"a":1e}',
        '{"a":--1}',
        "\ufeff{}",
        b"\xff",
        {"a": float("nan")},
        {1: 2},
        {"a": {1}},
        {"a": "\ud800"},
        [1],
        None,
        5,
        '{"a":' + "[" * 2000 + "]" * 2000 + "}",
    ],
    ids=lambda it: repr(it)[:25],
)
def test_what_is_no_event_is_refused(event):
    with pytest.raises(EventError):
        parts.EventPattern({"a": [1]}).matches(event)


def test_errors_of_events_name_the_place():
    with pytest.raises(EventError, match=r"a comma or a closing bracket is missing \(byte 8\)"):
        parts.EventPattern({"a": [1]}).matches('{"a": 1 "b": 2}')
    with pytest.raises(EventError, match=r"a\.b\[1\]: .* is no value of JSON"):
        parts.EventPattern({"a": [1]}).matches({"a": {"b": [1, {1, 2}]}})


def test_deep_events_are_read():
    depth = 900
    event = '{"a":' * depth + "1" + "}" * depth
    assert matches({".".join("a" * depth): [1]}, event)
    assert matches({"a": [1]}, '{"a":' + "[" * depth + "1" + "]" * depth + "}")


def test_all_escapes_of_texts():
    text = '"\\/\b\f\n\r\t\u20ac'
    assert matches({"a": [text]}, '{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u20AC"}')
    assert matches({"a": [text]}, json.dumps({"a": text}))
