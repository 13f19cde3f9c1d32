"""When requests come: traces to the letter, random processes by their laws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from semantics.lab import customers, fates, fleet, outcome, run, scenario, simulation, work

ALARM = 1e-6
NO_WORK = {"steps": [{"compute": "0s"}]}


def arrivals(traffic, duration: str, rng: int = 7, interval: str | None = None):
    """Requests offered in each interval, by the series."""
    tree = scenario(traffic, NO_WORK, duration=duration, series=interval or duration)
    return offered_by_interval(tree, rng)


def offered_by_interval(tree, rng):
    return outcome(tree, rng).series("traffic.customers.offered")[1]


def poisson_like(count: float, mean: float) -> bool:
    low, high = stats.poisson.ppf([ALARM / 2, 1 - ALARM / 2], mean)
    return bool(low <= count <= high)


# --- traces -----------------------------------------------------------------------------------


def test_a_trace_is_replayed_to_the_nanosecond(lab):
    instants = [0, 1e-9, 0.123456789, 0.123456789, 7.000000001]
    tree = scenario(lab.at(*[f"{t:.9f}" for t in instants]), NO_WORK)
    for k, instant in enumerate(instants):
        until = f"{instant:.9f}s"
        earlier = sum(t < instant for t in instants)
        if instant > 0:
            assert customers(tree | {"duration": until})["offered"] == earlier, k
        after = f"{instant + 1e-9:.9f}s"
        assert customers(tree | {"duration": after})["offered"] == sum(
            t <= instant for t in instants
        )


def test_a_trace_ends(lab):
    assert fates(customers(scenario(lab.at(1, 2, 3), duration="1h"))) == (3, 0, 0, 0, 0)


def test_scale_multiplies_the_instants_and_shift_is_added_after(lab):
    path = str(lab.column([0, 1, 2, 3]))
    trace = {"file": path, "column": "value", "scale": 10, "shift": "-5s"}
    tree = scenario({"to": "web", "arrivals": {"trace": trace}}, NO_WORK)
    # 0, 10, 20, 30 less 5: the first is before the run and left out.
    for until, count in ((5, 0), (5.000000001, 1), (15.000000001, 2), (25.000000001, 3)):
        assert customers(tree | {"duration": f"{until}s"})["offered"] == count


def counts(lab, rows, **keys):
    path = lab.column([f"{t},{n}" for t, n in rows], name="when,how-many")
    trace = {"file": str(path), "time_column": "when", "count_column": "how-many", **keys}
    return {"to": "web", "arrivals": {"trace": trace}}


def test_counts_are_exact_in_every_interval(lab):
    rows = [(0, 5), (60, 0), (120, 7000), (180, 1)]
    offered = arrivals(counts(lab, rows), "300s", interval="60s")
    assert offered.tolist() == [5, 0, 7000, 1, 0]


def test_counts_are_spread_evenly_within_the_interval(lab):
    offered = arrivals(counts(lab, [(0, 100_000), (100, 0)]), "100s", interval="1s")
    assert offered.sum() == 100_000
    assert stats.chisquare(offered).pvalue > ALARM


def test_scale_multiplies_the_counts(lab):
    rows = [(0, 10), (60, 11), (120, 0), (180, 1000)]
    offered = arrivals(counts(lab, rows, scale=2.5), "240s", interval="60s")
    # Totals are rounded, not intervals: 25, 52.5, 52.5, 2552.5.
    totals = np.cumsum(offered)
    assert np.all(np.abs(totals - 2.5 * np.cumsum([10, 11, 0, 1000])) <= 0.5)


def test_two_sources_replay_independently(lab):
    tree = scenario({"a": lab.at(1, 2, 3), "b": lab.at(2, 2, 50)}, {"steps": [{"compute": "0s"}]})
    result = run(tree)
    assert result["traffic"]["a"]["completed"] == 3
    assert result["traffic"]["b"]["completed"] == 3
    assert result["fleets"]["web"]["completed"] == 6


# --- random processes -------------------------------------------------------------------------


def test_constant_arrivals_are_a_clock():
    tree = scenario({"to": "web", "rate": "3/s", "arrivals": "constant"}, NO_WORK, duration="1h")
    # The last comes at 3,600 s, give or take the nanosecond that a third is cut to.
    assert customers(tree | {"duration": "3599.999999998s"})["offered"] == 10_799
    assert customers(tree | {"duration": "3600.000000001s"})["offered"] == 10_800


def test_poisson_counts_have_the_law():
    offered = arrivals({"to": "web", "rate": "2/s"}, "20000s", interval="1s")
    assert poisson_like(offered.sum(), 40_000)
    observed = np.bincount(np.minimum(offered, 8), minlength=9)
    law = np.append(stats.poisson.pmf(np.arange(8), 2), stats.poisson.sf(7, 2))
    assert stats.chisquare(observed, law * len(offered)).pvalue > ALARM
    # Counts of successive seconds have nothing to do with each other.
    correlation = np.corrcoef(offered[:-1], offered[1:])[0, 1]
    assert abs(correlation) < 4.8916 / np.sqrt(len(offered))


def test_a_profile_follows_its_polygon():
    profile = [["0s", "0/s"], ["100s", "100/s"], ["100s", "0/s"], ["200s", "0/s"], ["300s", "40/s"]]
    source = {"to": "web", "arrivals": {"profile": profile}}
    offered = arrivals(source, "400s", interval="25s")
    # The integral of the rate over each quarter.
    up = [(25 * (2 * k + 1)) / 2 * 25 for k in range(4)]
    again = [0.4 * x for x in up]
    expected = [*up, 0, 0, 0, 0, *again, 1000, 1000, 1000, 1000]
    for count, mean in zip(offered, expected, strict=True):
        assert count == 0 if mean == 0 else poisson_like(count, mean)


def test_mmpp_spends_its_time_in_proportion_to_the_stays():
    mmpp = {"rates": ["0/s", "1000/s", "100/s"], "mean_stay": ["1s", "2s", "5s"]}
    offered = arrivals({"to": "web", "arrivals": {"mmpp": mmpp}}, "8000s", interval="0.01s")
    # Hundredths of a second by what came in them: nothing, about 1, about 10.
    quiet, busy = (offered == 0).mean(), (offered >= 5).mean()
    cycles = 8000 / 8
    # Stays are exponential: a share of time p made of n stays varies by about p / sqrt(n).
    full = 0.25 * stats.poisson.sf(4, 10) + 0.625 * stats.poisson.sf(4, 1)
    assert abs(busy - full) < 4.8916 * 0.25 * np.sqrt(2 / cycles)
    empty = 0.125 + 0.625 * stats.poisson.pmf(0, 1)
    assert abs(quiet - empty) < 4.8916 * 0.625 * np.sqrt(2 / cycles)
    assert abs(offered.sum() / 8000 - 312.5) < 4.8916 * 312.5 * np.sqrt(2 / cycles)


def requests(tree):
    """Requests by target of the balancer."""
    sim = simulation(tree)
    sim.advance(tree["duration"])
    return sim.numbers()["load_balancers"]["door"]["targets"]["requests"]


@pytest.mark.parametrize(
    ("popularity", "weights"),
    [("uniform", np.ones(20)), ({"zipf": 1.1}, np.arange(1, 21) ** -1.1)],
)
def test_clients_are_as_popular_as_their_law_says(popularity, weights):
    # ip_hash shows who sent what: every client stays at one target. With far more targets than
    # clients the busiest targets are the most popular clients.
    tree = scenario(
        {
            "to": "door",
            "rate": "1000/s",
            "clients": {"count": 20, "popularity": popularity},
        },
        work({"compute": "0s"}),
        fleets={"web": fleet(count=20_000)},
        balancers={"door": {"targets": ["web"], "routing": "ip_hash"}},
        duration="200s",
    )
    counts = sorted((n for n in requests(tree) if n > 0), reverse=True)
    assert len(counts) == 20
    assert stats.chisquare(counts, sum(counts) * weights / weights.sum()).pvalue > ALARM


def test_requests_without_clients_are_clients_of_their_own():
    tree = scenario(
        {"to": "door", "rate": "1000/s"},
        work({"compute": "0s"}),
        fleets={"web": fleet(count=50)},
        balancers={"door": {"targets": ["web"], "routing": "ip_hash"}},
        duration="100s",
    )
    assert stats.chisquare(requests(tree)).pvalue > ALARM


@pytest.mark.parametrize("rate", ["1e-30/s", "1e-12/s", "1e-9/s"])
def test_a_rate_at_which_nothing_comes(rate):
    assert customers(scenario({"to": "web", "rate": rate}, duration="1000s"))["offered"] == 0
