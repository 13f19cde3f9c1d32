"""Policies of a user's own, on fleets that are advanced, looked at and set, keep to their laws."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

import nephoscope as nph
from semantics.lab import Lab, Tree, fleet, scenario, work
from theory import oracles, scaling_laws

RIGHT = 400  # instances that the load needs
PERIOD_S = 10


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path)


def simulation(tree: Tree) -> nph.Simulation:
    return nph.Simulation(nph.Scenario.model_validate(tree), rng=1)


def serving(sim: nph.Simulation) -> int:
    return int(sim.result()["fleets.web.instances.final"])


# --- an integral controller that sees its fleet late ------------------------------------------


def controlled(gain: float, delay: int, periods: int) -> list[float]:
    """How far the fleet is from what it needs after each period, of what it was at first.

    An instance is to take one request in ten periods; what is measured is what came and who served.
    """
    tree = scenario(
        {"to": "door", "rate": f"{RIGHT / 10 / PERIOD_S:g}/s", "arrivals": "constant"},
        work({"compute": "1ms"}),
        fleets={"web": fleet(count=RIGHT + 100)},
        balancers={"door": {"targets": ["web"], "routing": "round_robin"}},
        duration=f"{(periods + 1) * PERIOD_S}s",
        series="none",
    )
    sim = simulation(tree)
    sim.advance("1s")  # between arrivals
    wanted, came = float(RIGHT + 100), sim.result()["traffic.customers.offered"]
    seen: list[float] = []
    for _ in range(periods):
        sim.advance(f"{PERIOD_S}s")
        offered = sim.result()["traffic.customers.offered"]
        needed, came = 10 * (offered - came), offered
        seen.append(serving(sim) - needed)
        wanted -= gain * (seen[-1 - delay] if len(seen) > delay else seen[0])
        sim.set("fleets.web.count", max(round(wanted), 0))
    return [error / seen[0] for error in seen]


@pytest.mark.parametrize("name", oracles.cases("SCALER_gain_limit"))
@pytest.mark.parametrize("settles", [True, False])
def test_gain_limit_of_the_reference(name, settles):
    """A hundredth below the limit the swing dies out, a hundredth above it grows."""
    entry = oracles.entries()[name]
    delay = entry["parameters"]["delay_periods"]
    gain = entry["expected"] * (0.99 if settles else 1.01)
    radius = scaling_laws.spectral_radius(gain, delay)
    periods = math.ceil(math.log(2.0) / abs(math.log(radius)))
    swing = np.abs(controlled(gain, delay, periods))
    law = np.abs(scaling_laws.integral_law(gain, delay, periods))
    cycle = 4 * delay + 4
    first, last = swing[:cycle].max(), swing[-cycle:].max()
    assert last < 0.65 * first if settles else last > 1.5 * first
    # A decision is up to half an instance off, half a percent of the swing at first.
    assert last == pytest.approx(law[-cycle:].max(), rel=0.15)


# --- the proportional rule with a tolerance ---------------------------------------------------


def replicas(current: int, metric: Fraction, target: Fraction, tolerance: Fraction) -> int:
    """What the rule asks for: nothing else as long as the metric is near its target."""
    ratio = metric / target
    return current if abs(ratio - 1) <= tolerance else math.ceil(current * ratio)


@pytest.mark.parametrize("name", oracles.cases("HPA_"))
def test_replicas_of_the_reference(name):
    """The metric is what an instance was sent in a period."""
    entry = oracles.entries()[name]
    p = entry["parameters"]
    current, tolerance = p["current"], Fraction(p.get("tolerance", 0.1)).limit_denominator(1000)
    metric, target = (Fraction(p[key]).limit_denominator(1000) for key in ("metric", "target"))
    requests = current * metric
    whole = requests * requests.denominator  # requests of a period in which all are whole
    seconds = 100
    tree = scenario(
        {"to": "door", "rate": f"{float(whole / seconds):.12g}/s", "arrivals": "constant"},
        work({"compute": "1us"}),
        fleets={"web": fleet(count=current)},
        balancers={"door": {"targets": ["web"], "routing": "round_robin"}},
        duration="200s",
        series="none",
    )
    sim = simulation(tree)
    sim.advance(f"{seconds * 1_000_000_000 + 1}ns")
    offered = sim.result()["traffic.customers.offered"]
    assert offered == whole
    measured = Fraction(offered, requests.denominator) / serving(sim)
    sim.set("fleets.web.count", replicas(serving(sim), measured, target, tolerance))
    sim.advance("1s")
    assert serving(sim) == entry["expected"]


# --- capacity that follows a load -------------------------------------------------------------


@pytest.mark.parametrize("name", oracles.cases("SCALER_fluid_ramp"))
def test_shortfall_and_backlog_of_a_ramp(name, lab):
    """The policy asks each second for what the load is then; instances boot for the lag."""
    p, expected = oracles.entries()[name]["parameters"], oracles.entries()[name]["expected"]
    slope, until, before = p["r"], 600, 100
    total = round(before * until + slope * until**2 / 2)
    # Request i comes when the load has added up to i.
    numbers = np.arange(total)
    times = (np.sqrt(before**2 + 2 * slope * numbers) - before) / slope
    tree = scenario(
        lab.at(*np.round(times, 9), to="door"),
        work({"compute": "1s"}),
        fleets={"web": fleet(count=before) | {"boot": f"{p['L']:g}s"}},
        balancers={"door": {"targets": ["web"], "routing": "least_connections"}},
        duration=f"{until}s",
        series="none",
    )
    sim = simulation(tree)
    sim.advance("0.5s")
    for second in range(until):
        sim.set("fleets.web.count", before + round(slope * (second + 1)))
        sim.advance("1s")
        if second >= p["L"] and second % 20 == 0:
            short = before + slope * (second + 1.5) - serving(sim)
            assert short == pytest.approx(expected["shortfall"], abs=1.0)
    numbers_of = sim.result()._numbers
    served_s = numbers_of["fleets"][0]["run_ns"] / 1e9
    backlog = numbers_of["traffic"][0]["offered"] - served_s
    # In the first second each of the first instances waits for its first request.
    assert backlog == pytest.approx(expected["backlog"], abs=before + 1)
