"""The HTML report: legal, complete without colours, pictures or a network, and true."""

import functools
import itertools
import json
import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from nephoscope import Scenario
from nephoscope.cli import TRACES_OF_REPORTS, main
from nephoscope.errors import ExtraError
from nephoscope.report.html import series, svg
from nephoscope.report.html.distribution import tail_picture, tails
from nephoscope.report.html.events import events
from nephoscope.report.html.topology import topology
from nephoscope.report.html.topology_picture import topology_picture
from nephoscope.report.html.troubles import troubles
from nephoscope.report.html.words import answers, money, time_text
from report.pages import Page

pytest.importorskip("jinja2", reason="the extra `report` is not installed")

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = sorted(EXAMPLES.glob("*.yaml"))
ON_ALL = pytest.mark.parametrize("name", [file.stem for file in FILES])
SIZE_MAX = 6_000_000


@functools.cache
def result_of(name):
    scenario = Scenario.load(EXAMPLES / f"{name}.yaml")
    # The report of a short run has the same elements.
    short = {"duration": "2m", "warmup": "30s"} if name == "ten-million" else {}
    return scenario.replace(short).run()


@functools.cache
def text_of(name):
    return result_of(name).to_html()


@functools.cache
def page_of(name):
    return Page(text_of(name))


def small(**more):
    return Scenario(
        duration="20s",
        fleets={"web": {"service": "page"}},
        services={"page": {"steps": [{"compute": "1ms"}]}},
        traffic={"users": {"to": "web", "rate": "50/s"}},
        **more,
    )


@ON_ALL
def test_every_element_is_closed_and_every_id_is_there_once(name):
    page = page_of(name)
    assert page.broken == []
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    pointed = [value.removeprefix("#") for value in page.values("href") if value.startswith("#")]
    for attribute in ("aria-labelledby", "aria-describedby"):
        pointed += [word for value in page.values(attribute) for word in value.split()]
    pointed += re.findall(r"url\(#([^)]+)\)", text_of(name))
    assert set(pointed) <= set(ids)
    assert len(pointed) > 10


@ON_ALL
def test_headings_go_down_one_by_one(name):
    page = page_of(name)
    levels = [int(it.name[1]) for it in page.named("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


@ON_ALL
def test_pictures_have_words_and_tables_have_heads(name):
    page = page_of(name)
    for figure in page.named("figure"):
        assert "aria-labelledby" in figure.attributes
    pictures = [it for it in page.named("svg") if "picture" in (it.attributes.get("class") or "")]
    assert len(pictures) >= 4
    for picture in pictures:
        assert picture.attributes["role"] == "img"
        assert len(picture.attributes["aria-label"]) > 10
    assert len(page.named("table")) == len(page.named("caption"))
    assert {it.attributes.get("scope") for it in page.named("th")} == {"col", "row"}
    # For every panel of the time axis there is a table.
    panels = page.values("data-panel")
    assert {f"table-{key}" for key in panels} <= set(page.values("id"))
    assert "rate" in panels


@ON_ALL
def test_it_needs_nothing_from_anywhere(name):
    text = text_of(name)
    assert len(text.encode()) < SIZE_MAX
    assert "://" not in text
    assert not {"src", "srcset", "action", "xlink:href"} & {
        key for it in page_of(name).elements for key in it.attributes
    }
    links = page_of(name).values("href")
    assert all(link.startswith("#") or link == "data:," for link in links)


@ON_ALL
def test_the_answer_has_the_numbers_of_the_result(name):
    result, words = result_of(name), page_of(name).text
    for traffic, part in result["traffic"].items():
        assert f"{traffic}: {part['completed']:,} of {part['offered']:,} requests served" in words
    assert result.fingerprint in words
    assert f"{result.events:,}" in words


def test_the_same_run_gives_the_same_page():
    scenario = Scenario.load(EXAMPLES / "barista-break.yaml")
    assert scenario.run().to_html() == text_of("barista-break")
    assert scenario.run(rng=8).to_html() != text_of("barista-break")


def test_what_is_written_in_a_scenario_is_shown_and_not_obeyed(tmp_path):
    file = tmp_path / "<img src=x onerror=alert(1)>&amp;.csv"
    file.write_text("at\n1\n2\n3\n", encoding="utf-8")
    trace = {"trace": {"file": file.name, "column": "at"}}
    values = small().to_dict() | {"traffic": {"users": {"to": "web", "arrivals": trace}}}
    text = Scenario.from_dict(values, tmp_path).run().to_html()
    page = Page(text)
    assert page.named("img") == []
    assert file.name in page.text
    assert page.broken == []
    assert svg.title("</title><script>") == "<title>&lt;/title&gt;&lt;script&gt;</title>"
    assert svg.element("g", class_='"><b>') == '<g class="&quot;&gt;&lt;b&gt;"></g>'


def test_an_outage_is_told_marked_and_placed_on_the_axis():
    result, page = result_of("zone-outage"), page_of("zone-outage")
    failed = result["traffic.customers.failed"]
    assert f"{failed:,} failed" in page.text
    (fault,) = [it for it in events(result, result.source) if it.kind == "fault"]
    assert (fault.at_s, fault.until_s) == (720.0, 1320.0)
    marked = [value for value in page.values("class") if "troubled" in value]
    assert sorted(marked) == [
        "node fleets troubled",
        "node load_balancers troubled",
        "node traffic troubled",
    ]
    assert {"lost", "healthy"} <= set(page.values("data-panel"))


def test_a_quiet_run_has_nothing_to_complain_of():
    result = small().run()
    assert troubles(result.to_dict()) == []
    assert "no request was lost, no part was full" in result.to_html()


@pytest.mark.parametrize(
    ("duration", "balanced", "rate"),
    [
        ("30m", False, ", $0.192 an hour"),  # two m5.large by the second
        ("30m", True, ""),  # and a whole hour of the balancer
        ("1h", True, ", $0.215 an hour"),
        ("90m", True, ""),
        ("30s", False, ""),  # instances are billed for a minute at least
    ],
)
def test_the_bill_of_a_part_of_an_hour_is_not_stretched(duration, balanced, rate):
    values = small().to_dict() | {"duration": duration, "warmup": "0s"}
    values["fleets"] = {"web": {"count": 2, "service": "page", "instance_type": "m5.large"}}
    values["load_balancers"] = {"door": {"targets": ["web"]}}
    values["traffic"] = {"users": {"to": "door" if balanced else "web", "rate": "1/s"}}
    if not balanced:
        del values["load_balancers"]
    result = Scenario.from_dict(values).run()
    *_, bill = answers(result.to_dict())
    total = money(result["cost_usd.total"])
    assert bill == f"The bill of the run of {time_text(result.simulated_s)} is {total}{rate}."


def test_the_neighbour_who_takes_the_most_is_named_first():
    words = page_of("noisy-neighbour").text
    assert words.index("batch (tenant lab): an instance took") < words.index("web (tenant shop)")
    hosts = page_of("noisy-neighbour").values("class")
    assert hosts.count("stolen") == 1  # of four hosts, the one that the neighbour is on


def test_many_hosts_are_told_by_how_far_their_cells_are_filled():
    values = small(hosts={"hall": {"count": 120, "type": {"cores": 2, "memory": "4GiB"}}}).to_dict()
    machine = {"vcpus": 2, "memory": "1GiB"}
    fleet = {"service": "page", "hosts": "hall", "instance_type": machine, "count": 8}
    fleets = {f"f{i}": fleet for i in range(13)}
    balancer = {"targets": list(fleets), "routing": "round_robin"}
    values |= {"load_balancers": {"web": balancer}, "fleets": fleets}
    page = Page(Scenario.from_dict(values).run().to_html())
    assert page.values("class").count("h0") == page.values("class").count("h3") == 104
    assert "16 hosts were never used" in page.text
    assert "and 1 more, who took less" in page.text


def test_ways_through_queues_and_dead_letters():
    result = result_of("barista-break")
    ways = {
        (it.source, it.target, it.kind)
        for it in topology(result.source, result.to_dict(), []).edges
    }
    assert ways == {
        ("traffic.customers", "load_balancers.front-door", "requests"),
        ("load_balancers.front-door", "fleets.cashiers", "requests"),
        ("fleets.cashiers", "queues.order-board", "messages"),
        ("queues.order-board", "fleets.baristas", "messages"),
        ("queues.order-board", "queues.lost-orders", "dead letters"),
    }


def test_an_arrow_past_a_column_runs_under_all_boxes():
    result = result_of("noisy-neighbour")
    picture = topology_picture(topology(result.source, result.to_dict(), []))
    boxes = re.findall(r'<rect x="[\d.]+" y="([\d.]+)" width="196" height="76"', picture)
    assert len(boxes) == 6
    lowest = max(float(y) + 76 for y in boxes)
    # Of the tenant's fleet, which no balancer stands before, to the hosts.
    (under,) = re.findall(r"L[\d.]+ ([\d.]+) C", picture)
    assert float(under) > lowest


def test_a_service_that_calls_itself_now_and_then_is_drawn():
    again = {"choose": [{"weight": 9, "steps": [{"sleep": "1ms"}]}]}
    again["choose"].append({"weight": 1, "steps": [{"call": "web"}]})
    values = small().to_dict() | {"services": {"page": {"steps": [{"compute": "1ms"}, again]}}}
    result = Scenario.from_dict(values).run()
    picture = topology_picture(topology(result.source, result.to_dict(), []))
    assert picture.count('class="edge requests"') == 2


def test_panels_are_thinned_and_lose_no_request_and_no_peak():
    result = small(series="10ms").run()
    ends, offered = result.series("traffic.users.offered")
    _, in_flight = result.series("traffic.users.in_flight")
    assert len(ends) == 2000
    found = {panel.key: panel for panel in series.panels(result)}
    rate = found["rate"]
    assert len(rate.ends_s) == 500
    assert rate.ends_s[-1] == ends[-1] == 20.0
    # Every value is of 40 ms.
    assert rate.lines[0].values.sum() * 0.04 == pytest.approx(offered.sum())
    assert found["in-flight"].lines[0].values.max() == in_flight.max()
    assert len(rate.table.rows) <= series.TABLE_ROWS_MAX
    assert "lost" not in found


def test_the_script_has_the_values_that_are_drawn():
    text = text_of("zone-outage")
    (source,) = re.findall(r'<script type="application/json" id="time-data">(.*?)</script>', text)
    data = json.loads(source)
    ends, healthy = result_of("zone-outage").series("load_balancers.front-door.healthy")
    assert data["ends_s"] == ends.tolist()
    assert data["panels"]["healthy"] == [healthy.tolist()]
    assert data["span_s"] == 1800


def test_a_run_without_series_or_without_answers():
    page = Page(small(series="1m").replace({"traffic.users.rate": "1/w"}).run().to_html())
    assert "users: no request was made in the measured window." in page.text
    assert "time" not in page.values("id")
    assert page.broken == []


def test_the_tail_of_constant_work_is_a_line_down():
    scenario = small().replace({"traffic.users.arrivals": "constant"})
    (tail,) = tails(scenario.run(), list(scenario.traffic))
    assert tail.points[0] == pytest.approx((0.001, 1.0))
    assert tail.points[-1] == pytest.approx((0.001, 1 / tail.requests))
    (points,) = re.findall(r'<polyline points="([^"]*)"', tail_picture([tail]))
    places = [tuple(map(float, point.split(","))) for point in points.split()]
    assert places[0][0] == pytest.approx(places[-1][0], abs=5.0)
    assert places[-1][1] - places[0][1] > 100.0


def test_the_tail_has_the_quantiles_of_the_result():
    result = result_of("zone-outage")
    (tail,) = tails(result, ["customers"])
    assert [share for _, share in tail.points] == sorted((y for _, y in tail.points), reverse=True)
    for quantile, share in (("p50", 0.5), ("p99", 0.01), ("p999", 0.001)):
        before = max(x for x, y in tail.points if y >= share)
        after = min(x for x, y in tail.points if y <= share)
        latency = result[f"traffic.customers.latency_s.{quantile}"]
        # Within a bucket of the histogram, and the points are not far from each other.
        assert before * 0.996 <= latency <= after * 1.004
        assert after < 1.15 * before


def test_ticks_are_round_and_inside():
    assert svg.ticks(12.6) == [0.0, 5.0, 10.0]
    assert svg.ticks(2.1) == [0.0, 1.0, 2.0]
    assert svg.ticks(0.0) == [0.0]
    assert svg.decades(0.002, 3.0) == [0.01, 0.1, 1.0]


def test_the_command_writes_the_page(tmp_path):
    file = tmp_path / "report.html"
    arguments = ["run", str(EXAMPLES / "barista-break.yaml"), "--quiet", "--report"]
    outcome = CliRunner().invoke(main, [*arguments, str(file)])
    assert (outcome.exit_code, outcome.output) == (0, "")
    followed = Scenario.load(EXAMPLES / "barista-break.yaml").replace({"traces": TRACES_OF_REPORTS})
    text = followed.run().to_html()
    assert file.read_text(encoding="utf-8") == text
    assert CliRunner().invoke(main, [*arguments, "-"]).stdout == text


def test_without_the_extra_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    words = "jinja2 is needed for this and not installed: pip install 'nephoscope[report]'"
    with pytest.raises(ExtraError, match=re.escape(words)):
        result_of("zone-outage").to_html()
    file = tmp_path / "report.html"
    arguments = ["run", str(EXAMPLES / "one-counter.yaml"), "--report", str(file)]
    outcome = CliRunner().invoke(main, arguments)
    assert outcome.exit_code == 2
    assert words in outcome.stderr
    assert not file.exists()
    # Before the run, so nothing was simulated in vain.
    assert outcome.stdout == ""
