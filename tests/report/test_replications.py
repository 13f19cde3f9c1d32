"""The HTML report of replications: numbers of all with their intervals, the course of the first."""

from pathlib import Path

import pytest
from click.testing import CliRunner

import nephoscope as nph
from nephoscope.cli import main
from nephoscope.report.comparison import estimate_text
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
