"""The HTML report of replications: numbers of all with their intervals, the course of the first."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import nephoscope as nph
from nephoscope.cli import main
from nephoscope.experiment import Interval
from nephoscope.report.comparison import estimate_text, figure
from nephoscope.report.html.strips import DOTS_MAX, Strip, strip_picture
from nephoscope.report.terminal import seconds
from report.pages import Page

pytest.importorskip("jinja2", reason="the extra `report` is not installed")

EXAMPLES = Path(__file__).parents[2] / "examples"
P99 = "traffic.customers.latency_s.p99"


def scenario(name: str, **changes: object) -> nph.Scenario:
    return nph.Scenario.load(EXAMPLES / f"{name}.yaml").replace(changes)


def test_every_number_is_there_with_its_interval():
    runs = nph.replicate(scenario("coffee-shop", duration="1h"), 4, rng=3)
    text = runs.to_html()
    page = Page(text)
    assert page.broken == []
    assert "://" not in text
    cells = page.words["td"]
    for path in (P99, "traffic.customers.completed", "cost_usd.total"):
        assert estimate_text(path, runs[path]) in cells
    assert text.count("Of the first of 4 replications") >= 1
    assert any("Report of 4 replications" in words for words in page.words["p"])
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert set(page.values("aria-labelledby")) <= set(ids)
    anchors = {it.removeprefix("#") for it in page.values("href") if it.startswith("#")}
    assert "estimates" in anchors
    assert anchors <= set(ids)


def test_requests_of_all_replications_are_in_the_tables():
    runs = nph.replicate(scenario("coffee-shop", duration="1h"), 4, rng=3)
    mean = runs["traffic.customers.completed"].value
    assert mean == sum(it["traffic"]["customers"]["completed"] for it in runs.results) / 4
    cells = Page(runs.to_html()).words["td"]
    greatest = max(it["traffic"]["customers"]["latency_s"]["max"] for it in runs.results)
    assert seconds(greatest) in cells
    assert (f"{mean:,.0f}" if mean >= 100 or mean.is_integer() else f"{mean:,.1f}") in cells


@pytest.mark.parametrize("name", ["noisy-neighbour", "order-fan-out", "poison-message"])
def test_hosts_queues_and_topics_have_one_too(name):
    found = scenario(name)
    short = found.replace({"duration": "2m", "warmup": "0s"})
    page = Page(nph.replicate(short, 2, rng=1).to_html())
    assert page.broken == []


def test_the_command_writes_it_with_the_precision_that_was_reached(tmp_path):
    file = tmp_path / "runs.html"
    arguments = ["run", str(EXAMPLES / "coffee-shop.yaml"), "--set", "duration=1h", "--quiet"]
    arguments += ["--until-precision", "latency_s.mean=20%", "--report", str(file)]
    outcome = CliRunner().invoke(main, arguments)
    assert (outcome.exit_code, outcome.output) == (0, "")
    text = file.read_text(encoding="utf-8")
    assert "Precision of traffic.customers.latency_s.mean" in text
    assert "20 % wanted" in text


def test_each_replication_is_a_dot_of_every_key_figure():
    runs = nph.replicate(scenario("coffee-shop", duration="20m"), 5, rng=3)
    text = runs.to_html()
    page = Page(text)
    (latency,) = [it for it in page.values("aria-label") if it.startswith("Latency of customers")]
    values = [run.numbers[P99] for run in runs.runs]
    assert f"p99: 5 replications from {seconds(min(values))} to {seconds(max(values))}" in latency
    assert estimate_text(P99, runs[P99]) in latency
    picture = re.search(r'<svg[^>]*aria-label="Latency of customers.*?</svg>', text, re.S)[0]
    rows = latency.count("replications from")
    assert picture.count("<circle") == 5 * rows
    bars = picture.count('class="line c') + picture.count("<line")
    assert bars >= 3 * rows  # its interval and the two ends of it
    assert any(it.startswith("The bill") for it in page.values("aria-label"))
    # The dots in numbers.
    cells = page.words["td"]
    assert all(figure(P99, value) in cells for value in values)


def test_dots_have_the_places_of_their_values():
    values = [1.0, 2.0, 2.0, 4.0]
    picture = strip_picture("it", [Strip("mean", "x.y", values, Interval.of(values))])
    dots = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', picture)
    places = [(float(x), float(y)) for x, y in dots]
    assert places[1][0] == places[2][0]
    assert places[2][1] < places[1][1] == places[0][1]  # on top of each other
    third = (places[1][0] - places[0][0]) / (places[3][0] - places[0][0])
    low, high = Interval.of(values).low, Interval.of(values).high
    assert low < 1.0
    assert high > 4.0
    assert third == pytest.approx(1 / 3, abs=0.01)


def test_of_very_many_replications_some_are_drawn_and_the_outermost_too():
    values = [float(i) for i in range(1000)]
    picture = strip_picture("it", [Strip("mean", "x.y", values, Interval.of(values))])
    dots = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', picture)]
    assert len(dots) == DOTS_MAX
    assert (min(dots), max(dots)) == (150.0, 560.0)


def test_one_value_is_in_the_middle_and_none_is_no_picture():
    picture = strip_picture("it", [Strip("mean", "x.y", [2.0], Interval.of([2.0]))])
    assert 'cx="355"' in picture
    assert strip_picture("it", []) == ""
