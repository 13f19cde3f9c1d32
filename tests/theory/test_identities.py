"""Identities that hold on every path, and what the estimates themselves are worth."""

from __future__ import annotations

import json
import math
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import stats

import nephoscope as nph
from nephoscope import _core
from theory import families, formulas, laws, models, oracles
from theory.engine import NS, Latency, Run
from theory.models import THREADS


def scenario(duration: str, tree: dict, **keys: object) -> dict:
    return (
        {"nephoscope": 1, "name": "identity", "duration": duration, "series": "none"} | tree | keys
    )


# --- on the path ------------------------------------------------------------------------------


def trace(folder, seed: int) -> tuple[dict, np.ndarray, np.ndarray]:
    """Arrivals and sizes at whole seconds, so that nothing changes between them."""
    draws = np.random.default_rng(seed)
    arrivals = np.sort(draws.integers(0, 400, 150))
    sizes = draws.integers(0, 6, 150)
    (folder / "arrivals.csv").write_text("at\n" + "\n".join(map(str, arrivals)) + "\n")
    (folder / "sizes.csv").write_text("of\n" + "\n".join(map(str, sizes)) + "\n")
    replayed = {"replay": {"file": str(folder / "sizes.csv"), "column": "of"}}
    source = {"trace": {"file": str(folder / "arrivals.csv"), "column": "at"}}
    tree = laws.farm(1.0, laws.service(replayed, concurrency=2), 2, "least_connections", vcpus=2)
    tree["traffic"]["customers"] = {"to": "door", "arrivals": source}
    return tree, arrivals, sizes


@pytest.mark.parametrize("seed", range(5))
def test_the_time_integral_of_the_number_is_the_sum_of_the_sojourns(tmp_path, seed):
    """LITTLE_identity: from empty to empty, and exact in nanoseconds."""
    tree, _, _ = trace(tmp_path, seed)
    run = Run(scenario("2000s", tree), seed=1)
    integral = 0
    for second in range(2000):
        run.advance(second)  # what happens at this second has happened
        integral += int(run.numbers("web").sum())
    run.finish()
    account = run.traffic("customers")
    assert account["completed"] == 150
    assert account["latency"].sum == integral * 10**9


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("discipline", ["fifo", "ps"])
def test_the_work_done_is_the_work_that_was_asked_for(tmp_path, seed, discipline):
    """WORK_identity: busy vCPU time is the sum of the demands, to the nanosecond."""
    tree, _, sizes = trace(tmp_path, seed)
    tree["services"]["work"]["discipline"] = discipline
    run = Run(scenario("2000s", tree), seed=1)
    run.finish()
    assert run.results["fleets"][0]["run_ns"] == int(sizes.sum()) * 10**9
    assert run.results["load_balancers"][0]["targets"]["run_ns"].sum() == sizes.sum() * 10**9


@pytest.mark.parametrize("discipline", ["fifo", "ps"])
@pytest.mark.parametrize("vcpus", [1, 3])
def test_random_work_is_done_to_the_nanosecond(discipline, vcpus):
    """The same with random demands: what the stream says, rounded request by request."""
    served = laws.service(laws.law("exp"), discipline=discipline)
    run = Run(scenario("100000s", laws.station(0.9 * vcpus, served, vcpus)), seed=11)
    run.advance(50_000)
    run.stop()
    run.finish()
    count = run.traffic("customers")["completed"]
    law = _core.Distribution()
    law.kind, law.mean = _core.DistributionKind.exponential, 1e9
    demands = np.rint(_core.sample(law, 11, 0, "traffic/customers/work/work/0", count))
    assert run.traffic("customers")["in_flight"] == 0
    # Shared vCPUs finish a request at a fraction of a nanosecond; the clock shows the next whole
    # one, and the vCPU is busy until then.
    slack = 0 if discipline == "fifo" else count
    assert 0 <= run.results["fleets"][0]["run_ns"] - int(demands.sum()) <= slack


def test_utilisation_is_the_offered_load():
    model = families.copies(0.7)
    used = []
    for number in range(20):
        run = Run(scenario("3000s", model.scenario, warmup="500s"), seed=100 + number)
        run.finish()
        fleet = run.results["fleets"][0]
        used.append(fleet["run_ns"] / fleet["vcpu_ns"])
    estimate = models.estimate(used)
    assert abs(estimate.mean - 0.7) <= estimate.critical * estimate.se


# --- what an observer is told -----------------------------------------------------------------


def test_overload_is_reported_with_what_is_unfinished():
    """CENSORING_overload_fluid: the completed waited T/6 on average, all of them T/4."""
    horizon = 100_000.0
    tree = laws.station(1.5, laws.service(laws.law("exp")))
    result = nph.Scenario.model_validate(scenario(f"{horizon}s", tree, series="auto")).run(rng=3)
    source = result.to_dict()["traffic"]["customers"]
    assert source["latency_s"]["mean"] == pytest.approx(horizon / 6, rel=0.02)
    # What the mean leaves out is said: a third of the requests are still there.
    assert source["in_flight"] == pytest.approx(horizon / 2, rel=0.02)
    assert source["offered"] == source["completed"] + source["in_flight"]
    assert result.steady is False
    assert result.to_dict()["flags"]
    # Those in flight have waited, too: with their waits so far the mean is T/4 and no less.
    finished = nph.Simulation(
        nph.Scenario.model_validate(scenario(f"{20 * horizon}s", tree)), rng=3
    )
    finished.advance(horizon)
    finished.set("traffic.customers.rate", "0.00000001/s")
    finished.advance()
    everyone = finished.result().to_dict()["traffic"]["customers"]
    assert everyone["completed"] == source["offered"]
    assert everyone["latency_s"]["mean"] == pytest.approx(horizon / 4, rel=0.02)


def test_no_mean_slowdown_is_printed():
    """PITFALL_FIFO_slowdown: it is infinite, so no key offers it."""
    tree = laws.station(0.8, laws.service(laws.law("exp")))
    result = nph.Scenario.model_validate(scenario("100s", tree)).run(rng=1)
    assert "slowdown" not in json.dumps(result.to_dict())


# --- what an estimate is worth ----------------------------------------------------------------


def mean_number(rho: float, length: float, seed: int) -> float:
    """Time average of the number in system: the sojourns of the window over its length."""
    tree = laws.station(rho, laws.service(laws.law("exp")))
    warmup = families.relaxation(rho)
    end = warmup + length
    run = Run(scenario(f"{end + 3000}s", tree, warmup=f"{warmup:.9f}s"), seed=seed)
    run.advance(end)
    run.stop()
    run.finish()
    return run.traffic("customers")["latency"].sum / NS / length


@pytest.mark.parametrize(("rho", "length"), [(0.8, 20_000.0), (0.6, 10_000.0)])
def test_the_variance_of_a_time_average_is_what_theory_says(rho, length):
    """MM1_asyvar: the standard errors in use are of the right size, neither lucky nor shy."""
    runs = 600
    seeds = [zlib.crc32(b"asyvar") + i for i in range(runs)]
    with ThreadPoolExecutor(THREADS) as pool:
        means = list(pool.map(lambda seed: mean_number(rho, length, seed), seeds))
    theory = formulas.mm1_asymptotic_variance(rho) / length
    ratio = np.var(means, ddof=1) / theory
    # The law of the mean is a little skewed at this length, which widens that of its variance.
    excess = stats.kurtosis(means, fisher=True)
    spread = math.sqrt((2 + max(excess, 0.0)) / (runs - 1))
    assert abs(ratio - 1) < formulas.z_critical() * spread + 300 / length
    if rho == 0.8 and oracles.entries():
        entry = oracles.entries()["MM1_asyvar_rho0.8"]
        assert theory * length == pytest.approx(entry["expected"]["asyvar"], rel=1e-9)


def test_replications_share_nothing():
    """Means of replications are uncorrelated: successive ones, and those of successive seeds."""
    tree = laws.station(0.5, laws.service(laws.law("exp")))
    built = nph.Scenario.model_validate(scenario("300s", tree))
    rows = [
        [result["traffic.customers.latency_s.mean"] for result in runs.results]
        for runs in (nph.replicate(built, 40, rng=seed, threads=THREADS) for seed in range(25))
    ]
    table = np.array(rows)
    assert len(np.unique(table)) == table.size
    for a, b in ((table[:, :-1], table[:, 1:]), (table[:-1], table[1:])):
        correlation = np.corrcoef(a.ravel(), b.ravel())[0, 1]
        assert abs(correlation) < formulas.z_critical() / math.sqrt(a.size)


def test_quantiles_in_the_report_are_within_half_a_percent():
    tree = laws.station(0.7, laws.service(laws.law("exp")))
    result = nph.Scenario.model_validate(scenario("200000s", tree, warmup="300s")).run(rng=5)
    figures = result.to_dict()["traffic"]["customers"]["latency_s"]
    fine = Latency(result.histogram("traffic.customers"))
    for key, p in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)):
        assert figures[key] == pytest.approx(fine.quantile(p), rel=0.005)
