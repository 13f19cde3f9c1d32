"""YAML 1.2 and JSON are read by their own rules, with the place of every value."""

import json

import pytest

from nephoscope.errors import ScenarioError
from nephoscope.scenario.files.json_reader import read_json
from nephoscope.scenario.files.yaml_reader import read_value, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("off", "off"),
        ("yes", "yes"),
        ("On", "On"),
        ("n", "n"),
        ("true", True),
        ("FALSE", False),
        ("tRue", "tRue"),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("190:20:30", "190:20:30"),
        ("+5", 5),
        ("-5", -5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e", "1e"),
        (".inf", float("inf")),
        ("-.INF", float("-inf")),
        ("inf", "inf"),
        ("nan", "nan"),
        ("2026-11-23", "2026-11-23"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("! 5", "5"),
        ("!!str 5", "5"),
        ("40/s", "40/s"),
        ("=", "="),
        ("[1, a, {b: 2}]", [1, "a", {"b": 2}]),
    ],
)
def test_scalars_follow_the_core_schema(text, value):
    read = read_value(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("text", ["", "null", "~", "NULL", "# nothing"])
def test_nulls(text):
    assert read_value(text) is None


def test_not_a_number_is_read_as_one():
    assert read_value(".nan") != read_value(".NaN")


def test_every_value_knows_its_place():
    document = read_yaml("a: 1\nb:\n  - x\n  - {c: 2, d: [3,\n      4]}\n")
    assert document.tree == {"a": 1, "b": ["x", {"c": 2, "d": [3, 4]}]}
    values = {where: tuple(place.value) for where, place in document.places.items()}
    assert values == {
        ("a",): (1, 4),
        ("b",): (3, 3),
        ("b", 0): (3, 5),
        ("b", 1): (4, 5),
        ("b", 1, "c"): (4, 9),
        ("b", 1, "d"): (4, 15),
        ("b", 1, "d", 0): (4, 16),
        ("b", 1, "d", 1): (5, 7),
    }
    assert document.places["b", 1, "c"].key == (4, 6)


def test_json_places_are_those_of_yaml():
    tree = {"a": 1, "b": ["x", {"c": 2.5, "d": [True, "é\n"]}], "e": {}, "f": []}
    text = json.dumps(tree, indent=2)
    read = read_json(text)
    assert read.tree == tree
    assert read.places == read_yaml(text).places


def test_json_takes_what_yaml_does_not():
    document = read_json('{\t"a":\t"\\ud83d\\ude00\\/"\r\n}')
    assert document.tree == {"a": "😀/"}


def test_aliases_are_copies():
    document = read_yaml("a: &x {b: [1]}\nc: *x\n")
    assert document.tree == {"a": {"b": [1]}, "c": {"b": [1]}}
    assert document.tree["a"] is not document.tree["c"]
    assert document.places["c", "b", 0].value.line == 1


def test_mistakes_that_can_be_stepped_over_are_collected():
    document = read_yaml("a: 1\na: 2\nb:\n1: x\n<<: {c: 1}\n? [x]\n: y\n")
    assert document.tree == {"a": 1, "b": None, "<<": {"c": 1}}
    found = [(problem.path, problem.line) for problem in document.problems]
    assert found == [("a", 2), ("b", 3), ("1", 4), ("<<", 5), ("None", 6)]


def test_aliases_cannot_nest_without_end():
    nested = "a: &a " + "[" * 40 + "]" * 40 + "\nb: " + "[" * 40 + "*a" + "]" * 40
    with pytest.raises(ScenarioError, match="deep"):
        read_yaml(nested)


def test_a_large_text_is_read_in_good_time():
    names = [f"  f{i}: {{count: 1, service: page}}" for i in range(5000)]
    document = read_yaml("\n".join(["fleets:", *names]))
    assert len(document.tree["fleets"]) == 5000
    with pytest.raises(ScenarioError, match="more than"):
        read_yaml("a: [" + "0, " * 120_000 + "]")
