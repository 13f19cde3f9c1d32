"""Replications: intervals on everything, whatever the number of threads."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from nephoscope import PathError, Scenario, replicate
from nephoscope.experiment.student import probability_within, t_quantile

COFFEE = Scenario.load(Path(__file__).parents[2] / "examples" / "coffee-shop-by-call.yaml")
RUNS = replicate(COFFEE, 8)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 9, 10, 29, 30, 99, 100, 1000])
def test_student(degrees):
    for confidence in (0.5, 0.9, 0.95, 0.999):
        exact = stats.t.ppf((1 + confidence) / 2, degrees)
        assert t_quantile(confidence, degrees) == pytest.approx(exact, rel=1e-9)
    assert probability_within(0.0, degrees) == 0.0


def test_every_number_has_an_interval():
    first = dict(RUNS.results[0].scalars())
    assert set(RUNS.intervals) == set(first) | {"traffic.customers.lost_share"}
    lost = [
        sum(result[f"traffic.customers.{key}"] for key in ("rejected", "failed", "timed_out"))
        / result["traffic.customers.offered"]
        for result in RUNS.results
    ]
    assert RUNS["traffic.customers.lost_share"].value == pytest.approx(np.mean(lost))
    values = [result["traffic.customers.latency_s.p99"] for result in RUNS.results]
    assert RUNS["traffic.customers.latency_s.p99"].mean == pytest.approx(np.mean(values))
    pooled = RUNS.histogram("traffic.customers").quantile(0.99) / 1e9
    assert RUNS["traffic.customers.latency_s.p99"].value == pooled
    means = [result["traffic.customers.latency_s.mean"] for result in RUNS.results]
    assert RUNS["traffic.customers.latency_s.mean"].value == pytest.approx(np.mean(means))
    assert "load_balancers.bar.targets.3.utilization" in RUNS.intervals
    with pytest.raises(PathError, match="customers"):
        RUNS["traffic.customer.latency_s.p99"]


def test_one_number_alone_is_what_it_is_among_all():
    """It is worked out by itself, for experiments ask thousands of runs for one."""
    alone = replicate(COFFEE, 8)
    wanted = ("latency_s.p99", "latency_s.mean", "lost_share", "offered")
    paths = [f"traffic.customers.{path}" for path in wanted]
    for path in [*paths, "fleets.cashiers.utilization", "cost_usd.total"]:
        assert alone[path] == RUNS.intervals[path]
    assert "intervals" not in vars(alone)
    for path in ("traffic.customers", "traffic.customers.latency_s.p9", "simulated_s", "nothing"):
        with pytest.raises(PathError):
            alone[path]
    targets = "load_balancers.bar.targets.3.utilization"
    assert replicate(COFFEE, 8)[targets] == RUNS.intervals[targets]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_number_of_threads_changes_nothing(threads):
    again = replicate(COFFEE, 8, threads=threads)
    assert again.fingerprint == RUNS.fingerprint
    assert again.intervals == RUNS.intervals
    assert [r.replication for r in again.results] == list(range(8))


def test_replication_0_is_the_single_run():
    assert RUNS.results[0].fingerprint == COFFEE.run().fingerprint
    assert len({result.fingerprint for result in RUNS.results}) == 8


def test_histograms_are_merged():
    merged = RUNS.histogram("traffic.customers")
    assert merged.count == sum(r["traffic.customers.completed"] for r in RUNS.results)


def test_to_dict_has_the_keys_of_a_result():
    tree = RUNS.to_dict()
    single = RUNS.results[0].to_dict()
    assert set(tree) >= set(single) - {"replication", "steady"}
    assert set(tree["traffic"]["customers"]) == set(single["traffic"]["customers"])
    assert tree["replications"] == len(RUNS) == 8
    p99 = tree["intervals"]["traffic.customers.latency_s.p99"]
    assert p99["value"] == tree["latencies"]["traffic.customers"]["p99"]
    assert p99["low"] < tree["traffic"]["customers"]["latency_s"]["p99"] < p99["high"]
    assert tree["latencies"]["traffic.customers"]["count"] > 8 * 12_000


def test_progress_and_refusals():
    seen = []
    replicate(COFFEE, 3, progress=seen.append)
    assert seen == [1, 2, 3]
    for wrong in ({"replications": 0}, {"replications": 2, "threads": 0}):
        with pytest.raises(ValueError, match="at least one"):
            replicate(COFFEE, **wrong)


def test_flags_tell_how_many():
    overloaded = COFFEE.replace({"traffic.customers.rate": "40/s"})
    flags = replicate(
        overloaded.replace(
            {"services.take-order.backlog": None, "traffic.customers.timeout": None}
        ),
        3,
    ).flags
    (flag,) = flags
    assert flag.startswith("no steady state: ")
    assert flag.endswith("(3 of 3 replications)")


def test_one_pilot_decides_the_warmup_of_all():
    runs = replicate(COFFEE.replace({"warmup": "auto"}), 3)
    assert len({result.warmup_s for result in runs.results}) == 1
