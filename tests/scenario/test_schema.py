"""The JSON Schema is legal, takes what the loader takes, and refuses what a schema can see."""

import copy
from pathlib import Path

import jsonschema
import pytest
import yaml

from nephoscope.scenario.schema import json_schema
from scenario.breaking import GOOD

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def test_the_schema_is_legal():
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_examples_are_valid(file):
    VALIDATOR.validate(yaml.safe_load(file.read_text(encoding="utf-8")))


def test_the_good_scenario_is_valid():
    VALIDATOR.validate(GOOD)


@pytest.mark.parametrize("written", ["m5.large", {"type": "m5.large"}, {"vcpus": 2}, {}])
def test_instance_types(written):
    tree = copy.deepcopy(GOOD)
    tree["fleets"]["web"]["instance_type"] = written
    VALIDATOR.validate(tree)


@pytest.mark.parametrize(
    "written",
    [
        {"gpu": "1ms"},
        {"gpu": {"exponential": "1ms"}},
        {"gpu": {"work": {"exponential": "1ms"}, "batch": 8}},
        {"network": "1MB"},
        {"memory": "1GiB"},
        {"disk": {"bytes": "1MB", "ops": 5}},
        {"disk": "1MB"},
    ],
)
def test_steps_that_use_devices(written):
    tree = copy.deepcopy(GOOD)
    tree["services"]["page"]["steps"][0] = written
    VALIDATOR.validate(tree)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["nephoscope"], 2),
        (["duration"], "1 hour"),
        (["duration"], 60),
        (["warmup"], "never"),
        (["seed"], -1),
        (["fleets", "web", "count"], "3"),
        (["fleets", "web", "hosts"], 4),
        (["fleets", "web", "scaling"], "building"),
        (["hosts"], {"hall": {"count": 1}}),
        (["fleets", "web", "service"], None),
        (["fleets", "web", "instance_type"], "m5.lrage"),
        (["fleets", "web", "instance_type"], 4),
        (["services", "page", "discipline"], "lifo"),
        (["services", "page", "steps", 0], {"compute": "1ms", "sleep": "1ms"}),
        (["services", "page", "steps", 0], {}),
        (["services", "page", "steps", 0], {"gpu": 5}),
        (["services", "page", "steps", 0], {"network": "1Gbps"}),
        (["services", "page", "steps", 0], {"publish": {"event": {}}}),
        (["fleets", "web", "instance_type"], {"network": "10GB"}),
        (["services", "page", "steps", 0, "compute"], {"exponential": 5}),
        (["load_balancers", "front", "routing"], "least_conn"),
        (["traffic", "users", "rate"], "40"),
        (["traffic", "users", "clients"], "many"),
        (["traffic", "clerks", "arrivals"], "closed"),
        (["traffic", "clerks", "arrivals"], {"profile": [["0s"]]}),
        (["buses"], {"bell": {"rules": {"all": {"pattern": {}, "targets": [{"retry": 3}]}}}}),
        (["topics"], {"news": {"subscriptions": [{"filter": {}}]}}),
        (["queues"], {"orders": {"visibility_timeout": 30}}),
    ],
)
def test_what_a_schema_can_see_is_refused(path, value):
    tree = copy.deepcopy(GOOD)
    node = tree
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    assert not VALIDATOR.is_valid(tree)


def test_defaults_are_told():
    properties = json_schema()["properties"]
    assert properties["seed"]["default"] == 0
    assert properties["warmup"]["default"] == "0s"
    assert "null" not in str(json_schema())
