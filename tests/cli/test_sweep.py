"""`nephoscope sweep`: its table, CSV and JSON, and what it refuses."""

import json
import sys

import pytest
from click.testing import CliRunner

from cli.test_cli import COFFEE, watched
from nephoscope import Scenario, frontier, sweep
from nephoscope.cli import main

COUNT = "fleets.baristas.count"
ROUTING = "load_balancers.bar.routing"
GRID = ("--grid", f"{COUNT}=6,7", "--grid", f"{ROUTING}=random,{{power_of_two: {{}}}}")
SHORT = ("--set", "duration=10m", "--replications", "2")


def call(*arguments):
    return CliRunner().invoke(main, [str(it) for it in arguments])


def test_all_forms_are_those_of_python(tmp_path):
    journal, table = tmp_path / "runs.sqlite", tmp_path / "table.csv"
    outcome = call("sweep", COFFEE, *GRID, *SHORT, "--journal", journal, "--csv", table)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    for words in ("4 combinations", "8 of 8 runs made now", "power_of_two", "±", "lost_share"):
        assert words in outcome.stdout
    short = Scenario.load(COFFEE).replace({"duration": "10m"})
    found = sweep(short, {COUNT: [6, 7], ROUTING: ["random", {"power_of_two": {}}]}, 2)
    assert table.read_text() == found.to_csv()
    again = call("sweep", COFFEE, *GRID, *SHORT, "--journal", journal, "--json", "-")
    assert json.loads(again.stdout) == json.loads(json.dumps(found.to_dict()))
    assert "0 of 8 runs made now" in call(
        "sweep", COFFEE, *GRID, *SHORT, "--journal", journal, "--workers", 1
    ).stdout  # fmt: skip


def test_brackets_of_a_value_are_letters_on_a_terminal_too():
    values = "[baristas],[{fleet: baristas}]"
    grid = ("--grid", f"load_balancers.bar.targets={values}")
    axes = "fleets.baristas.instances.mean,traffic.customers.latency_s.p99"
    told = call("sweep", COFFEE, *grid, *SHORT, "--frontier", axes).stdout
    # In the table of all and in that of the frontier.
    assert told.count("\n  [baristas] ") == told.count("\n  [{fleet: baristas}] ") == 2


AXES = ("fleets.baristas.instances.mean", "traffic.customers.latency_s.p99")


def test_a_frontier():
    outcome = call("sweep", COFFEE, *GRID, *SHORT, "--frontier", ",".join(AXES))
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    for words in ("less of instances.mean and less of latency_s.p99", "undecided *", "Bonferroni"):
        assert words in outcome.stdout
    told = call("sweep", COFFEE, *GRID, *SHORT, "--frontier", ",".join(AXES), "--json", "-")
    short = Scenario.load(COFFEE).replace({"duration": "10m"})
    found = sweep(
        short, {COUNT: [6, 7], ROUTING: ["random", {"power_of_two": {}}]}, 2, metrics=AXES
    )
    assert json.loads(told.stdout)["frontier"] == json.loads(
        json.dumps(frontier(found, *AXES).to_dict())
    )
    more = call("sweep", COFFEE, *GRID, *SHORT, "--frontier", f"{AXES[1]}, -{AXES[0]}")
    assert "less of latency_s.p99 and more of instances.mean" in more.stdout


def test_quiet_says_nothing():
    outcome = call("sweep", COFFEE, *GRID, *SHORT, "--quiet")
    assert (outcome.exit_code, outcome.output) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--grid"),
        (["--grid", COUNT], "PATH=VALUE,VALUE is needed"),
        (["--grid", f"{COUNT}="], "no values given"),
        (["--grid", f"{COUNT}=6,6"], "6 is given twice"),
        (["--grid", "fleets.barista.count=6"], f"did you mean {COUNT}"),
        (["--grid", "seed=1,2"], "one seed"),
        ([*GRID, "--metric", "cost_usd.totl"], "did you mean cost_usd.total?"),
        ([*GRID, "--frontier", "cost_usd.total"], "two metrics are needed"),
        ([*GRID, "--frontier", "a,a"], "two different metrics"),
        ([*GRID, "--frontier", "cost_usd.totl,in_flight"], "did you mean cost_usd.total?"),
        ([*GRID, "--frontier", "a,b", "--replications", 1], "at least two replications"),
        ([*GRID, "--executor", "rey"], "did you mean ray?"),
        ([*GRID, "--executor", "mpj"], "'mpj' is no executor"),
        ([*GRID, "--executor", "dask"], "'dask' has no address (allowed: processes, loky,"),
        ([*GRID, "--executor", "loky:8786"], "loky has no address"),
        ([*GRID, "--executor", "ray", "--workers", "2"], "workers are those of the cluster"),
        ([*GRID, "--json", "-", "--csv", "-"], "cannot both go"),
        ([*GRID, "--workers", "0"], "--workers"),
    ],
)
def test_mistakes_of_usage(arguments, words):
    outcome = call("sweep", COFFEE, *SHORT, *arguments)
    assert outcome.exit_code == 2
    assert words in outcome.stderr
    assert "Traceback" not in outcome.output


def test_an_executor(monkeypatch):
    arguments = ("sweep", COFFEE, "--grid", f"{COUNT}=6,7", *SHORT, "--json", "-")
    by_threads = json.loads(call(*arguments).stdout)
    by_processes = call(*arguments, "--executor", "processes", "--workers", 1)
    assert (by_processes.exit_code, by_processes.stderr) == (0, "")
    assert json.loads(by_processes.stdout) == by_threads
    monkeypatch.setitem(sys.modules, "ray", None)
    missing = call(*arguments, "--executor", "ray")
    assert missing.exit_code == 2
    assert "error: ray is needed for this and not installed" in missing.stderr


def test_a_journal_that_is_none(tmp_path):
    outcome = call("sweep", COFFEE, *GRID, *SHORT, "--journal", tmp_path)
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith(f"error: the journal {tmp_path} cannot be opened")


def test_interrupted(tmp_path):
    journal = tmp_path / "runs.sqlite"
    endless = ("--set", "duration=5000d", "--set", "series=none", "--journal", journal)
    code, out, shown = watched("sweep", COFFEE, *GRID, *endless, until=b"0 of 40")
    assert (code, out) == (130, b"")
    assert shown.rstrip().endswith(b"error: interrupted")
    assert b"Traceback" not in shown
    assert call("sweep", COFFEE, *GRID, *SHORT, "--journal", journal).exit_code == 0
