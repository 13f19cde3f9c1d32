"""The HTML report of a search: the value, and every value that was tried."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from nephoscope import Scenario, size
from nephoscope.cli import main
from report.pages import Page

pytest.importorskip("jinja2", reason="the extra `report` is not installed")

FILE = Path(__file__).parents[2] / "examples" / "one-counter.yaml"
P50 = "traffic.customers.latency_s.p50"
COUNT = "fleets.counters.count"
SHORT = Scenario.load(FILE).replace({"duration": "2h"})
UNTIL = f"{P50} < 1h"
FOUND = size(SHORT, COUNT, UNTIL, between=(1, 2), replications=4)


def test_the_answer_and_all_trials_are_there():
    text = FOUND.to_html(SHORT)
    page = Page(text)
    assert page.broken == []
    assert "://" not in text
    words = f"{COUNT} = {FOUND.value} is the least with {FOUND.condition}"
    assert words in page.text
    assert len(page.named("table")) == 1
    heads = [it for it in page.named("th") if it.attributes["scope"] == "row"]
    assert len(heads) == len(FOUND.trials)
    assert text.count('class="dot') == len(FOUND.trials)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    pointed = [value.removeprefix("#") for value in page.values("href") if value.startswith("#")]
    assert {*pointed, *page.values("aria-labelledby")} <= set(ids)
    assert "scenario" in ids
    assert "scenario" not in Page(FOUND.to_html()).values("id")


def test_the_command_writes_it(tmp_path):
    file = tmp_path / "size.html"
    arguments = ["size", str(FILE), "--vary", COUNT, "--until", UNTIL, "--between", "1,2"]
    arguments += ["--replications", "4", "--set", "duration=2h", "--quiet", "--report", str(file)]
    outcome = CliRunner().invoke(main, arguments)
    assert (outcome.exit_code, outcome.output) == (0, "")
    assert file.read_text(encoding="utf-8") == FOUND.to_html(SHORT)
