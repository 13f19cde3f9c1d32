"""Broken files are refused: in full, with path and line, and by ScenarioError alone."""

from pathlib import Path

import pytest

from nephoscope import Scenario
from nephoscope.errors import ScenarioError
from scenario.bad_cases import CASES
from scenario.bad_texts import BYTES, TEXTS
from scenario.breaking import DELETE, GOOD, broken
from scenario.mutations import mutated

EXAMPLES = Path(__file__).parents[2] / "examples"
MUTATIONS_PER_EXAMPLE = 60


def refusal(load, argument):
    with pytest.raises(ScenarioError) as caught:
        load(argument)
    assert caught.value.problems
    assert str(caught.value)
    for problem in caught.value.problems:
        assert problem.path or problem.line
        assert problem.message
    return caught.value.problems


def case_id(case):
    path, value, _, _ = case
    return f"{path}={'(deleted)' if value is DELETE else value!r:.40}"


def test_the_good_scenario_is_good():
    assert Scenario.from_text(broken("seed", 5)).seed == 5


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_every_rule_is_kept(case):
    path, value, expected, words = case
    problems = refusal(Scenario.from_text, broken(path, value))
    where = expected or path
    found = [p for p in problems if p.path == where or p.path.startswith(f"{where}.")]
    assert found, [p.render() for p in problems]
    assert found[0].line is not None
    assert any(words in p.render() for p in found), [p.render() for p in found]


@pytest.mark.parametrize(("text", "line"), TEXTS)
def test_broken_texts_name_the_line(text, line):
    problems = refusal(Scenario.from_text, text)
    assert line in [p.line for p in problems], [p.render() for p in problems]


@pytest.mark.parametrize("content", BYTES, ids=lambda content: repr(content[:20]))
@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_any_bytes_are_refused_by_a_scenario_error(content, suffix, tmp_path):
    file = tmp_path / f"scenario{suffix}"
    file.write_bytes(content)
    refusal(Scenario.load, file)


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda p: p.stem)
def test_mutated_examples_are_refused(example):
    text = example.read_text(encoding="utf-8")
    for what, where, mutant in mutated(text, seed=example.stem, count=MUTATIONS_PER_EXAMPLE):
        problems = refusal(Scenario.from_text, mutant)
        if where is not None:
            paths = [p.path for p in problems]
            assert any(p == where or p.startswith(f"{where}.") for p in paths), (what, where, paths)


def test_there_are_enough_of_them():
    mutants = {
        mutant
        for example in EXAMPLES.glob("*.yaml")
        for _, _, mutant in mutated(
            example.read_text(encoding="utf-8"), seed=example.stem, count=MUTATIONS_PER_EXAMPLE
        )
    }
    by_hand = {broken(path, value) for path, value, _, _ in CASES}
    assert len(by_hand) >= 120
    assert len(mutants) >= 150
    assert len(by_hand | mutants | {text for text, _ in TEXTS}) >= 300


def test_what_is_named_for_dead_letters_may_be_no_queue_at_all():
    text = (EXAMPLES / "order-fan-out.yaml").read_text(encoding="utf-8")
    problems = refusal(Scenario.from_text, text.replace("points-later: {}", "points-later: [a]"))
    assert [p.path for p in problems] == ["queues.points-later"]


def test_all_mistakes_at_once():
    text = (EXAMPLES / "coffee-shop-by-call.yaml").read_text(encoding="utf-8")
    text = text.replace("duration: 1h", "duration: 1 hour").replace(
        "routing: least", "rooting: least"
    )
    text = text.replace("call: {to: bar", "call: {to: barr").replace("queues", "queue")
    problems = refusal(Scenario.from_text, text)
    assert [p.path for p in problems] == [
        "duration",
        "services.take-order.steps.1.call.to",
        "load_balancers.front-door.rooting",
    ]
    assert [p.suggestion for p in problems] == ["1 h", "bar", "routing"]
    assert [p.line for p in problems] == sorted(p.line for p in problems)


AT_ONCE = {
    "nephoscope": 1,
    "duration": "1m",
    "services": {"page": {"steps": [{"compute": "1s"}]}},
    "hosts": {"hall": {"type": {"cores": 4}, "count": 2}, "attic": {"type": {}, "zone": "b"}},
    "fleets": {"web": {"service": "page"}, "other": {"service": "page", "tenant": "lab"}},
    "traffic": {"users": {"to": "web", "arrivals": {"closed": {"users": 9, "think": "0s"}}}},
}
HALL = {"service": "page", "hosts": "hall"}
SPOT = {"purchase": "spot"}


def at_once(fleet, keys):
    """Users who think for no time ask a fleet with these keys."""
    fleets = AT_ONCE["fleets"] | keys.get("fleets", {}) | {"web": {"service": "page"} | fleet}
    return AT_ONCE | keys | {"fleets": fleets}


@pytest.mark.parametrize(
    ("fleet", "keys"),
    [
        ({"initially": "pending"}, {}),
        ({"hosts": "hall"}, {"fleets": {"other": HALL | {"count": 8}}}),
        (
            {"hosts": "hall", "instance_type": {"vcpus": 4}},
            {"fleets": {"other": HALL | {"count": 2}}},
        ),
        ({"hosts": "hall"}, {"fleets": {"other": HALL | {"tenancy": "dedicated"}}}),
        ({"hosts": "hall"}, {"fleets": {"other": HALL | {"reservation": 1}}}),
        ({"hosts": "hall", "instance_type": {"vcpus": 5}}, {}),
        ({"hosts": "hall", "instance_type": {"memory": "2TiB"}}, {}),
        ({"hosts": "hall", "instance_type": {"gpu": 1}}, {}),
        ({"hosts": "hall", "tenancy": "dedicated"}, {}),
        ({"hosts": "hall", "placement": {"group": "apart", "strategy": "spread"}}, {}),
        ({"purchase": {"spot": {"interruption": "1h"}}}, {}),
        (
            {"purchase": {"spot": {"prices": [["0s", 0.1]]}}, "instance_type": "m5.large"},
            {},
        ),
        ({}, {"accounts": {"main": {"vcpus": 4}}}),
        (SPOT, {"accounts": {"main": {"spot_vcpus": 4}}}),
        ({"instance_type": "g4dn.xlarge"}, {"accounts": {"main": {"vcpus": {"g": 8}}}}),
        ({}, {"actions": [{"at": "1s", "stop": "web"}]}),
        ({}, {"faults": [{"at": "1s", "kill": "web"}]}),
        ({}, {"faults": [{"at": "1s", "fail": {"fleet": "web", "count": 1}, "for": "9s"}]}),
        ({}, {"faults": [{"every": {"exponential": "9s"}, "fail": "web", "for": "1s"}]}),
        ({"hosts": "hall"}, {"faults": [{"at": "1s", "kill": {"host": "hall"}}]}),
        ({"hosts": "hall"}, {"faults": [{"at": "1s", "kill": {"rack": "hall"}}]}),
        ({"hosts": "hall"}, {"faults": [{"at": "1s", "fail": {"zone": "a"}}]}),
    ],
)
def test_users_without_time_to_think_need_an_instance_at_any_time(fleet, keys):
    found = {p.path: p.message for p in refusal(Scenario.model_validate, at_once(fleet, keys))}
    assert "can reject a user" in found["traffic.users.arrivals.closed.think"]


@pytest.mark.parametrize(
    ("fleet", "keys"),
    [
        ({}, {}),
        (SPOT, {}),
        ({"hosts": "hall", "count": 9}, {}),
        ({"hosts": "hall"}, {"fleets": {"other": HALL | {"count": 7}}}),
        ({"hosts": "hall", "instance_type": {"vcpus": 4}}, {"fleets": {"other": HALL}}),
        ({"hosts": "hall"}, {"faults": [{"at": "1s", "kill": {"host": "attic"}}]}),
        (SPOT, {"accounts": {"main": {"vcpus": 4}}}),
        ({}, {"accounts": {"main": {"spot_vcpus": 4, "api": {}}}}),
        ({}, {"accounts": {"lab": {"vcpus": 4}}}),
        ({}, {"actions": [{"at": "1s", "stop": "other"}]}),
        ({}, {"faults": [{"at": "1s", "kill": "other"}]}),
        ({}, {"faults": [{"at": "1s", "kill": {"host": "hall"}}]}),
    ],
)
def test_what_strikes_others_leaves_them_an_instance(fleet, keys):
    assert Scenario.model_validate(at_once(fleet, keys)).traffic["users"].to == "web"


def test_python_input_is_refused_with_its_path():
    for value in (None, 5, [], "x", {"duration": object()}):
        with pytest.raises(ScenarioError):
            Scenario.model_validate(value)
    with pytest.raises(ScenarioError) as caught:
        Scenario(**{**GOOD, "fleets": {"web": {"count": 2}}})
    assert "fleets.web.service" in [p.path for p in caught.value.problems]
    assert caught.value.problems[0].line is None
    loop = dict(GOOD)
    loop["fleets"] = loop
    with pytest.raises(ScenarioError):
        Scenario(**loop)
