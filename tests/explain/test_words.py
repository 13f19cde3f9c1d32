"""`nephoscope explain`, and theory in the summary and the report of a run."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

import nephoscope as nph
from explain.small import closed, consumers, farm, station
from nephoscope.cli import main
from nephoscope.report.cautions import cautions
from nephoscope.report.html.plan import plan
from nephoscope.report.html.theory import theory_section
from nephoscope.report.mermaid import mermaid
from nephoscope.report.theory_words import summary_words

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = sorted(EXAMPLES.glob("*.yaml"))
SHOP = EXAMPLES / "coffee-shop.yaml"
SVG = "{http://www.w3.org/2000/svg}"


def call(*arguments):
    return CliRunner().invoke(main, [str(it) for it in arguments])


def loaded(tree):
    return nph.Scenario.from_dict({"nephoscope": 1, **tree})


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_example_is_explained(file):
    outcome = call("explain", file)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    words, _, rest = outcome.stdout.partition("```mermaid\n")
    # What it begins with is what `check` says, but for its warnings.
    checked = [it for it in call("check", file).stdout.splitlines() if not it.startswith("  ! ")]
    assert words.rstrip("\n").splitlines() == checked
    chart, _, said = rest.partition("```\n")
    assert chart.startswith("flowchart LR\n")
    scenario = nph.Scenario.load(file)
    theory = said.partition("theory: ")[2]
    for name in scenario.fleets:
        assert f"  {name}: " in said.partition("theory: ")[0]
        assert f"  {name}: " in theory
    for name in scenario.queues:
        assert f"  {name}: " in said


def test_the_chart_has_every_part_and_every_way():
    scenario = nph.Scenario.load(SHOP)
    lines = list(mermaid(plan(scenario, nph.explain(scenario))))
    assert lines[0] == "flowchart LR"
    assert '  n0(["traffic customers<br>20/s"])' in lines
    assert '  n1{{"load balancer front-door<br>20/s, least connections"}}' in lines
    assert '  n7["fleet baristas<br>12 instances, busy 75.4 %"]' in lines
    assert "  n0 --> n1" in lines
    assert "  n5 -.-> n2" in lines
    assert "  n2 -. dead letters .-> n3" in lines
    assert "  n5 -. runs on .- n8" in lines
    shapes = [line for line in lines if re.match(r"  n\d+[^ ]", line)]
    assert len(shapes) == 9
    assert len(lines) == 1 + 9 + 8


def test_trouble_is_in_the_chart():
    tree = consumers(120.0)
    text = "\n".join(mermaid(plan(loaded(tree), nph.explain(loaded(tree)))))
    assert "takes in more than its consumers can" in text
    assert "more than it can work on" in text
    busy = station(20.0)
    text = "\n".join(mermaid(plan(loaded(busy), nph.explain(loaded(busy)))))
    assert "more than" not in text


def test_the_picture_is_a_file_of_its_own(tmp_path):
    file = tmp_path / "shop.svg"
    outcome = call("explain", SHOP, "--svg", file)
    assert outcome.exit_code == 0
    assert "mermaid" not in outcome.stdout
    assert "theory: " in outcome.stdout
    root = ET.parse(file).getroot()
    assert root.tag == f"{SVG}svg"
    assert float(root.attrib["width"]) > 500
    assert len(root.findall(f".//{SVG}g[@class='node fleets']")) == 3
    assert len(root.findall(f".//{SVG}path[@marker-end]")) == 8
    assert "--ground" in root.find(f"{SVG}style").text
    only = call("explain", SHOP, "--svg", "-")
    assert only.stdout == file.read_text(encoding="utf-8")


def test_what_cannot_be_drawn_or_written_is_said(tmp_path):
    tree = station(1.0)
    tree["fleets"] |= {f"web{i}": tree["fleets"]["web"] for i in range(80)}
    file = tmp_path / "many.json"
    file.write_text(json.dumps({"nephoscope": 1, **tree}), encoding="utf-8")
    outcome = call("explain", file, "--svg", tmp_path / "x.svg")
    assert outcome.exit_code == 1
    assert "82 parts, of which 60 can be drawn" in outcome.stderr
    assert call("explain", file).exit_code == 0
    outcome = call("explain", SHOP, "--svg", tmp_path / "nowhere" / "x.svg")
    assert outcome.exit_code == 2
    assert "--svg" in outcome.stderr
    assert call("explain", SHOP, "--set", "fleets.counter.cuont=2").exit_code == 2


def test_values_are_set_before_it_is_explained():
    outcome = call("explain", EXAMPLES / "three-counters.yaml", "--set", "fleets.counters.count=1")
    assert "counters: M/M/1 (" in outcome.stdout
    assert "busy 93.8 %" in outcome.stdout


def test_each_kind_of_truth_has_its_words():
    def said(tree):
        answers = nph.explain(loaded(tree)).answers
        return "\n".join(line for line in summary_words(nph.explain(loaded(tree)), {}) if answers)

    assert "mean latency 20 ms (seen -)" in said(station(50.0))
    assert "mean latency between " in said(farm(150.0, 2, "least_connections"))
    assert "mean latency at least " in said(farm(150.0, 2, "least_response_time"))
    assert " in the limit " in said(farm(150.0, 3, "power_of_two"))
    assert "mean latency about " in said(station(160.0, "10ms", vcpus=2))
    assert "requests " in said(closed(4, "1s"))
    endless = {"pareto": {"mean": "10ms", "shape": 1.5}}
    assert "mean latency without end" in said(station(50.0, endless))
    assert said(station(120.0)) == ""


def test_a_run_shows_theory_beside_what_it_saw():
    outcome = call("run", EXAMPLES / "three-counters.yaml", "--set", "duration=200h")
    line = next(it for it in outcome.stdout.splitlines() if "theory of counters" in it)
    found = re.search(
        r"mean latency between ([\d.]+) s and ([\d.]+) s \(seen ([\d.]+) s\), "
        r"busy 31.2 % \(seen ([\d.]+) %\)",
        line,
    )
    low, high, seen, busy = map(float, found.groups())
    assert low < seen < high
    assert busy == pytest.approx(31.2, abs=1.0)
    quiet = call("run", EXAMPLES / "three-counters.yaml", "--quiet")
    assert "theory" not in quiet.stdout
    assert "theory" not in call("run", EXAMPLES / "retry-storm.yaml").stdout


def test_replications_have_theory_beside_them_too():
    outcome = call("run", EXAMPLES / "three-counters.yaml", "--replications", 3)
    assert "theory of counters, 3 x M/M/1, least connections: mean latency between" in (
        " ".join(outcome.stdout.split())
    )


def test_a_run_outside_of_what_a_model_is_good_for_says_so():
    said = " ".join(call("run", EXAMPLES / "one-counter.yaml").stdout.split())
    assert "! counters, M/M/1: the warm-up is shorter than 4 relaxation times of 44,673 s" in said
    over = call("run", EXAMPLES / "three-counters.yaml", "--set", "traffic.customers.rate=250/h")
    said = " ".join(over.stdout.split())
    assert "! counters: more comes than it can work on (by theory 104.2 % busy)" in said


def test_the_report_has_a_section_of_theory():
    scenario = loaded(station(50.0))
    result = scenario.run()
    section = theory_section(scenario, result.to_dict())
    rows = {row[2]: row[3:] for row in section["table"].rows}
    assert set(rows) == {"mean latency", "p50 latency", "p90 latency", "p99 latency", "busy"}
    assert rows["mean latency"][0] == "20 ms"
    assert "-" not in [cell for row in rows.values() for cell in row]
    assert section["unknown"] == []
    pytest.importorskip("jinja2", reason="the extra `report` is not installed")
    text = result.to_html()
    assert '<h2 id="theory">Theory</h2>' in text
    assert "What theory expects, and what was seen" in text
    text = nph.Scenario.load(SHOP).run().to_html()
    assert "No formula has an answer" in text
    assert "it shares the hosts building" in text


def test_of_many_fleets_a_summary_has_the_first(tmp_path):
    tree = station(1.0) | {"duration": "1s", "warmup": "0s", "series": "none"}
    for i in range(30):
        tree["fleets"][f"web{i}"] = tree["fleets"]["web"]
        tree["traffic"][f"users{i}"] = {"to": f"web{i}", "rate": "1/s"}
    file = tmp_path / "many.json"
    file.write_text(json.dumps({"nephoscope": 1, **tree}), encoding="utf-8")
    said = call("run", file).stdout
    assert said.count("theory of web") == 20
    assert "and 11 more, see nephoscope explain" in said


def test_theory_is_in_no_key_of_the_results():
    assert "theory" not in loaded(station(50.0)).run().to_dict()


def test_a_fleet_that_is_scaled_is_not_told_to_be_too_small_without_saying_when():
    scenario = nph.Scenario.load(EXAMPLES / "retry-storm.yaml").replace(
        {
            "fleets.web.count": {"min": 2, "max": 20},
            "fleets.web.scaling": [{"target_tracking": {"metric": "cpu", "target": "50%"}}],
        }
    )
    (line,) = [it for it in cautions(scenario, nph.explain(scenario)) if "more comes" in it]
    assert "with the instances at the start; all the work would keep" in line
