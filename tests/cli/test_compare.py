"""`nephoscope compare`: its table, its JSON, and what it refuses."""

import json

import pytest
from click.testing import CliRunner

from cli.test_cli import COFFEE
from nephoscope import Scenario, compare
from nephoscope.cli import main

ROUTING = "load_balancers.bar.routing"
SHORT = ("--set", "duration=10m", "--replications", "3")


def call(*arguments):
    return CliRunner().invoke(main, [str(it) for it in arguments])


def test_the_table_has_estimates_differences_and_verdicts():
    vary = "services.take-order.steps.1={call: bar},{sleep: 1s}"
    outcome = call("compare", COFFEE, "--vary", vary, "--replications", "8")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    for words in ("8 replications each with the same random numbers", "Bonferroni", "lower", "±",
                  "traffic.customers.latency_s.p99", "cost_usd.total", "{sleep: 1s}"):  # fmt: skip
        assert words in outcome.stdout
    assert len(outcome.stdout.splitlines()) < 25


def test_null_goes_without_the_key():
    vary = ("--vary", "traffic.customers.timeout=null,1s")
    outcome = call("compare", COFFEE, *vary, *SHORT, "--metric", "traffic.customers.timed_out")
    assert outcome.exit_code == 0, outcome.stderr
    rows = [line.split() for line in outcome.stdout.splitlines()[-2:]]
    assert rows[0] == ["none", "0", "±", "0"]
    assert (rows[1][0], rows[1][-1]) == ("1s", "higher")
    assert "; the difference is paired, at 95 %\n" in outcome.stdout


def test_brackets_of_a_value_are_letters_on_a_terminal_too():
    values = "[baristas],[{fleet: baristas}]"
    vary = ("--vary", f"load_balancers.bar.targets={values}")
    outcome = call("compare", COFFEE, *vary, *SHORT, "--metric", "cost_usd.total")
    assert outcome.exit_code == 0, outcome.stderr
    lines = [line.split("  ")[1] for line in outcome.stdout.splitlines() if "$" in line]
    assert lines == ["[baristas]", "[{fleet: baristas}]"]


def test_json_is_that_of_python():
    outcome = call(
        *("compare", COFFEE, "--vary", f"{ROUTING}=random,{{power_of_two: {{choices: 3}}}}"),
        *("--vary", "fleets.baristas.count=6,7", "--metric", "traffic.customers.latency_s.p50"),
        *(*SHORT, "--seed", "11", "--threads", "1", "--all-pairs", "--json", "-"),
    )
    vary = {ROUTING: ["random", {"power_of_two": {"choices": 3}}], "fleets.baristas.count": [6, 7]}
    short = Scenario.load(COFFEE).replace({"duration": "10m"})
    found = compare(short, vary, 3, metrics=["traffic.customers.latency_s.p50"], rng=11)
    printed = json.loads(outcome.stdout)
    assert printed | {"wall_s": 0} == found.to_dict() | {"wall_s": 0}
    assert [it["label"] for it in printed["alternatives"]] == [
        "routing=random, count=6",
        "routing={power_of_two: {choices: 3}}, count=7",
    ]


def test_a_text_with_a_comma_is_quoted():
    outcome = call("compare", COFFEE, "--vary", "name='a, b',c", *SHORT)
    assert outcome.exit_code == 2
    assert "name: 'a, b'" in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--vary"),
        (["--vary", "seed"], "PATH=VALUE,VALUE is needed"),
        (["--vary", "=1,2"], "PATH=VALUE,VALUE is needed"),
        (["--vary", f"{ROUTING}=random"], "one value is no comparison"),
        (["--vary", f"{ROUTING}=random,"], "one value is no comparison"),
        (["--vary", f"{ROUTING}=random,[1"], "not legal YAML"),
        (["--vary", f"{ROUTING}=random,rendom"], "did you mean random"),
        (["--vary", f"{ROUTING}=a,b", "--vary", f"{ROUTING}=a,b"], "given twice"),
        (["--vary", f"{ROUTING}=,random"], "values are separated by commas"),
        (["--vary", "load_balancers.baa.routing=a,b"], f"did you mean {ROUTING}"),
        (["--vary", "fleets.baristas.count=6,7", "--metric", "cost_usd.totl"],
         "did you mean cost_usd.total?"),
        (["--vary", "fleets.baristas.count=6,7", "--replications", "1"], "--replications"),
        (["--vary", "fleets.baristas.count=6,7", "--confidence", "1"], "--confidence"),
    ],
)  # fmt: skip
def test_mistakes_of_usage(arguments, words):
    outcome = call("compare", COFFEE, "--set", "duration=10m", *arguments)
    assert outcome.exit_code == 2
    assert words in outcome.stderr
    assert "Traceback" not in outcome.output
