"""What is no pattern, no cron and no target's input: each rule by its name."""

import pytest

from nephoscope import PatternError, parts
from nephoscope.scenario.language.event_schedules import read_schedule


def refused(pattern, words: str) -> None:
    with pytest.raises(PatternError, match=words):
        parts.EventPattern(pattern)


def test_objects_and_lists_are_not_empty():
    refused({}, "empty object")
    refused({"a": {}}, "empty object")
    refused({"a": []}, "empty list")


def test_values_stand_in_lists_that_are_not_nested():
    refused({"a": 1}, "without a list")
    refused({"a": [[1]]}, "a list within the list")


def test_an_object_holds_one_operator():
    refused({"a": [{"prefix": "a", "suffix": "b"}]}, "2 operators")


def test_operators_are_known_and_written_in_small_letters():
    refused({"a": [{"begins": "a"}]}, "no operator")
    refused({"a": [{"Prefix": "a"}]}, "did you mean prefix")


def test_or_needs_two_alternatives_without_names_of_operators():
    refused({"$or": [{"a": [1]}]}, "fewer than two")
    refused({"$or": [{"prefix": ["x"]}, {"a": [1]}]}, "an operator, not a field")


def test_a_range_of_numbers_is_not_empty_and_begins_with_its_lower_end():
    refused({"a": [{"numeric": [">=", 1, "<=", 1]}]}, "1 is not below 1")
    refused({"a": [{"numeric": [">", 5, "<", 5]}]}, "5 is not below 5")
    refused({"a": [{"numeric": ["<", 5, ">", 1]}]}, "are no range")
    refused({"a": [{"numeric": ["!=", 5]}]}, "no comparison")
    assert parts.EventPattern({"a": [{"numeric": [">", 1, "<=", 5]}]}).matches({"a": 5})


def test_a_block_of_addresses_has_more_than_one():
    """A mask of all bits is refused; of what is given beyond the mask nothing counts."""
    refused({"a": [{"cidr": "10.0.0.1/32"}]}, "at most 31")
    refused({"a": [{"cidr": "::1/128"}]}, "at most 127")
    assert parts.EventPattern({"a": [{"cidr": "10.0.0.7/24"}]}).matches({"a": "10.0.0.1"})


def test_wildcards_have_two_escapes_and_no_two_stars_in_a_row():
    refused({"a": [{"wildcard": "a**b"}]}, "two \\* in a row")
    refused({"a": [{"wildcard": r"a\x"}]}, "unknown escape")
    assert parts.EventPattern({"a": [{"wildcard": r"a\*b"}]}).matches({"a": "a*b"})


def test_anything_but_takes_texts_or_numbers_and_no_comparison():
    refused({"a": [{"anything-but": ["x", 5]}]}, "texts and numbers")
    refused({"a": [{"anything-but": None}]}, "null within")
    refused({"a": [{"anything-but": {"numeric": [">", 1]}}]}, "'numeric' within")
    refused({"a": [{"anything-but": {"cidr": "10.0.0.0/8"}}]}, "'cidr' within")


# --- cron -------------------------------------------------------------------------------------


def test_one_of_the_two_days_of_cron_is_a_question_mark():
    read_schedule("cron(0 10 ? * MON *)")
    read_schedule("cron(0 10 1 * ? *)")
    for days in ("* * *", "? * ?", "1 * 2"):
        with pytest.raises(PatternError, match="the days"):
            read_schedule(f"cron(0 10 {days} *)")


def test_cron_has_six_fields():
    with pytest.raises(PatternError, match="5 fields"):
        read_schedule("cron(0 10 * * ?)")
