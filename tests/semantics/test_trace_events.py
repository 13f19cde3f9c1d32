"""Events out of the columns of a trace. One test a rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from nephoscope.experiment.journal import scenario_hash
from nephoscope.report.description import describe
from semantics.lab import fleet, run, scenario, work

Tree = dict[str, Any]

ROWS = 'at,kind,price,whole\n1,cake,5,\n2,tea,2.50,words\n3,cake,12,"{""kind"": ""bun""}"\n'
BY_NAME: Tree = {"kind": "kind", "detail": {"price": "price"}}


def source(lab, rows: str = ROWS, to: str = "bell", shift: str = "0s", **says: Any) -> Tree:
    """Traffic with a request a row, which says this."""
    path = lab.column([0])
    path.write_text(rows, encoding="utf-8")
    trace = {"file": str(path), "column": "at", "shift": shift} | says
    return {"to": to, "arrivals": {"trace": trace}}


def ringing(traffic: Tree, **patterns: Tree) -> Tree:
    rules = {name: {"pattern": it, "targets": ["a"]} for name, it in patterns.items()}
    return scenario(traffic, buses={"bell": {"rules": rules}}, queues={"a": {}})


def matched(tree: Tree) -> dict[str, int]:
    bus = run(tree)["buses"]["bell"]
    return {name: rule["matched"] for name, rule in bus["rules"].items()}


def test_each_row_says_what_its_cells_hold(lab):
    """Numbers are numbers: 2.50 is 2.5, and below 6 with 5."""
    cheap = {"detail": {"price": [{"numeric": ["<", 6]}]}}
    dear_cake = {"kind": ["cake"], "detail": {"price": [12]}}
    tree = ringing(
        source(lab, event=BY_NAME), cakes={"kind": ["cake"]}, cheap=cheap, dear=dear_cake,
        same={"detail": {"price": [2.5]}}, text={"detail": {"price": ["5"]}},
    )  # fmt: skip
    assert matched(tree) == {"cakes": 2, "cheap": 2, "dear": 1, "same": 1, "text": 0}


def test_a_column_of_whole_events(lab):
    """Nothing, words that are no object of JSON, and an object."""
    tree = ringing(source(lab, event="whole"), buns={"kind": ["bun"]})
    assert matched(tree) == {"buns": 1}
    assert run(tree)["buses"]["bell"]["put"] == 3


def test_an_empty_cell_leaves_its_name_out(lab):
    rows = 'at,kind\n1,cake\n2,""\n'
    tree = ringing(source(lab, rows, event={"kind": "kind", "at": "at"}), none={
        "kind": [{"exists": False}], "at": [2]})  # fmt: skip
    assert matched(tree) == {"none": 1}


def test_words_of_json_are_no_texts(lab):
    rows = "at,x\n1,true\n2,null\n3,True\n"
    tree = ringing(source(lab, rows, event={"x": "x"}), yes={"x": [True]}, no={"x": [None]},
                   text={"x": ["True"]})  # fmt: skip
    assert matched(tree) == {"yes": 1, "no": 1, "text": 1}


def test_attributes_are_looked_at_by_filters(lab):
    """Numbers are of type Number, all else is a String."""
    cheap = {"to": "b", "filter": {"price": [{"numeric": ["<=", 5]}]}}
    topics = {"news": {"subscriptions": [{"to": "a", "filter": {"kind": ["cake"]}}, cheap]}}
    traffic = source(lab, to="news", attributes={"kind": "kind", "price": "price"})
    tree = scenario(traffic, topics=topics, queues={"a": {}, "b": {}})
    told = run(tree)["topics"]["news"]["subscriptions"]
    assert [told[i]["delivered"] for i in "01"] == [2, 2]


def test_what_follows_says_it_too(lab):
    """A step that puts says what its request does, and a request that is tried again the same."""
    services = {"work": work({"compute": "1ms"}, {"put": "bell"}, {"fail": 1.0})}
    traffic = source(lab, to="web", event=BY_NAME) | {"retry": 2}
    rules = {"cakes": {"pattern": {"kind": ["cake"]}, "targets": ["a"]}}
    tree = scenario(
        traffic, services["work"], fleets={"web": fleet()}, buses={"bell": {"rules": rules}},
        queues={"a": {}},
    )  # fmt: skip
    assert matched(tree) == {"cakes": 4}


def test_rows_before_the_start_are_left_out(lab):
    """Two seconds earlier, the first row is before the run: a tea at 0 s and a cake at 1 s."""
    tree = ringing(source(lab, shift="-2s", event=BY_NAME), cakes={"kind": ["cake"]})
    assert (run(tree)["buses"]["bell"]["put"], matched(tree)) == (2, {"cakes": 1})


def test_it_is_described_and_told_from_others(lab):
    traffic = source(lab, event=BY_NAME)
    tree = ringing(traffic, cakes={"kind": ["cake"]})
    first = nph.Scenario.model_validate(tree)
    assert "saying what its trace does" in "\n".join(describe(first))
    before = scenario_hash(first, 1)
    path = Path(traffic["arrivals"]["trace"]["file"])
    path.write_text(ROWS.replace("tea", "pie"), encoding="utf-8")
    assert scenario_hash(nph.Scenario.model_validate(tree), 1) != before


@pytest.mark.parametrize(
    ("says", "path", "words"),
    [
        ({"event": "kindd"}, ".arrivals.trace.file", "did you mean kind?"),
        ({"event": {"a": {"b": "prize"}}}, ".arrivals.trace.file", "did you mean price?"),
        ({"attributes": {"a": "kindd"}}, ".arrivals.trace.file", "did you mean kind?"),
        ({"event": {}}, ".arrivals.trace.event", "is no column"),
        ({"event": {"a": 5}}, ".arrivals.trace.event", "is no column"),
        ({"event": 5}, ".arrivals.trace.event", "is no column"),
    ],
)
def test_mistakes_are_told_with_their_place(lab, says, path, words):
    with pytest.raises(ScenarioError) as caught:
        nph.Scenario.model_validate(ringing(source(lab, **says), all={"a": [1]}))
    found = [it for it in caught.value.problems if it.path == f"traffic.customers{path}"]
    assert [words in it.render() for it in found][:1] == [True], caught.value.problems


def test_a_trace_says_it_or_the_traffic_does(lab):
    traffic = source(lab, event=BY_NAME) | {"event": {"kind": "pie"}}
    with pytest.raises(ScenarioError, match="event and attributes are those of the trace"):
        nph.Scenario.model_validate(ringing(traffic, all={"a": [1]}))


def test_a_row_of_counts_says_nothing(lab):
    rows = "at,n,kind\n0,5,cake\n1,5,tea\n"
    traffic = source(lab, rows, event={"kind": "kind"})
    trace = traffic["arrivals"]["trace"]
    del trace["column"]
    trace |= {"time_column": "at", "count_column": "n"}
    with pytest.raises(ScenarioError, match="a row of counts says nothing"):
        nph.Scenario.model_validate(ringing(traffic, all={"a": [1]}))
