"""The HTML report of a sweep: the ends of each metric, and a row for each cell."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from nephoscope import Scenario, sweep
from nephoscope.cli import main
from report.pages import Page

pytest.importorskip("jinja2", reason="the extra `report` is not installed")

FILE = Path(__file__).parents[2] / "examples" / "coffee-shop-by-call.yaml"
COUNT, RATE = "fleets.baristas.count", "traffic.customers.rate"
P50 = "traffic.customers.latency_s.p50"
SHORT = Scenario.load(FILE).replace({"duration": "10m"})
GRID = {COUNT: [6, 7], RATE: ["3/s", "4/s"]}
FOUND = sweep(SHORT, GRID, 2, metrics=[P50, "traffic.customers.retries"])


def test_the_ends_of_each_metric_and_all_cells_are_there():
    text = FOUND.to_html(SHORT)
    page = Page(text)
    assert page.broken == []
    assert "://" not in text
    low, high = (pick(FOUND.cells, key=lambda it: it.intervals[P50].value) for pick in (min, max))
    (answer,) = [words for words in page.words["li"] if words.startswith(P50)]
    assert answer.index(f"({low.label})") < answer.index(f"({high.label})")
    assert "traffic.customers.retries is 0 everywhere." in page.words["li"]
    heads = [it for it in page.named("th") if it.attributes["scope"] == "row"]
    assert len(heads) == 4
    assert text.count('class="dot') == 8
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert set(page.values("aria-labelledby")) <= set(ids)
    assert "scenario" in ids


def test_the_command_writes_it(tmp_path):
    file = tmp_path / "sweep.html"
    arguments = ["sweep", str(FILE), "--grid", f"{COUNT}=6,7", "--grid", f"{RATE}=3/s,4/s"]
    arguments += ["--set", "duration=10m", "--replications", "2", "--metric", P50, "--metric"]
    arguments += ["traffic.customers.retries", "--quiet", "--report", str(file)]
    outcome = CliRunner().invoke(main, arguments)
    assert (outcome.exit_code, outcome.output) == (0, "")
    assert file.read_text(encoding="utf-8") == FOUND.to_html(SHORT)
