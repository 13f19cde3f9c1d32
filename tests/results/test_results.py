"""Results by path, as plain data, as series; their fingerprint; what they flag."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from nephoscope import PathError, Scenario
from nephoscope.results import TARGETS_LISTED_MAX, grows

COFFEE = Scenario.load(Path(__file__).parents[2] / "examples" / "coffee-shop-by-call.yaml")
RESULT = COFFEE.run()

# The keys of the contract that this version fills, and no others of it.
ACCOUNT = {"completed", "rejected", "failed", "timed_out", "in_flight", "latency_s"}
LATENCY = {"count", "mean", "std", "min", "p50", "p90", "p95", "p99", "p999", "max"}
HEAD = {"format", "scenario", "seed", "engine", "fingerprint", "simulated_s", "measured_s"}
HEAD |= {"events", "wall_s"}


def single(rate="10/s", *, count=1, compute="50ms", **values):
    return Scenario(
        **{
            "duration": "5m",
            "services": {"page": {"steps": [{"compute": {"exponential": compute}}]}},
            "fleets": {"web": {"service": "page", "count": count}},
            "load_balancers": {"lb": {"targets": ["web"]}},
            "traffic": {"users": {"to": "lb", "rate": rate}},
            **values,
        }
    )


def test_the_keys_of_the_contract():
    tree = RESULT.to_dict()
    assert set(tree) >= HEAD
    assert set(tree) & {"hosts", "queues", "topics", "buses"} == set()
    assert set(tree["cost_usd"]) == {"total", "load_balancers"}
    assert set(tree["traffic"]["customers"]) == ACCOUNT | {"offered", "retries"}
    assert set(tree["traffic"]["customers"]["latency_s"]) == LATENCY
    assert set(tree["load_balancers"]["bar"]) == ACCOUNT | {"requests", "targets"}
    target = tree["load_balancers"]["bar"]["targets"]["5"]
    assert set(target) > ACCOUNT - {"latency_s"} | {"requests", "utilization"}
    fleet = tree["fleets"]["baristas"]
    assert set(fleet) > {"instances", "utilization", "completed", "latency_s"}
    assert set(fleet["instances"]) == {"mean", "min", "max", "final"}
    assert fleet["steal"] == 0.0
    assert (fleet["launches"], fleet["terminations"]) == (6, 0)


def test_numbers_by_path():
    tree = RESULT.to_dict()
    assert (
        RESULT["traffic.customers.latency_s.p99"]
        == tree["traffic"]["customers"]["latency_s"]["p99"]
    )
    assert RESULT["fleets.cashiers.instances.final"] == 3
    assert RESULT["load_balancers.bar.targets.5.requests"] > 0
    assert RESULT["load_balancers.bar.targets.0"] == tree["load_balancers"]["bar"]["targets"]["0"]
    assert RESULT["seed"] == 7
    assert RESULT["traffic.customers"] == tree["traffic"]["customers"]


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("traffic.customer.offered", "customers"),
        ("traffic.customers.ofered", "offered"),
        ("load_balancers.bar.targets.6", "0 to 5"),
        ("load_balancers.bar.targets.x", "0 to 5"),
        ("load_balancers.pub.targets.0", "load_balancers.bar"),
        ("seed.x", "nothing"),
        ("", "nothing"),
    ],
)
def test_paths_that_lead_nowhere(path, hint):
    with pytest.raises(PathError) as caught:
        RESULT[path]
    assert hint in str(caught.value) or hint == "nothing"


def test_books_balance():
    for section, sent in (
        ("traffic", "offered"),
        ("load_balancers", "requests"),
        ("fleets", "requests"),
    ):
        for part in RESULT.to_dict()[section].values():
            ended = ("completed", "rejected", "failed", "timed_out", "in_flight")
            assert part[sent] == sum(part[key] for key in ended)
            assert part["latency_s"]["count"] == part["completed"]
    targets = RESULT["load_balancers.bar.targets"].values()
    assert sum(t["requests"] for t in targets) == RESULT["load_balancers.bar.requests"]
    assert sum(t["utilization"] for t in targets) / 6 == pytest.approx(
        RESULT["fleets.baristas.utilization"]
    )


def test_json_is_standard():
    assert json.loads(RESULT.to_json()) == RESULT.to_dict()
    empty = single("1/h", duration="1s").run()
    tree = json.loads(empty.to_json())
    assert tree["traffic"]["users"]["latency_s"]["p99"] is None
    assert tree["traffic"]["users"]["latency_s"]["count"] == 0
    assert "no request completed in the measured window" in tree["flags"]


def test_to_dict_is_a_copy():
    RESULT.to_dict()["traffic"].clear()
    assert RESULT["traffic.customers.offered"] > 0


def test_the_window():
    assert (RESULT.simulated_s, RESULT.warmup_s, RESULT.measured_s) == (3600, 300, 3300)
    assert RESULT.in_flight == RESULT["traffic.customers.in_flight"]


def test_series():
    times, offered = RESULT.series("traffic.customers.offered")
    assert times[:2].tolist() == [15, 30]
    assert len(times) == len(offered) == 240
    assert times[-1] == 3600
    warm = times > 300
    assert offered[warm].sum() == RESULT["traffic.customers.offered"]
    _, gauge = RESULT.series("traffic.customers.in_flight")
    _, completed = RESULT.series("traffic.customers.completed")
    _, failed = RESULT.series("traffic.customers.failed")
    assert (gauge == np.cumsum(offered - completed - failed)).all()
    assert "fleets.baristas.instances" in RESULT.series_names
    with pytest.raises(PathError, match=r"traffic\.customers\.offered"):
        RESULT.series("traffic.customers.ofered")
    with pytest.raises(PathError):
        COFFEE.replace({"series": "none"}).run().series("traffic.customers.offered")


def test_histograms_are_copies():
    histogram = RESULT.histogram("traffic.customers")
    assert histogram.count == RESULT["traffic.customers.completed"]
    histogram.record(5)
    assert RESULT.histogram("traffic.customers").count == histogram.count - 1
    with pytest.raises(PathError):
        RESULT.histogram("traffic.nobody")


def test_fingerprints():
    assert len(RESULT.fingerprint) == 32
    int(RESULT.fingerprint, 16)
    assert COFFEE.run(rng=7).fingerprint == RESULT.fingerprint
    assert COFFEE.run(rng=8).fingerprint != RESULT.fingerprint
    # What is only looked at does not change what happens.
    for series in ("none", "1s", "1h"):
        assert COFFEE.replace({"series": series}).run().fingerprint == RESULT.fingerprint
    routed = COFFEE.replace({"load_balancers.bar.routing": "round_robin"}).run()
    assert routed.fingerprint != RESULT.fingerprint


def test_results_survive_pickling():
    copy = pickle.loads(pickle.dumps(RESULT))
    assert copy.to_dict() == RESULT.to_dict()
    assert copy.fingerprint == RESULT.fingerprint


def test_how_it_shows():
    assert RESULT.fingerprint in repr(RESULT)
    page = RESULT._repr_html_()
    assert "traffic customers" in page
    # A head and a row of outcomes; a head and five parts that answer; a head, lines and a total.
    assert page.count("<tr>") == 2 + 6 + 2 + sum(
        len(lines) for lines in RESULT["cost_usd"].values() if isinstance(lines, dict)
    )


def test_many_targets_are_summed_up():
    result = single("1000/s", count=TARGETS_LISTED_MAX + 1, duration="10s").run()
    targets = result["load_balancers.lb.targets"]
    assert targets["count"] == TARGETS_LISTED_MAX + 1
    assert targets["requests"]["mean"] * targets["count"] == result["load_balancers.lb.requests"]
    assert result[f"load_balancers.lb.targets.{TARGETS_LISTED_MAX}.requests"] > 0
    with pytest.raises(PathError):
        result[f"load_balancers.lb.targets.{TARGETS_LISTED_MAX + 1}"]


def test_a_fleet_of_none():
    result = single(count=0).run()
    assert result["traffic.users.rejected"] == result["traffic.users.offered"] > 0
    assert result["fleets.web.utilization"] is None


@pytest.mark.parametrize("seed", range(10))
def test_steady_state_is_judged(seed):
    assert single("16/s", duration="1h").run(rng=seed).steady is True
    overloaded = single("30/s", duration="30m").run(rng=seed)
    assert overloaded.steady is False
    assert any("no steady state" in flag for flag in overloaded.flags)


def test_steady_state_that_cannot_be_judged():
    assert single(series="none").run().steady is None
    assert single(series="1m").run().steady is None


def test_growth():
    line = np.arange(240.0)
    noise = np.random.default_rng(1).normal(size=240)
    assert grows(line + noise)
    assert not grows(noise)
    assert not grows(np.full(240, 5.0))
    assert not grows(line[::-1])
    assert not grows(np.minimum(line, 60.0))  # settles after a quarter
    assert not grows(100 + line / 240)  # by less than matters


def test_a_path_without_its_beginning_is_known_by_its_end():
    with pytest.raises(PathError, match=r"did you mean traffic\.customers\.latency_s\.p99\?"):
        RESULT["p99"]
    with pytest.raises(PathError, match=r"did you mean load_balancers\.front-door\.requests\?"):
        RESULT["front-door.requests"]
