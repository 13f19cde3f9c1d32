"""Laws of scaling in a world without noise: against each other and against the reference data."""

from __future__ import annotations

from fractions import Fraction

import pytest

from theory import oracles, scaling_laws

HALF = Fraction(1, 2)


def step(lag: int, periods: int) -> list[float]:
    return [float(n) for n in scaling_laws.ratio_law(HALF, [1] * periods, lag)]


# --- against the data -------------------------------------------------------------------------


@pytest.mark.parametrize("name", oracles.cases("SCALER_ratio_law"))
def test_ratio_law_of_the_reference(name):
    entry = oracles.entries()[name]
    expected, lag = entry["expected"], entry["parameters"]["lag"]
    assert step(lag, 12) == expected["n"]
    assert max(step(lag, 24)) == expected["peak_over_24"]


@pytest.mark.parametrize("name", oracles.cases("SCALER_gain_limit"))
def test_gain_limits_of_the_reference(name):
    entry = oracles.entries()[name]
    delay = entry["parameters"]["delay_periods"]
    limit = scaling_laws.critical_gain(delay)
    assert limit == pytest.approx(entry["expected"], rel=6e-10)
    assert scaling_laws.spectral_radius(limit, delay) == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("name", oracles.cases("SCALER_fluid_step"))
def test_fluid_step_of_the_reference(name):
    p, expected = oracles.entries()[name]["parameters"], oracles.entries()[name]["expected"]
    before, after = (n * p["mu"] for n in p["n"])
    mine = scaling_laws.fluid_step(p["lam"][1], before, after, p["detect"] + p["boot"])
    assert mine == pytest.approx(
        (
            expected["backlog"],
            expected["drain"],
            expected["max_wait"],
            expected["arrival_time_of_max_wait"],
        ),
        rel=1e-9,
    )


@pytest.mark.parametrize("name", oracles.cases("SCALER_fluid_ramp"))
def test_fluid_ramp_of_the_reference(name):
    p, expected = oracles.entries()[name]["parameters"], oracles.entries()[name]["expected"]
    mine = scaling_laws.fluid_ramp(p["r"], p["L"], 600.0)
    assert mine == pytest.approx((expected["shortfall"], expected["backlog"]), rel=1e-9)


# --- against each other -----------------------------------------------------------------------


@pytest.mark.parametrize("lag", [0, 1, 2, 3])
def test_the_ratio_law_is_the_integral_law_of_logarithms(lag):
    exact = scaling_laws.ratio_law(HALF, [1] * 30, lag)
    assert exact == [HALF**y for y in scaling_laws.ratio_law_logarithms(lag, 30)]
    assert scaling_laws.ratio_law_logarithms(lag, 30) == scaling_laws.integral_law(1.0, lag, 30)


def test_lags_settle_cycle_and_diverge():
    assert step(0, 24)[1:] == [1.0] * 24
    assert step(1, 24)[:19] == step(1, 24)[6:25] != [1.0] * 19
    grown = [abs(y) for y in scaling_laws.ratio_law_logarithms(2, 60)]
    assert max(grown[40:]) > 100 * max(grown[:10])


@pytest.mark.parametrize("delay", [0, 1, 2, 4, 7])
@pytest.mark.parametrize(("share", "stable"), [(0.99, True), (1.01, False)])
def test_the_critical_gain_parts_what_settles_from_what_diverges(delay, share, stable):
    gain = share * scaling_laws.critical_gain(delay)
    assert (scaling_laws.spectral_radius(gain, delay) < 1) == stable
    x = [abs(value) for value in scaling_laws.integral_law(gain, delay, 6000)]
    assert (max(x[-60:]) < 0.1) == stable
    assert (max(x[-60:]) > 10) == (not stable)


def test_decisions_are_rounded_up():
    # 10 instances, 16 are needed: 10 x 1.6 = 16. Then 5 are: 16 x 5/16. With a metric one period
    # old: 16 x 16/10 = 25.6 and 26 x 5/16 = 8.1.
    assert scaling_laws.ratio_law(10, [16, 5], 0, whole=True) == [10, 16, 5]
    assert scaling_laws.ratio_law(10, [16, 16, 5], 1, whole=True) == [10, 16, 26, 26]
    assert scaling_laws.ratio_law(10, [16, 16, 5, 5], 1, whole=True)[-1] == 26 * 5 // 26
    assert scaling_laws.ratio_law(3, [Fraction(7, 2)], 0, whole=True) == [3, 4]


@pytest.mark.parametrize("lag", [0, 1])
def test_rounding_up_keeps_at_least_what_the_law_asks_for_a_period(lag):
    loads = [7, 7, 19, 19, 4, 11, 11, 11]
    n = scaling_laws.ratio_law(7, loads, lag, whole=True)
    for k in range(len(loads)):
        seen = max(k - lag, 0)
        asked = n[k] * loads[seen] / n[seen]
        assert asked <= n[k + 1] < asked + 1


def test_a_fluid_step_by_small_steps():
    """The same figures, by following the queue second by second."""
    load, before, after, lag = 200.0, 120.0, 250.0, 180.0
    backlog, served, arrived = 0.0, 0.0, 0.0
    curve = []
    for t in range(1000):
        curve.append((arrived, served, backlog))
        capacity = before if t < lag else after
        out = min(capacity, backlog + load)
        arrived, served, backlog = arrived + load, served + out, backlog + load - out
    mine = scaling_laws.fluid_step(load, before, after, lag)
    assert max(b for _, _, b in curve) == mine.backlog
    empty = next(t for t, (_, _, b) in enumerate(curve) if t > lag and b == 0)
    assert empty == pytest.approx(lag + mine.drain, abs=1)
    at = round(mine.arrival_of_max_wait)
    waits = [
        next(u for u in range(t, 1000) if curve[u][1] >= curve[t][0]) - t for t in range(at + 200)
    ]
    assert max(waits) == pytest.approx(mine.max_wait, abs=1)
    assert abs(waits.index(max(waits)) - at) <= 2


@pytest.mark.parametrize("until", [60.0, 180.0, 600.0])
def test_a_fluid_ramp_by_small_steps(until):
    slope, lag, dt = 2.0, 180.0, 0.01
    times = [dt * (k + 0.5) for k in range(round(until / dt))]
    short = [slope * t - slope * max(t - lag, 0.0) for t in times]
    mine = scaling_laws.fluid_ramp(slope, lag, until)
    assert sum(short) * dt == pytest.approx(mine.backlog, rel=1e-6)
    assert short[-1] == pytest.approx(mine.shortfall, rel=1e-3)
