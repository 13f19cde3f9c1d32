"""The HTML report of a comparison: verdicts in words, intervals, and the same rules of pages."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from nephoscope import Scenario, compare
from nephoscope.cli import main
from nephoscope.experiment import Interval
from nephoscope.report.comparison import estimate_text
from nephoscope.report.html.intervals import Estimate, interval_picture
from report.pages import Page

pytest.importorskip("jinja2", reason="the extra `report` is not installed")

FILE = Path(__file__).parents[2] / "examples" / "unequal-servers.yaml"
ROUTING = "load_balancers.entrance.routing"
P99 = "traffic.visitors.latency_s.p99"
SHORT = Scenario.load(FILE).replace({"duration": "2m", "warmup": "20s"})
FOUND = compare(SHORT, {ROUTING: ["round_robin", "least_connections"]}, 4, metrics=[P99])


def test_the_answer_has_the_verdict():
    page = Page(FOUND.to_html())
    difference = FOUND[P99, "least_connections"]
    assert difference.verdict == "lower"
    words = f"least_connections: {P99} is lower than with round_robin: -"
    assert words in page.text
    assert f"({100 * difference.relative:+.3g} %)" in page.text
    for runs in FOUND.runs.values():
        assert runs.fingerprint in page.text


def test_what_cannot_be_told_apart_is_said_so():
    same = {"name": ["one", "two"]}
    found = compare(SHORT, same, 2, metrics=[P99, "traffic.visitors.offered"])
    text = found.to_html()
    assert all(it.verdict in {"not distinguishable", "undefined"} for it in found.differences)
    assert "Nothing can be told of" in text


def test_it_is_a_page_like_the_others():
    text = FOUND.to_html()
    page = Page(text)
    assert page.broken == []
    assert "://" not in text
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    pointed = [word for value in page.values("aria-labelledby") for word in value.split()]
    pointed += [value.removeprefix("#") for value in page.values("href") if value.startswith("#")]
    assert set(pointed) <= set(ids)
    levels = [int(it.name[1]) for it in page.named("h1", "h2", "h3")]
    assert levels[:2] == [1, 2]
    assert {it.attributes.get("scope") for it in page.named("th")} == {"col", "row"}
    # The interval of the metric, and the latencies of the one traffic.
    assert len(re.findall(r'class="picture chart"', text)) == 2
    assert text == FOUND.to_html()


def test_intervals_are_drawn_where_they_are():
    two = [Estimate("a", interval(1.0, 2.0)), Estimate("b", interval(2.0, 3.0))]
    picture = interval_picture("fleets.web.requests", [*two, Estimate("c", None)])
    # Whiskers: the end of one is the beginning of the other.
    bars = re.findall(
        r'<line x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="\2" class="line', picture
    )
    (a_low, _, a_high), (b_low, _, b_high) = bars
    assert a_high == b_low
    assert float(b_high) - float(b_low) == pytest.approx(float(a_high) - float(a_low), abs=0.02)
    assert "c: undefined" in picture
    assert interval_picture("x", [Estimate("a", None)]) == ""
    # One value, exactly: there is no width, and still a place.
    assert 'class="dot' in interval_picture("x", [Estimate("a", interval(0.0, 0.0))])


def interval(low, high):
    return Interval(value=(low + high) / 2, low=low, high=high, std=1.0, n=4, mean=1.0)


def test_the_command_writes_it(tmp_path):
    file = tmp_path / "comparison.html"
    arguments = ["compare", str(FILE), "--vary", f"{ROUTING}=round_robin,least_connections"]
    arguments += ["--set", "duration=2m", "--set", "warmup=20s", "--replications", "4"]
    arguments += ["--metric", P99, "--quiet", "--report", str(file)]
    outcome = CliRunner().invoke(main, arguments)
    assert (outcome.exit_code, outcome.output) == (0, "")
    assert Page(file.read_text(encoding="utf-8")).words["h1"] == ["unequal-servers"]
    assert file.read_text(encoding="utf-8") == FOUND.to_html()


def test_a_comparison_prints_what_the_command_prints():
    vary = ("--vary", f"{ROUTING}=round_robin,least_connections", "--metric", P99)
    short = ("--set", "duration=2m", "--set", "warmup=20s", "--replications", "4")
    printed = CliRunner().invoke(main, ["compare", str(FILE), *vary, *short]).stdout
    assert str(FOUND) == "\n".join(it.rstrip() for it in printed.splitlines())
    assert "least_connections" in str(FOUND)
    assert repr(FOUND).startswith("Comparison([")
    (difference,) = FOUND.differences
    assert f"against 'round_robin': {difference.verdict}, interval=Interval(" in repr(difference)


def test_what_rounding_leaves_is_nothing():
    same = Interval(0.36, 0.36 - 9.7e-17, 0.36 + 9.7e-17, 1e-16, 10, 0.36)
    assert estimate_text("cost_usd.total", same) == "$0.36 ± $0"
    none = Interval(5e-17, -9.7e-17, 9.7e-17, 1e-16, 10, 0.0)
    assert estimate_text("cost_usd.total", none, 0.36) == "$0 ± $0"
    little = Interval(5e-9, 4e-9, 6e-9, 1e-9, 10, 5e-9)
    assert estimate_text("cost_usd.total", little, 0.36) == "$5e-09 ± $1e-09"
