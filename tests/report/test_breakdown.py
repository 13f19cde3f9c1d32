"""What latencies are made of, on the page, on the terminal and from the command."""

import json
import re

import pytest
from click.testing import CliRunner

from nephoscope import Scenario
from nephoscope.cli import TRACES_OF_REPORTS, main
from nephoscope.report.breakdown_words import tail_words
from nephoscope.results.breakdown import QUANTILES
from report.pages import Page

pytest.importorskip("jinja2", reason="the extra `report` is not installed")

# A page calls another service and is refused there now and then.
SHOP = """\
nephoscope: 1
name: shop
duration: 60s
fleets:
  web: {service: page, count: 2}
  db: {service: look-up}
services:
  page:
    discipline: ps
    steps: [{compute: 5ms}, {call: {to: db, retry: {attempts: 3, backoff: {fixed: 10ms}}}}]
  look-up: {discipline: fifo, concurrency: 1, backlog: 2, steps: [{compute: {exponential: 8ms}}]}
load_balancers: {door: {targets: [web]}}
traffic: {users: {to: door, rate: 80/s}, robots: {to: web, rate: 1/s}}
"""


@pytest.fixture(scope="module")
def result():
    return Scenario.from_text(SHOP).replace({"traces": 20_000}).run()


def test_bars_add_up_to_their_width_and_their_labels_to_all(result):
    page = Page(result.to_html())
    pieces = [
        it.attributes for it in page.named("rect") if "piece" in it.attributes.get("class", "")
    ]
    wide = {}
    for piece in pieces:
        if "y" in piece and float(piece.get("height", 0)) > 12:
            wide.setdefault(piece["y"], []).append(float(piece["width"]))
    told = result["traffic.users.breakdown"]
    bars = 1 + sum(key in told for key in QUANTILES)
    assert len(wide) == bars
    for widths in wide.values():
        whole = round(sum(widths) / 612.0)  # the other traffic has fewer quantiles
        assert 1 <= whole <= 2
        assert sum(widths) == pytest.approx(whole * 612.0, abs=8.0)


def test_the_table_has_every_part_and_the_whole(result):
    page = Page(result.to_html())
    for words in (
        "waiting for a worker of db",
        "computing at db",
        "computing at web",
        "sharing the vCPUs of web",
        "attempts in vain and the waits between",
        "together",
        "What the latency of users is made of",
    ):
        assert words in page.text, words
    assert not re.search(r"steal on|disks of|network of", page.text)


def test_one_line_of_it_is_on_the_terminal(result):
    (line,) = tail_words("users", result["traffic.users.breakdown"])
    assert line.startswith("p99 of users: ")
    shares = [int(it) for it in re.findall(r"(\d+) %", line)]
    assert shares == sorted(shares, reverse=True)
    assert len(shares) == 3
    assert line.endswith(", ..") == (sum(shares) < 98)
    assert list(tail_words("users", {})) == []


def test_a_run_with_a_report_follows_requests(tmp_path):
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP)
    page, numbers = tmp_path / "shop.html", tmp_path / "shop.json"

    def run(*more):
        done = CliRunner().invoke(main, ["run", str(file), "--json", str(numbers), *more])
        assert done.exit_code == 0, done.output
        return json.loads(numbers.read_text()), done.output

    told, words = run("--report", str(page))
    assert 0 < told["traffic"]["users"]["breakdown"]["requests"] <= TRACES_OF_REPORTS
    assert "p99 of users: " in words
    assert "What latency is made of" in page.read_text()
    plain, words = run()
    assert "breakdown" not in plain["traffic"]["users"]
    assert "p99 of users: " not in words
    assert plain["fingerprint"] == told["fingerprint"]
    few, _ = run("--report", str(page), "--set", "traces=50")
    assert few["traffic"]["users"]["breakdown"]["requests"] <= 50


def test_a_page_without_followed_requests_has_no_such_section():
    page = Page(Scenario.from_text(SHOP).replace({"duration": "1s"}).run().to_html())
    assert "What latency is made of" not in page.text
