"""Bounds and orders: what must be larger than what, beyond the combined standard error."""

from __future__ import annotations

import math

import pytest

from theory import chains, families, formulas, laws, models, oracles, reads
from theory.accept import Estimate, below
from theory.formulas import z_critical


def bounded(estimate: Estimate, low: float, high: float) -> bool:
    reach = estimate.critical * estimate.se
    return estimate.mean - reach <= high and estimate.mean + reach >= low


def wait_of(ca2: float, cs2: float, rho: float) -> Estimate:
    """Mean wait of the renewal queue with these coefficients of variation."""
    if ca2 == 1:
        law = {1: ("exp", None)}.get(cs2, ("h2" if cs2 > 1 else "gamma", float(cs2)))
        return models.run(families.waiting(rho, *law))["EW"]
    # Erlang arrivals are what round robin makes of a Poisson stream; the service mean is 1.
    assert cs2 == 1
    sojourn = models.run(families.round_robin(round(1 / ca2), rho, requests=8e6))["ET"]
    return Estimate(sojourn.mean - 1, sojourn.se, sojourn.replications)


@pytest.mark.parametrize("name", oracles.cases("GG1_bounds"))
def test_reference_bounds(name):
    entry = oracles.entries()[name]
    p, x = entry["parameters"], entry["expected"]
    estimate = wait_of(p["ca2"], p["cs2"], p["rho"])
    assert x["daley"] <= x["kingman"]
    assert bounded(estimate, x["lower"], x["daley"])
    assert bounded(estimate, x["exact"], x["exact"])


@pytest.mark.parametrize(("ca2", "cs2", "rho"), [(1, 0.3, 0.7), (1, 6.0, 0.7), (0.5, 1, 0.8)])
def test_bounds(ca2, cs2, rho):
    low, high = formulas.marchal(ca2, cs2, rho), formulas.daley(ca2, cs2, rho)
    assert high <= formulas.kingman(ca2, cs2, rho)
    assert bounded(wait_of(ca2, cs2, rho), low, high)


def policies(n: int, rho: float) -> dict[str, Estimate]:
    """The mean sojourn under each policy, in the order theory puts them."""
    made = {
        "M/M/n": families.mmc(n, rho, requests=8e6),
        "JSQ": families.routed(n, rho, "least_connections", requests=4e7),
        "JIQ": families.routed(n, rho, "join_idle_queue", requests=4e7),
        "P5C": families.routed(n, rho, families.power(5), requests=8e6),
        "P3C": families.routed(n, rho, families.power(3), requests=8e6),
        "P2C": families.routed(n, rho, families.power(2), requests=8e6),
        "RR": families.round_robin(n, rho, requests=8e6),
        "random": families.split(n, rho, requests=8e6),
    }
    return {name: models.run(model)["ET"] for name, model in made.items()}


def test_policies_are_ordered_as_theory_orders_them():
    # BOUND_policy_order of the reference data.
    at = policies(100, 0.9)
    for smaller, larger in (
        ("M/M/n", "JSQ"),
        ("JSQ", "JIQ"),
        ("JSQ", "P5C"),
        ("P5C", "P3C"),
        ("P3C", "P2C"),
        ("P2C", "random"),
        ("RR", "random"),
    ):
        assert below(at[smaller], at[larger]), (smaller, larger)


REPLACEMENT = "sampled WITH replacement"


@pytest.mark.parametrize("name", oracles.cases("P3C_n100_replacement", "P5C_n100_replacement"))
def test_sampling_is_told_apart_from_sampling_with_replacement(name):
    """The engine draws without replacement: it must miss the figure of drawing with it."""
    p, x = oracles.entries()[name]["parameters"], oracles.entries()[name]["expected"]
    assert REPLACEMENT in p["policy"]
    d = int(p["policy"].split(",")[0].split()[-1])
    model = families.routed(p["servers"], p["lam_per_server"], families.power(d), requests=3e7)
    estimate = models.run(model)["ET"]
    gap = abs(estimate.mean - x["ET"])
    assert gap > math.hypot(estimate.critical * estimate.se, z_critical() * x["se"])


def test_a_small_fleet_is_told_apart_from_sampling_with_replacement():
    model = families.routed(3, 0.7, families.power(2))
    estimate = models.run(model)["ET"]
    other = chains.routed_sojourn(3, 0.7, chains.power_with_replacement(2), 40)
    assert abs(estimate.mean - other) > estimate.critical * estimate.se


def test_jsq_with_fifo_and_constant_work_is_better_than_with_random_work():
    """Under FIFO the size law matters greatly: constant sizes need far less patience."""
    rigid = models.run(families.routed(8, 0.9, "least_connections", "det"))["ET"]
    loose = models.run(families.routed(8, 0.9, "least_connections", "exp"))["ET"]
    assert below(rigid, loose)


def test_one_counter_costs_more_than_three():
    """Straight to a fleet is life with one instance; a balancer gives the others work."""
    alone = models.Model(
        "three counters, one used",
        laws.station(0.9, laws.service(laws.law("exp"))),
        0.9,
        reads.sojourns(),
        warmup=500.0,
        drain=2000.0,
    )
    shared = families.routed(3, 0.3, "least_connections")
    assert below(models.run(shared)["ET"], models.run(alone)["ET"])
