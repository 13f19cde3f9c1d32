"""The commands: what they print, what they write, and how they end."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.terminals import python, watched
from nephoscope import Scenario, catalog
from nephoscope.cli import main
from nephoscope.scenario.language.service import Step

EXAMPLES = Path(__file__).parents[2] / "examples"
COFFEE = str(EXAMPLES / "coffee-shop-by-call.yaml")
FULL = Path("/dev/full")


@pytest.fixture
def call():
    return lambda *arguments: CliRunner().invoke(main, [str(a) for a in arguments])


def test_run_prints_a_summary(call):
    outcome = call("run", COFFEE)
    assert outcome.exit_code == 0
    assert outcome.stderr == ""
    assert "coffee-shop" in outcome.stdout
    for word in ("customers", "front-door", "baristas", "p99", "busy", "fingerprint", "warm-up 5m"):
        assert word in outcome.stdout
    assert len(outcome.stdout.splitlines()) < 30
    assert Scenario.load(COFFEE).run().fingerprint in outcome.stdout


def test_json_goes_to_standard_output_alone(call):
    outcome = call("run", COFFEE, "--json", "-")
    tree = json.loads(outcome.stdout)
    assert tree["fingerprint"] == Scenario.load(COFFEE).run().fingerprint
    assert tree["traffic"]["customers"]["offered"] > 0
    assert outcome.stderr == ""


def test_json_goes_to_a_file(call, tmp_path):
    file = tmp_path / "result.json"
    outcome = call("run", COFFEE, "--json", file, "--quiet")
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, "", "")
    assert json.loads(file.read_text())["scenario"] == "coffee-shop-by-call"
    assert call("run", COFFEE, "--json", tmp_path / "none" / "x").exit_code == 2


def test_seed_and_set(call):
    outcome = call("run", COFFEE, "--json", "-", "--seed", 9, "--set", "fleets.baristas.count=9",
                   "--set", "load_balancers.bar.routing=round_robin")  # fmt: skip
    changes = {"fleets.baristas.count": 9, "load_balancers.bar.routing": "round_robin"}
    expected = Scenario.load(COFFEE).replace(changes).run(rng=9)
    tree = json.loads(outcome.stdout)
    assert (tree["seed"], tree["fingerprint"]) == (9, expected.fingerprint)


def test_set_takes_yaml(call):
    outcome = call(
        "check", COFFEE, "--set", "traffic.customers.arrivals={profile: [[0s, 1/s], [5m, 9/s]]}"
    )
    assert outcome.exit_code == 2
    assert "traffic.customers.rate" in outcome.stderr
    outcome = call("check", COFFEE, "--set", "load_balancers.bar.targets=[baristas, cashiers]")
    assert "9 instances of baristas, cashiers" not in outcome.stdout
    assert outcome.exit_code == 2  # the cashiers would call themselves
    assert "never end" in outcome.stderr


def test_replications(call):
    outcome = call("run", COFFEE, "--replications", 4, "--threads", 2)
    assert outcome.exit_code == 0
    assert "4 replications" in outcome.stdout
    assert "±" in outcome.stdout
    one = json.loads(call("run", COFFEE, "--replications", 3, "--threads", 1, "--json", "-").stdout)
    two = json.loads(call("run", COFFEE, "--replications", 3, "--threads", 2, "--json", "-").stdout)
    assert one["fingerprint"] == two["fingerprint"]
    assert one["intervals"]["traffic.customers.latency_s.p99"]["n"] == 3


def test_replications_until_precision(call):
    outcome = call("run", COFFEE, "--until-precision", "latency_s.p99=4%", "--json", "-")
    tree = json.loads(outcome.stdout)
    goal = tree["precision"]["traffic.customers.latency_s.p99"]
    assert goal["met"]
    assert goal["reached"] <= goal["wanted"] == 0.04
    assert tree["replications"] >= 10
    outcome = call(
        *("run", COFFEE, "--until-precision", "latency_s.mean=0.1%", "--replications-max", 10)
    )
    assert outcome.exit_code == 0
    assert "after 10 replications, 0.1 % was wanted" in outcome.stdout


def test_check_describes_what_would_run(call):
    for file in EXAMPLES.glob("*.yaml"):
        outcome = call("check", file)
        assert outcome.exit_code == 0
        assert outcome.stderr == ""
        scenario = Scenario.load(file)
        for part in (scenario.traffic, scenario.fleets, scenario.services, scenario.load_balancers):
            for name in part:
                assert f"{name}: " in outcome.stdout


def test_check_says_when_the_run_begins(call):
    assert "begins on Monday, 2024-01-01T00:00:00Z" in call("check", COFFEE).stdout
    outcome = call("check", COFFEE, "--set", "start=2024-03-09T18:00:00-05:00")
    assert "begins on Saturday, 2024-03-09T18:00:00-05:00" in outcome.stdout


def test_check_says_what_clients_do_beyond_their_first_attempt(call):
    storm = EXAMPLES / "retry-storm.yaml"
    at = "traffic.customers"
    outcome = call(
        *("check", storm, "--set", f"{at}.retry.budget=10%", "--set", f"{at}.deadline=2s"),
        *("--set", f"{at}.hedge=300ms", "--set", f"{at}.retry.backoff={{fixed: 1s}}"),
        *("--set", f"{at}.circuit_breaker={{failures: 5, open: 3s}}"),
    )
    assert (
        "timeout 500ms (finish), up to 3 attempts after 1s on a budget of 10 %, deadline 2s, "
        "hedged after 300ms, circuit breaker open for 3s after 5 failures in a row"
    ) in outcome.stdout
    assert "up to 3 attempts at once" in call("check", storm).stdout


def test_check_says_how_fleets_follow_their_load(call):
    rules = (
        "[{target_tracking: {metric: cpu, target: 50%}}, {step: {metric: cpu, threshold: 0.8,"
        " steps: [[0, inf, 2]]}}, {scheduled: {cron: 0 9 * * *, min: 1, desired: 4}},"
        " {scheduled: {at: 1m, max: 9}}, {predictive: {metric: cpu, target: 0.6}}]"
    )
    file, web = EXAMPLES / "retry-storm.yaml", "fleets.web"
    count = ("--set", f"{web}.count={{min: 1, desired: 2, max: 9}}")
    outcome = call("check", file, *count, "--set", f"{web}.scaling={rules}")
    assert (
        "scaled by target tracking of cpu at 0.5 and step scaling on cpu at 0.8 and the clock on "
        "0 9 * * * (UTC): min 1, desired 4 and the clock at 1m: max 9 and a forecast of cpu for 0.6"
    ) in outcome.stdout
    assert "2 (1 to 9) x" in outcome.stdout
    assert "scaled" not in call("check", file).stdout


STEPS = {
    "compute: 40ms": "compute 40ms",
    "sleep: {exponential: 5ms}": "sleep exponential 5ms",
    "call: {to: db, timeout: 1s}": "call db for at most 1s",
    "choose: [{weight: 1, steps: [{memory: 1GiB}]}, {weight: 3, steps: [{call: db}]}]": (
        "choose (0.25: memory 1GiB) or (0.75: call db)"
    ),
    "fail: 1%": "fail with probability 0.01",
    "network: 2MB": "network 2MB",
    "disk: 1MB": "disk 1MB",
    "disk: {ops: 1}": "disk 1 operation",
    "disk: {bytes: 1MB, ops: 2000}": "disk 1MB and 2,000 operations",
    "memory: 1GiB": "memory 1GiB",
    "gpu: {lognormal: {mean: 5ms, cv: 1}}": "gpu lognormal 5ms",
    "send: board": "send to board",
    "send: {to: board, delay: 5s}": "send to board, delayed by 5s",
    "send: {to: orders, group: cakes}": "send to orders in the group cakes",
    "publish: news": "publish to news",
    "publish: {to: hot, group: cakes, event: {a: 1}}": (
        "publish to hot in the group cakes, with its own event"
    ),
    "put: {to: bell, event: {choose: [{weight: 1, event: {a: 1}}]}}": (
        "put to bell, one of 1 events"
    ),
    "gpu: {work: 5ms, batch: 8}": "gpu 5ms, up to 8 at once, each further one adding 0.1 of it",
}


def test_check_puts_every_step_into_words(call, tmp_path):
    file = tmp_path / "steps.yaml"
    file.write_text(
        "{nephoscope: 1, name: steps, duration: 1m, services: {query: {steps: [compute: 1ms]}, "
        f"page: {{steps: [{', '.join(STEPS)}]}}}}, fleets: {{web: {{service: page}}, "
        "db: {service: query}}, queues: {board: {}, orders: {type: fifo}}, "
        "topics: {news: {}, hot: {type: fifo}}, buses: {bell: {}}, "
        "traffic: {users: {to: web, rate: 1/s}}}",
        encoding="utf-8",
    )
    assert {step.partition(":")[0] for step in STEPS} == set(Step.forms())
    outcome = call("check", file)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert f"page: fifo: {'; '.join(STEPS.values())}" in outcome.stdout


def test_check_names_types_of_the_catalogue(call):
    outcome = call("check", COFFEE, "--set", "fleets.cashiers.instance_type=c5.large")
    assert "cashiers: 3 x c5.large (2 vCPUs at speed 1.09677, 4GiB), running" in outcome.stdout
    outcome = call("check", COFFEE, "--set", "fleets.cashiers.instance_type=c5.lrage")
    assert outcome.exit_code == 2
    assert "fleets.cashiers.instance_type: no instance type 'c5.lrage'" in outcome.stderr
    assert "did you mean c5.large?" in outcome.stderr


def test_catalog_lists_every_type(call):
    outcome = call("catalog")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    for facts in catalog.types():
        (line,) = [row for row in outcome.stdout.splitlines() if row.split()[:1] == [facts.name]]
        assert f"{facts.linux_usd_per_hour:.4f}" in line
        assert "…" not in line
    for words in (
        "general purpose",
        "8 x H100 80 GiB (15.22)",
        "in T4s",
        "24 x 1980 GB hdd",
        "0.75 to 10",
        "credits",
    ):
        assert words in outcome.stdout


def test_catalog_of_a_family(call):
    outcome = call("catalog", "m5", "--vcpus-min", 16, "--memory-min", "100GiB")
    names = [row.split()[0] for row in outcome.stdout.splitlines() if row.startswith("  m5.")]
    assert names == ["m5.12xlarge", "m5.24xlarge"]
    assert "disks" not in outcome.stdout
    assert "T4" not in outcome.stdout
    assert "credits" not in outcome.stdout
    assert "no type" in call("catalog", "m5", "--vcpus-min", 1000).stdout


def test_catalog_of_hosts(call):
    outcome = call("catalog", "--hosts")
    assert all(host.name in outcome.stdout for host in catalog.hosts())
    found = json.loads(call("catalog", "m5", "--hosts", "--json").stdout)
    assert [host["name"] for host in found] == ["m5.metal"]
    assert "no host has" in call("catalog", "--hosts", "--vcpus-min", 1000).stdout
    assert call("catalog", "t3", "--hosts").exit_code != 0


def test_catalog_as_json(call):
    outcome = call("catalog", "accelerated", "--json")
    types = json.loads(outcome.stdout)
    known = catalog.select("accelerated")
    assert types == [facts.to_dict() | catalog.device_rates(facts) for facts in known]
    assert (types[0]["accelerator_speed"], types[0]["disk_iops"]) == (125 / 65, 3000)
    assert (types[0]["name"], types[0]["family"]) == ("p3.2xlarge", "accelerated")
    assert len({tuple(facts) for facts in types}) == 1
    assert json.loads(call("catalog", "--json", "--vcpus-min", 1000).stdout) == []


def test_errors_name_file_line_and_path(call, tmp_path):
    file = tmp_path / "bad.yaml"
    text = Path(COFFEE).read_text(encoding="utf-8")
    file.write_text(
        text.replace("count: 3", "count: three").replace("bar:", "pub:"), encoding="utf-8"
    )
    for command in ("run", "check"):
        outcome = call(command, file)
        assert outcome.exit_code == 2
        assert outcome.stdout == ""
        lines = outcome.stderr.splitlines()
        assert [line.split(" ")[1] for line in lines] == [f"{file}:10:62:", f"{file}:19:20:"]
        assert "fleets.cashiers.count: 'three' is not a whole number" in lines[0]
        assert "services.take-order.steps.1.call.to: 'bar'" in lines[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "nowhere.yaml"], "No such file"),
        (["run"], "FILE"),
        (["run", COFFEE, "--set", "seed"], "PATH=VALUE"),
        (["run", COFFEE, "--set", "sed=1"], "did you mean seed"),
        (["run", COFFEE, "--set", "seed="], "no value"),
        (["run", COFFEE, "--set", "seed=[1"], "not legal YAML"),
        (["run", COFFEE, "--set", "seed=-1"], "out of range"),
        (["run", COFFEE, "--set", "services.make-drink.steps.0={parallel: []}"], "not built yet"),
        (["run", COFFEE, "--seed", "-1"], "--seed"),
        (["run", COFFEE, "--seed", "x"], "--seed"),
        (["run", COFFEE, "--replications", "0"], "--replications"),
        (["run", COFFEE, "--threads", "0"], "--threads"),
        (["run", COFFEE, "--until-precision", "latency_s.p99"], "PATH=SHARE is needed"),
        (["run", COFFEE, "--until-precision", "latency_s.p99=2"], "not between 0 and 1"),
        (["run", COFFEE, "--until-precision", "latency_s.p99=[1"], "not legal YAML"),
        (["run", COFFEE, "--until-precision", "latency_s.p99=0.1%"], "above 0.4 %"),
        (["run", COFFEE, "--until-precision", "latency_s.p9=2%"], "did you mean latency_s.p99?"),
        (["run", COFFEE, "--until-precision", "a=1%", "--until-precision", "a=1%"], "twice"),
        (["run", COFFEE, "--until-precision", "a=1%", "--replications", "5000"], "more than"),
        (["run", COFFEE, "--turbo"], "--turbo"),
        (["run", COFFEE, "--report", "-", "--json", "-"], "--json and --report cannot both go"),
        (["run", COFFEE, "--report", "no-such-folder/x.html"], "--report no-such-folder/x.html"),
        (["catalog", "computer"], "did you mean compute?"),
        (["catalog", "--memory-min", "16"], "did you mean 16GiB?"),
        (["catalog", "--vcpus-min", "0"], "--vcpus-min"),
        (["fly", COFFEE], "fly"),
    ],
)
def test_mistakes_of_usage(call, arguments, words):
    outcome = call(*arguments)
    assert outcome.exit_code == 2
    assert words in outcome.stderr
    assert "Traceback" not in outcome.output


def test_schema_is_json(call):
    assert json.loads(call("schema").stdout)["$schema"].startswith("https://json-schema.org")


def test_version_and_help(call):
    assert "nephoscope" in call("--version").stdout
    for arguments in (
        ["--help"],
        ["run", "-h"],
        ["check", "--help"],
        ["schema", "--help"],
        ["compare", "--help"],
        ["sweep", "--help"],
        ["size", "--help"],
        ["catalog", "-h"],
    ):
        assert call(*arguments).exit_code == 0


def test_the_package_is_a_command():
    process = python("check", COFFEE)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
    assert b"coffee-shop" in out


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
@pytest.mark.parametrize("command", ["schema", "run", "run --json -", "sweep --csv -"])
def test_standard_output_on_a_full_disk(command):
    name, *options = command.split()
    if name != "schema":
        options += [COFFEE, "--set", "duration=11m"]
    if name == "sweep":
        options += ["--grid", "fleets.cashiers.count=2", "--replications", "1"]
    # With a buffer, as everywhere but where somebody asks for none: it is written at the end, too.
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    with FULL.open("wb") as full:
        process = python(name, *options, stdout=full, env=buffered)
        _, err = process.communicate(timeout=60)
    told = b"error: standard output cannot be written: No space left on device\n"
    assert (process.returncode, err) == (1, told)


def test_progress_shows_on_a_terminal_only():
    code, out, shown = watched("run", COFFEE, "--set", "duration=5d", until=None)
    assert code == 0
    assert b"events/s" in shown
    assert b"events/s" not in out
    assert b"fingerprint" in out
    code, _, shown = watched("run", COFFEE, "--set", "duration=5d", "--quiet", until=None)
    assert (code, shown) == (0, b"")


@pytest.mark.parametrize(
    ("extra", "until"), [([], b"events/s"), (["--replications", "4"], b"0 of 4")]
)
def test_interrupted(extra, until):
    endless = ["--set", "duration=5000d", "--set", "series=none"]
    code, out, shown = watched("run", COFFEE, *endless, *extra, until=until)
    assert code == 130
    assert out == b""
    assert shown.rstrip().endswith(b"error: interrupted")
    assert b"Traceback" not in shown
