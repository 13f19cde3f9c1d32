"""ip_hash on the router alone: how even it is, and how few clients move."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from nephoscope import _core
from theory import formulas, oracles

ALARM = 1e-6


def router(targets: int, weights=(1.0,)) -> _core.balancers.Router:
    spec = _core.routing.RoutingSpec()
    spec.kind = _core.routing.RoutingKind.ip_hash
    made = _core.balancers.Router(spec, list(weights))
    made.add(targets)
    return made


def route(made: _core.balancers.Router, clients: np.ndarray) -> np.ndarray:
    return made.route(clients.astype(np.uint64))


def clients(count: int, first: int = 0) -> np.ndarray:
    return np.arange(first, first + count, dtype=np.uint64)


def test_a_client_keeps_its_target():
    made = router(37)
    once = route(made, clients(5000))
    assert np.array_equal(route(made, clients(5000)), once)
    assert np.array_equal(route(made, clients(5000)[::-1]), once[::-1])


def test_it_needs_no_random_numbers():
    spec = _core.routing.RoutingSpec()
    spec.kind = _core.routing.RoutingKind.ip_hash
    first = _core.balancers.Router(spec, [1.0], seed=1)
    second = _core.balancers.Router(spec, [1.0], seed=2)
    first.add(10)
    second.add(10)
    assert np.array_equal(route(first, clients(1000)), route(second, clients(1000)))


@pytest.mark.parametrize("targets", [2, 3, 10, 64, 100, 1000])
@pytest.mark.parametrize("first", [0, 10**6, 2**40])
def test_targets_are_equally_likely(targets, first):
    counts = np.bincount(route(router(targets), clients(200_000, first)), minlength=targets)
    assert stats.chisquare(counts).pvalue > ALARM


def test_clients_that_differ_by_one_bit_are_independent():
    made = router(16)
    keys = clients(200_000)
    for bit in (0, 1, 7, 31, 32, 63):
        clear = keys[(keys >> np.uint64(bit)) & np.uint64(1) == 0]
        table = np.zeros((16, 16))
        np.add.at(table, (route(made, clear), route(made, clear ^ np.uint64(1 << bit))), 1)
        assert stats.chisquare(table.ravel()).pvalue > ALARM, bit


@pytest.mark.parametrize("targets", [10, 100, 1000])
def test_a_target_that_comes_takes_its_share_and_moves_no_one_else(targets):
    made = router(targets)
    keys = clients(400_000)
    before = route(made, keys)
    made.add(1)
    after = route(made, keys)
    moved = before != after
    assert np.all(after[moved] == targets)
    assert stats.binomtest(int(moved.sum()), len(keys), 1 / (targets + 1)).pvalue > ALARM
    # It takes from all of them alike.
    assert stats.chisquare(np.bincount(before[moved], minlength=targets)).pvalue > ALARM


@pytest.mark.parametrize("targets", [10, 100, 1000])
def test_a_target_that_goes_spreads_its_clients_and_moves_no_one_else(targets):
    made = router(targets)
    keys = clients(400_000)
    before = route(made, keys)
    gone = targets // 3
    made.remove(gone)
    after = route(made, keys)
    moved = before != after
    assert np.array_equal(moved, before == gone)
    assert stats.binomtest(int(moved.sum()), len(keys), 1 / targets).pvalue > ALARM
    counts = np.delete(np.bincount(after[moved], minlength=targets), gone)
    assert stats.chisquare(counts).pvalue > ALARM


@pytest.mark.parametrize("scheme", ["add", "remove"])
@pytest.mark.parametrize("name", oracles.cases("HASH_consistent_remap"))
def test_the_reference_figures_of_consistent_hashing(name, scheme):
    entry = oracles.entries()[name]
    targets = entry["parameters"]["n"]
    made = router(targets)
    keys = clients(1_000_000, 10**9)
    before = route(made, keys)
    if scheme == "add":
        made.add(1)
    else:
        made.remove(targets // 2)
    moved = int((route(made, keys) != before).sum())
    assert stats.binomtest(moved, len(keys), entry["expected"][scheme]).pvalue > ALARM


def test_one_that_goes_and_comes_back_restores_the_shares():
    made = router(50)
    keys = clients(500_000)
    before = route(made, keys)
    made.remove(49)
    made.add(1)
    after = route(made, keys)
    after[after == 50] = 49
    # The newcomer takes the last one's place: nobody has to move.
    assert np.array_equal(after, before)


@pytest.mark.parametrize("first", [1, 2, 3, 15, 16, 17, 100])
def test_growing_and_shrinking_by_any_number_moves_no_one_else(first):
    """Past every power of two, with room or without."""
    made = router(first)
    keys = clients(40_000)
    grown = [route(made, keys)]
    for newcomer in range(first, 8 * first + 3):
        made.add(1)
        grown.append(route(made, keys))
        moved = grown[-1] != grown[-2]
        assert np.all(grown[-1][moved] == newcomer)
        share = stats.binomtest(int(moved.sum()), len(keys), 1 / (newcomer + 1))
        assert share.pvalue > ALARM, newcomer
    for last in reversed(range(first, 8 * first + 3)):
        made.remove(last)
        grown.pop()
        assert np.array_equal(route(made, keys), grown[-1]), last


@pytest.mark.parametrize("gone", [[3], [9], [0, 4, 9], [9, 8, 7], list(range(1, 10))])
def test_those_who_come_take_the_places_of_those_who_went_then_new_ones(gone):
    made = router(10)
    keys = clients(200_000)
    for slot in gone:
        made.remove(slot)
    for newcomer in range(10, 25):
        before = route(made, keys)
        made.add(1)
        after = route(made, keys)
        moved = before != after
        assert np.all(after[moved] == newcomer)
        assert stats.binomtest(int(moved.sum()), len(keys), 1 / made.size).pvalue > ALARM
        slots, counts = np.unique(after, return_counts=True)
        assert len(slots) == made.size
        assert stats.chisquare(counts).pvalue > ALARM


def test_it_starts_anew_when_everyone_has_gone():
    made = router(3)
    for slot in (1, 0, 2):
        made.remove(slot)
    assert made.size == 0
    made.add(5)
    counts = np.bincount(route(made, clients(100_000)), minlength=8)
    assert np.all(counts[:3] == 0)
    assert stats.chisquare(counts[3:]).pvalue > ALARM


def test_shares_stay_even_through_a_long_history():
    made = router(30)
    present, joined = list(range(30)), 30
    draws = np.random.default_rng(5)
    for step in range(200):
        if draws.random() < 0.5 and len(present) > 5:
            made.remove(present.pop(int(draws.integers(len(present)))))
        else:
            made.add(1)
            present.append(joined)
            joined += 1
        if step % 50 == 49:
            chosen = route(made, clients(100_000, step * 10**6))
            slots, counts = np.unique(chosen, return_counts=True)
            assert len(slots) == made.size
            assert stats.chisquare(counts).pvalue > ALARM


def test_classes_get_clients_by_weight():
    made = router(4, weights=(1.0, 3.0, 0.5))
    made.add(2, 1)
    made.add(2, 2)
    counts = np.bincount(route(made, clients(300_000)), minlength=8)
    shares = np.array([1, 1, 1, 1, 3, 3, 0.5, 0.5])
    assert stats.chisquare(counts, counts.sum() * shares / shares.sum()).pvalue > ALARM


@pytest.mark.parametrize(("heads", "targets"), [(100, 100), (300, 20), (50, 7)])
def test_the_fullest_target_has_the_law_of_balls_in_bins(heads, targets):
    """Clients thrown evenly: the fullest of the targets against the exact law of the maximum."""
    mean, variance = formulas.fullest_bin(heads, targets)
    estimate = fullest(heads, targets, 3000)
    assert abs(estimate - mean) < formulas.z_critical() * math.sqrt(variance / 3000)


@pytest.mark.parametrize("name", oracles.cases("IPHASH_max"))
def test_the_reference_figures_of_the_fullest_server(name):
    entry = oracles.entries()[name]
    heads, targets = entry["parameters"]["clients"], entry["parameters"]["servers"]
    trials = 3000 if heads < 1000 else 400
    _, variance = formulas.fullest_bin(heads, targets)
    margin = formulas.z_critical() * math.sqrt(variance / trials)
    assert abs(fullest(heads, targets, trials) - entry["expected"]["E_max"]) < margin


def fullest(heads: int, targets: int, trials: int) -> float:
    """Mean number of clients on the fullest target, over groups of clients that share none."""
    chosen = route(router(targets), clients(heads * trials)).reshape(trials, heads)
    return float(np.mean([np.bincount(row, minlength=targets).max() for row in chosen]))


def test_idle_targets_are_as_many_as_chance_says():
    heads = targets = 100
    trials = 3000
    chosen = route(router(targets), clients(heads * trials)).reshape(trials, heads)
    idle = np.array([targets - len(np.unique(row)) for row in chosen]) / targets
    expected = (1 - 1 / targets) ** heads
    se = idle.std(ddof=1) / math.sqrt(trials)
    assert abs(idle.mean() - expected) < formulas.z_critical() * se
