"""`run --watch`: what is shown while a run goes on, and that it changes nothing."""

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from cli.terminals import watched
from nephoscope import Scenario, Simulation
from nephoscope.cli import main
from nephoscope.report.live import view

EXAMPLES = Path(__file__).parents[2] / "examples"
COFFEE = str(EXAMPLES / "coffee-shop.yaml")


def seen(simulation):
    file = io.StringIO()
    console = Console(file=file, width=80)
    console.print(view(simulation, 1.0, console))
    return file.getvalue()


def row(text, name):
    (line,) = [it for it in text.splitlines() if it.split()[:1] == [name]]
    return line.split()[1:]


def test_the_numbers_are_those_of_a_run_that_nobody_watches(tmp_path):
    file = tmp_path / "watched.json"
    code, out, shown = watched(
        "run", COFFEE, "--set", "duration=2h", "--watch", "--json", str(file), until=None
    )
    assert code == 0
    assert b"p99 so far" in shown
    assert b"p99 so far" not in out
    tree = json.loads(file.read_text(encoding="utf-8"))
    alone = Scenario.load(COFFEE).replace({"duration": "2h"}).run().to_dict()
    for own in ("wall_s",):
        tree.pop(own), alone.pop(own)
    assert tree == alone


def test_what_is_shown_is_what_the_simulation_says():
    simulation = Simulation(Scenario.load(COFFEE))
    simulation.advance("5m")
    text = seen(simulation)
    assert "coffee-shop  5m of 1h, seed 7, warm-up" in text
    assert row(text, "customers")[-1] == "-"  # no latency before there is one to count
    simulation.advance("20m")
    text, result, state = seen(simulation), simulation.result(), simulation.state()
    assert "25m of 1h" in text
    assert "warm-up" not in text
    p99 = f"{1e3 * result['traffic.customers.latency_s.p99']:.0f}"
    _, offered = result.series("traffic.customers.offered")
    rate = offered[99] / 15  # 25 minutes are 100 whole intervals of 15 s
    in_flight = str(state["in_flight"][0])
    total = f"{result['traffic.customers.offered']:,}"
    assert row(text, "customers") == [f"{rate:.3g}", in_flight, total, "0", p99, "ms"]
    for i, name in enumerate(state["fleets"]):
        own = state["fleet"] == i
        assert row(text, name)[0] == str(int(state["running"][own].sum()))
    assert "in flight" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_without_series_the_rate_is_that_since_the_warm_up():
    simulation = Simulation(Scenario.load(COFFEE).replace({"series": "none", "warmup": "0s"}))
    simulation.advance("10m")
    offered = simulation.result()["traffic.customers.offered"]
    assert row(seen(simulation), "customers")[0] == f"{offered / 600:.3g}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--quiet"], "--quiet"),
        (["--replications", "3"], "not several replications"),
        (["--until-precision", "latency_s.p99=2%"], "not several replications"),
        ([], "needs a terminal"),
    ],
)
def test_what_cannot_be_watched_is_refused(arguments, words):
    outcome = CliRunner().invoke(main, ["run", COFFEE, "--watch", *arguments])
    assert outcome.exit_code == 2
    assert words in outcome.stderr
