"""`nephoscope size`: what it finds, its table and JSON, and what it refuses."""

import json

import pytest
from click.testing import CliRunner

from cli.test_cli import COFFEE
from nephoscope import Scenario, size
from nephoscope.cli import main

COUNT = "fleets.baristas.count"
UNTIL = "traffic.customers.latency_s.p99 < 7s"
SHORT = ("--set", "duration=30m", "--replications", "5")


def call(*arguments):
    return CliRunner().invoke(main, [str(it) for it in arguments])


def test_the_table_and_the_json_are_those_of_python():
    arguments = ("size", COFFEE, "--vary", COUNT, "--until", UNTIL, *SHORT)
    outcome = call(*arguments)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    found = size(Scenario.load(COFFEE).replace({"duration": "30m"}), COUNT, UNTIL, replications=5)
    assert outcome.stdout.startswith(f"{COUNT} = {found.value}  is the least with {UNTIL}, at 95 %")
    for words in ("holds", "taken for granted", "Bonferroni", "5 replications"):
        assert words in outcome.stdout
    printed = json.loads(call(*arguments, "--json", "-").stdout)
    assert printed | {"wall_s": 0} == found.to_dict() | {"wall_s": 0}


def test_an_end_that_few_requests_do_not_tell_is_explained():
    few = ("--between", "6,7", "--set", "duration=5m30s", "--replications", "2")
    until = "traffic.customers.latency_s.p999 < 10m"
    told = " ".join(call("size", COFFEE, "--vary", COUNT, "--until", until, *few).output.split())
    assert "more than 2 replications might show it" in told
    until = "traffic.customers.latency_s.p50 > 1ms and traffic.customers.latency_s.p999 > 1ms"
    told = call("size", COFFEE, "--vary", COUNT, "--until", until, *few).stdout
    assert " to ?)" in told
    assert "; ?: an end that so few requests do not tell" in " ".join(told.split())
    assert "2 values tried" in told or "1 value tried" in told


@pytest.mark.parametrize("tolerance", ["20%", "0.2"])
def test_a_rate(tolerance):
    outcome = call(
        *("size", COFFEE, "--vary", "traffic.customers.rate", "--between", "1/s, 8/s"),
        *("--until", UNTIL, "--greatest", "--tolerance", tolerance, *SHORT),
    )
    assert outcome.exit_code == 0
    assert "is the greatest with" in outcome.stdout


def test_no_value_will_do():
    until = "traffic.customers.lost_share < 0.01%"
    outcome = call("size", COFFEE, "--vary", COUNT, "--until", until, "--between", "6,8", *SHORT)
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith(f"error: no value of {COUNT} from 6 to 8 is known to do: at 8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--vary"),
        (["--vary", COUNT], "--until"),
        (["--vary", COUNT, "--until", "fast"], "is not a condition"),
        (["--vary", COUNT, "--until", "cost_usd.totl < 1"], "did you mean cost_usd.total?"),
        (["--vary", COUNT, "--until", "p99 < 1"], "did you mean traffic.customers.latency_s.p99?"),
        (["--vary", COUNT, "--until", "cost < 1"], "did you mean cost_usd."),
        (["--vary", COUNT, "--until", "p99 < 1s"], "a whole path such as traffic.NAME.latency_s"),
        (["--vary", "fleets.barista.count", "--until", UNTIL], f"did you mean {COUNT}"),
        (["--vary", COUNT, "--until", UNTIL, "--between", "1"], "LOW,HIGH is needed"),
        (["--vary", COUNT, "--until", UNTIL, "--between", "1,"], "LOW,HIGH is needed"),
        (["--vary", COUNT, "--until", UNTIL, "--between", "[1"], "not legal YAML"),
        (["--vary", COUNT, "--until", UNTIL, "--between", "9,2"], "is no range"),
        (["--vary", COUNT, "--until", UNTIL, "--tolerance", "5"], "--tolerance"),
        (["--vary", COUNT, "--until", UNTIL, "--tolerance", "[1"], "--tolerance"),
        (["--vary", "duration", "--until", UNTIL], "between two values"),
    ],
)
def test_mistakes_of_usage(arguments, words):
    outcome = call("size", COFFEE, *SHORT, *arguments)
    assert outcome.exit_code == 2
    assert words in outcome.stderr
    assert "Traceback" not in outcome.output
