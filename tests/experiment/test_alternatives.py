"""Alternatives of a scenario: in step or every combination, their names, and what is refused."""

from datetime import timedelta

import pytest

from nephoscope import Scenario, ScenarioError
from nephoscope.experiment.alternatives import crossed, in_step, json_of, text_of
from scenario.breaking import GOOD

SCENARIO = Scenario(**GOOD)
COUNT = "fleets.web.count"
ROUTING = "load_balancers.front.routing"
STEP = "services.page.steps.2"


def test_lists_go_in_step():
    first, second = in_step(SCENARIO, {COUNT: [5, 9], ROUTING: ["random", {"power_of_two": {}}]})
    assert (first.label, second.label) == (
        "count=5, routing=random",
        "count=9, routing={power_of_two: {}}",
    )
    assert second.scenario.fleets["web"].count == 9
    assert second.scenario.load_balancers["front"].routing.form == "power_of_two"
    assert second.values == {COUNT: 9, ROUTING: {"power_of_two": {}}}


def test_combinations_change_the_last_path_fastest():
    cells = crossed(SCENARIO, {COUNT: [5, 9], "duration": ["10m", "20m"]})
    assert [cell.label for cell in cells] == [
        "count=5, duration=10m",
        "count=5, duration=20m",
        "count=9, duration=10m",
        "count=9, duration=20m",
    ]
    assert len(crossed(SCENARIO, {COUNT: [5]})) == 1


def test_a_path_varied_alone_needs_no_name():
    assert [it.label for it in in_step(SCENARIO, {COUNT: [5, 9]})] == ["5", "9"]


def test_names_are_as_long_as_they_must_be():
    (first, _) = in_step(SCENARIO, {COUNT: [5, 9], "fleets.db.count": [1, 2]})
    assert first.label == "web.count=5, db.count=1"


def test_the_kind_of_an_edge_is_a_value_like_any_other():
    for step in ({"call": "db"}, {"sleep": "3ms"}, {"fail": 0.5}):
        for alternative in in_step(SCENARIO, {STEP: [SCENARIO.to_dict()["services"]["page"]
                                                      ["steps"][2], step]})[1:]:  # fmt: skip
            assert alternative.scenario.to_dict()["services"]["page"]["steps"][2] == step
            (kind,) = step
            assert alternative.scenario.services["page"].steps[2].form == kind


def test_none_takes_a_key_away():
    full, none = in_step(SCENARIO, {"services.page.backlog": [10, None]})
    assert full.scenario.services["page"].backlog == 10
    assert none.scenario.services["page"].backlog is None
    assert none.label == "none"


def test_values_are_told_as_files_have_them():
    values = [timedelta(minutes=10), "20m"]
    assert [it.label for it in in_step(SCENARIO, {"duration": values})] == ["600000000us", "20m"]
    assert text_of({"a": [1, True, None]}) == "{a: [1, true, none]}"


def test_json_has_no_infinite_numbers():
    assert json_of({"a": [1, float("inf"), (2.5, None)]}) == {"a": [1, "inf", [2.5, None]]}


@pytest.mark.parametrize(
    ("vary", "words"),
    [
        ({}, "nothing is varied"),
        ({COUNT: [5]}, "fleets.web.count: one value is no comparison"),
        ({COUNT: 5}, "fleets.web.count: 5 is not a list of values"),
        ({ROUTING: "random"}, "'random' is not a list of values"),
        ({COUNT: [5, 9], ROUTING: ["random"]}, "1 values beside 2 of fleets.web.count"),
        ({COUNT: [5, 5]}, "5 is given twice"),
        ({COUNT: [5, "x"]}, "fleets.web.count: 'x' is not a whole number"),
        ({"fleets.wep.count": [1, 2]}, "did you mean fleets.web.count"),
        ({"seed": [1, 2]}, "all alternatives have one seed"),
        ({"services.page.steps.9": [{"sleep": "1s"}, {"sleep": "2s"}]}, "no element 9"),
    ],
)
def test_refusals(vary, words):
    with pytest.raises(ScenarioError) as caught:
        in_step(SCENARIO, vary)
    assert words in str(caught.value)


def test_what_is_wrong_elsewhere_is_told_with_the_values():
    """The line of the file is right without them, so it says nothing alone."""
    with pytest.raises(ScenarioError) as caught:
        in_step(SCENARIO.replace({"warmup": "1m"}), {"duration": ["10m", "30s"], COUNT: [2, 3]})
    (problem,) = caught.value.problems
    assert problem.path == "warmup"
    assert problem.message.endswith(f", with duration=30s, {COUNT}=3")
    with pytest.raises(ScenarioError) as caught:
        in_step(SCENARIO, {COUNT: [2, -1]})
    assert "with" not in str(caught.value)


def test_combinations_of_nothing_are_refused():
    for grid, words in (({}, "nothing is varied"), ({COUNT: []}, "no values given")):
        with pytest.raises(ScenarioError, match=words):
            crossed(SCENARIO, grid)
