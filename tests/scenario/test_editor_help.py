"""The JSON Schema tells an editor of every key what it is, its unit and a legal example."""

import copy

import jsonschema
import pytest
import yaml

from nephoscope.scenario import editor_help, units
from nephoscope.scenario.editor_help import properties_of, quantity_words
from nephoscope.scenario.schema import json_schema

SCHEMA = json_schema()
MODELS = {"ScenarioModel": SCHEMA, **SCHEMA["$defs"]}
KEYS = [(name, key) for name, model in MODELS.items() for key in properties_of(model)]


def value_of(name, key):
    return properties_of(MODELS[name])[key]


def test_no_key_is_without_a_description():
    bare = [f"{name}.{key}" for name, key in KEYS if not value_of(name, key).get("description")]
    assert bare == []  # a docstring below the field, or a line in scenario/editor.yaml


@pytest.mark.parametrize("name", MODELS)
def test_examples_are_legal(name):
    for key, value in properties_of(MODELS[name]).items():
        assert value["examples"], key
        validator = jsonschema.Draft202012Validator({**value, "$defs": SCHEMA["$defs"]})
        for example in [*value["examples"], *([value["default"]] if "default" in value else [])]:
            errors = [error.message for error in validator.iter_errors(example)]
            assert errors == [], f"{name}.{key}: {example}"


def test_units_are_told():
    assert "(a duration, in ns, us" in SCHEMA["properties"]["duration"]["description"]
    assert "a rate, for each" in value_of("Traffic", "rate")["description"]
    assert "a size, in B" in value_of("InstanceType", "memory")["description"]
    assert "a bandwidth" in value_of("Disk", "bandwidth")["description"]
    assert "a share" in value_of("Step", "fail")["description"]
    assert "GHz" in value_of("HostType", "clock")["description"]
    assert "in ns" not in value_of("Fleet", "count")["description"]
    rate = {"type": "string", "pattern": units.RATE_PATTERN}
    assert quantity_words({"type": "array", "items": rate}).startswith("a rate")
    with_unit = [it for it in KEYS if quantity_words(value_of(*it))]
    assert len(with_unit) > 80


def test_a_key_that_nobody_described_is_found():
    """The test above would see one: with the table emptied, many are bare."""
    tree = copy.deepcopy(SCHEMA)
    value = properties_of(tree["$defs"]["Fleet"])["service"]
    del value["description"], value["examples"]
    value["type"] = "string"
    tree["$defs"]["Fleet"]["properties"]["unheard_of"] = {"type": "integer"}
    helped = editor_help.with_help(tree)["$defs"]["Fleet"]["properties"]
    assert "description" not in helped["unheard_of"]
    assert helped["unheard_of"]["examples"] == [1]
    assert helped["service"]["description"]


def test_the_table_has_no_line_that_is_for_nothing():
    table = yaml.safe_load(editor_help._TABLE.read_text(encoding="utf-8"))
    known = {f"{name.rpartition('__')[2]}.{key}" for name, key in KEYS} | {key for _, key in KEYS}
    for section in ("descriptions", "examples"):
        assert set(table[section]) - known == set()
