"""The credit scheduler's long-run figures, over seeds, which are random phases of its timers.

The figures beside the cases are those of an independent prototype of the same rules; a case is
given the spread that phases make. Where the published rules activate vCPUs at ticks alone, so do
the tests of what follows from it.
"""

from __future__ import annotations

import numpy as np
import pytest

from compute.credit_readings import Choosy, Hasty
from compute.credit_twin import Twin
from nephoscope import parts

MS = 1_000_000
SECOND = 1000 * MS
SEEDS = range(3)
AS_PUBLISHED = {"activate_at_decision": False}


def credit(cores: int, seed: int, **options) -> parts.Hypervisor:
    return parts.Hypervisor(1, scheduler="credit", cores=cores, seed=seed, **options)


def shares(cores, vcpus, weights, seed=0, caps=0, seconds=600, **options):
    made = credit(cores, seed, **options)
    made.add([0] * len(vcpus), vcpus=vcpus, weight=weights, cap=np.asarray(caps) / 100)
    made.want(range(len(vcpus)), vcpus)
    made.advance(seconds * SECOND)
    return made.accounts()["run_ns"] / (seconds * SECOND)


# --- shares -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("cores", "vcpus", "weights", "wanted", "relative"),
    [
        (1, [1, 1], [256, 512], [0.3336, 0.6664], 0.01),
        (1, [1, 1, 1], [256, 512, 1024], [0.1435, 0.2869, 0.5696], 0.015),
        # Phases move this one between 0.125, which would be fair, and what the prototype had.
        (1, [1, 1], [256, 1792], [0.1385, 0.8615], 0.11),
        (4, [4, 4, 1], [256] * 3, [1.791, 1.772, 0.437], 0.03),
        (8, [20, 1], [256] * 2, [7.619, 0.381], 0.01),
        (8, [4, 4, 8, 4], [256, 512, 256, 128], [1.507, 2.691, 3.013, 0.790], 0.02),
    ],
)
def test_long_run_shares(cores, vcpus, weights, wanted, relative, seed):
    assert shares(cores, vcpus, weights, seed) == pytest.approx(wanted, rel=relative)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_vcpu_of_a_whole_pcpu_keeps_it_because_others_are_stolen(seed):
    """Entitled to more than a pCPU it is always UNDER, and who waits behind it goes elsewhere."""
    assert shares(2, [1] * 4, [2048, 256, 256, 256], seed) == pytest.approx(
        [1.0, 1 / 3, 1 / 3, 1 / 3], rel=0.01
    )


def twin_shares(twin: Twin, weights, seconds=60):
    for number, weight in enumerate(weights):
        twin.add(1, weight)
        twin.want(number, 1)
    twin.advance(seconds * SECOND)
    return [it.vcpus[0].run_ns / (seconds * SECOND) for it in twin.tenants]


@pytest.mark.parametrize(
    ("twin", "wanted"), [(Twin, [1.0, 1 / 3, 1 / 3, 1 / 3]), (Choosy, [0.566, 0.5, 0.434, 0.5])]
)
def test_where_the_prototype_has_less_for_the_heavy_one(twin, wanted):
    """It leaves alone a pCPU where only one waits: then nobody ever moves.

    "At most one runnable" is read here as the one that runs, so whoever waits may be stolen.
    """
    made = twin([0, 1_300_000], 7 * MS, **AS_PUBLISHED)
    assert twin_shares(made, [2048, 256, 256, 256]) == pytest.approx(wanted, rel=0.02)


@pytest.mark.parametrize(("twin", "light"), [(Twin, 0.128), (Hasty, 0.182)])
def test_aligned_timers_lock_and_where_depends_on_the_order_at_one_instant(twin, light):
    """The prototype's 0.1819 is that of decisions before accounting; here they come after it."""
    assert twin_shares(twin([0], 30 * MS, **AS_PUBLISHED), [256, 1792])[0] == pytest.approx(
        light, abs=0.002
    )
    if twin is Twin:
        assert shares(1, [1, 1], [256, 1792], aligned=True)[0] == pytest.approx(light, abs=0.002)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("cores", "vcpus", "caps", "wanted"),
    [
        (1, [1], [40], [0.4]),
        (1, [1, 1], [40, 0], [0.4, 0.6]),
        (1, [1, 1, 1], [25, 25, 0], [0.25, 0.25, 0.5]),
        (1, [1, 1], [60, 60], [0.5, 0.5]),
        (4, [4, 4], [150, 0], [1.507, 2.493]),
    ],
)
def test_caps(cores, vcpus, caps, wanted, seed):
    found = shares(cores, vcpus, [256] * len(vcpus), seed, caps, seconds=300)
    assert found == pytest.approx(wanted, rel=0.005)


def window_errors(cores, vcpus, weights, window_ns, seed, seconds=300, **options) -> np.ndarray:
    """Relative to the fluid share of each tenant, after 10 s."""
    made = credit(cores, seed, **options)
    made.add([0] * len(weights), vcpus=vcpus, weight=weights)
    made.want(range(len(weights)), vcpus)
    made.advance(10 * SECOND)
    fluid = cores * np.asarray(weights) / sum(weights) * window_ns
    runs = [made.accounts()["run_ns"]]
    for _ in range(seconds * SECOND // window_ns):
        made.advance(made.now_ns + window_ns)
        runs.append(made.accounts()["run_ns"])
    return np.diff(runs, axis=0) / fluid - 1


@pytest.mark.parametrize(
    ("cores", "vcpus", "weights", "slice_ms", "rms"),
    [
        (1, 1, [256, 256], 30, {30: 0.81, 100: 0.20, 300: 0.11, 1000: 0.028}),
        (1, 1, [256, 512], 30, {30: 0.87, 100: 0.35, 300: 0.12, 1000: 0.034}),
        (16, 4, [256] * 10, 30, {30: 0.46, 100: 0.21, 300: 0.056, 1000: 0.02}),
        (1, 1, [256, 256], 5, {30: 0.15, 100: 0.044, 300: 0.015, 1000: 0.004}),
    ],
)
def test_error_over_a_window(cores, vcpus, weights, slice_ms, rms):
    for window, wanted in rms.items():
        found = []
        for seed in SEEDS:
            errors = window_errors(
                cores, vcpus, weights, window * MS, seed, 60, slice_ns=slice_ms * MS
            )
            found.append(np.sqrt(np.mean(errors**2)))
        assert np.median(found) == pytest.approx(wanted, rel=0.3), window


@pytest.mark.parametrize(
    ("cores", "vcpus", "weights"), [(1, 1, [256] * 2), (1, 1, [256, 512]), (16, 4, [256] * 10)]
)
def test_windows_of_ten_seconds_are_as_fair_as_a_fluid(cores, vcpus, weights):
    for seed in SEEDS:
        errors = window_errors(cores, vcpus, weights, 10 * SECOND, seed, 600)
        assert np.abs(errors).max() < 0.015


# --- latency ----------------------------------------------------------------------------------


def latency(hogs: int, seed: int, seconds: int = 600, **options):
    """Of one who wakes every 10 ms for 0.1 ms, among hogs on one pCPU."""
    made = credit(1, seed, **options)
    tenants = made.add([0] * (hogs + 1))
    guests = parts.Guests()
    guests.always(tenants[1:])
    guests.poisson(tenants[0], gap_ns=10 * MS, work_ns=MS // 10, seed=seed)
    made.drive(guests, seconds * SECOND)
    assert guests.response(0).count == pytest.approx(100 * seconds, rel=0.03)
    return guests.latency(0)


@pytest.mark.parametrize(
    ("hogs", "mean", "p99", "greatest"), [(1, 66, 910, 69), (2, 91, 920, 131), (8, 358, 920, 432)]
)
def test_wake_up_latency_with_boost(hogs, mean, p99, greatest):
    """Means and p99 in us, maxima in ms: rare long waits of who was never seen by a tick."""
    found = [latency(hogs, seed, **AS_PUBLISHED) for seed in SEEDS]
    assert np.mean([it.mean for it in found]) / 1e3 == pytest.approx(mean, rel=0.15)
    assert [it.quantile(0.99) / 1e3 for it in found] == pytest.approx([p99] * 3, rel=0.03)
    assert np.mean([it.max for it in found]) / MS == pytest.approx(greatest, rel=0.25)


@pytest.mark.parametrize("hogs", [1, 4, 8])
def test_who_is_activated_when_debited_waits_for_the_rate_limit_alone(hogs):
    """The floor: 1 - exp(-1/10) of the wake-ups fall into the rate limit; the mean is 48 us."""
    found = latency(hogs, 1)
    assert found.mean / 1e3 == pytest.approx(48, abs=10)
    assert found.quantile(1 - 0.11) == 0 < found.quantile(1 - 0.08)
    assert found.quantile(0.999) < 1.01 * MS


@pytest.mark.parametrize(
    ("hogs", "mean", "p50", "p99"), [(1, 14.95, 18.2, 29.96), (2, 25.1, 25.6, 59.6)]
)
def test_wake_up_latency_without_boost(hogs, mean, p50, p99):
    for seed in SEEDS:
        found = latency(hogs, seed, boost=False, **AS_PUBLISHED)
        assert found.mean / MS == pytest.approx(mean, rel=0.05)
        assert found.quantile(0.5) / MS == pytest.approx(p50, rel=0.05)
        assert found.quantile(0.99) / MS == pytest.approx(p99, rel=0.02)


@pytest.mark.parametrize(("limit_ms", "p99"), [(0, 0.0), (1, 0.92), (5, 4.91)])
def test_the_rate_limit_is_the_tail(limit_ms, p99):
    found = latency(4, 0, ratelimit_ns=limit_ms * MS, **AS_PUBLISHED)
    assert found.quantile(0.99) / MS == pytest.approx(p99, rel=0.03)


@pytest.mark.parametrize(("load", "stable"), [(0.15, True), (0.19, True), (0.21, False)])
def test_more_than_the_fair_share_is_not_to_be_had(load, stable):
    """Among four hogs on one pCPU a fifth is fair, for boosted ones as well."""
    made = credit(1, 0)
    tenants = made.add([0] * 5)
    guests = parts.Guests()
    guests.always(tenants[1:])
    guests.poisson(tenants[0], gap_ns=10 * MS, work_ns=round(load * 10 * MS))
    made.drive(guests, 600 * SECOND)
    share = made.accounts()["run_ns"][0] / (600 * SECOND)
    assert share == pytest.approx(load if stable else 0.2, rel=0.01)
    assert (guests.response(0).mean < 200 * MS) == stable


@pytest.mark.parametrize(("on", "off"), [(5, 45), (10, 20), (15, 15), (30, 30)])
def test_the_tail_is_the_burst_of_as_many_neighbours_as_pcpus(on, off):
    def tail(neighbours: int) -> float:
        made = credit(2, 0)
        tenants = made.add([0] * (neighbours + 1))
        guests = parts.Guests()
        guests.on_off(tenants[1:], on_ns=on * MS, off_ns=off * MS)
        guests.poisson(tenants[0], gap_ns=10 * MS, work_ns=MS // 20)
        made.drive(guests, 600 * SECOND)
        return guests.latency(0).quantile(0.999) / MS

    # The prototype, which takes nobody from where only one waits, has up to 2 on-times for four
    # neighbours; here an idle pCPU takes whoever waits.
    assert tail(1) == 0.0
    assert tail(2) == pytest.approx(on, rel=0.06)
    assert 0.9 * on < tail(4) < 2.0 * on


# --- theft and isolation ----------------------------------------------------------------------


def theft(hogs: int, warm: bool = True, seed: int = 0, **options) -> float:
    """The share of who runs 9.5 of every 10 ms and sleeps at ticks, in 60 s; 1 s to warm up."""
    made = credit(1, seed, **options)
    tenants = made.add([0] * (hogs + 1))
    guests = parts.Guests()
    guests.always(tenants[1:])
    start = int(made.tick_phases(0)[0]) + MS // 4 + (SECOND if warm else 0)
    guests.on_off(
        tenants[0],
        on_ns=9_500_000,
        off_ns=500_000,
        start_ns=start,
        by_the_clock=True,
        warm=warm,
    )
    made.drive(guests, 60 * SECOND)
    return made.accounts()["run_ns"][0] / (60 * SECOND)


@pytest.mark.parametrize(
    ("hogs", "sampled", "limited"), [(1, 0.942, 0.893), (2, 0.940, 0.891), (4, 0.937, 0.888)]
)
def test_sampled_debit_is_stolen_from_and_exact_debit_is_not(hogs, sampled, limited):
    for seed in SEEDS:
        rules = {"exact_debit": False, "seed": seed}
        assert theft(hogs, ratelimit_ns=0, **rules) == pytest.approx(sampled, abs=0.002)
        assert theft(hogs, **rules) == pytest.approx(limited, abs=0.002)
        for limit in (0, MS):
            fair = theft(hogs, ratelimit_ns=limit, seed=seed)
            assert fair == pytest.approx(1 / (hogs + 1), abs=0.003)


def test_who_was_never_seen_by_a_tick_wins_only_where_ticks_alone_activate():
    assert theft(2, warm=False, ratelimit_ns=0, **AS_PUBLISHED) == pytest.approx(0.95, abs=0.002)
    assert theft(2, warm=False, **AS_PUBLISHED) == pytest.approx(0.90, abs=0.002)
    assert theft(2, warm=False, ratelimit_ns=0) == pytest.approx(1 / 3, abs=0.003)
    assert theft(2, warm=False) == pytest.approx(1 / 3, abs=0.003)


@pytest.mark.parametrize(
    ("boosters", "ms", "least", "most"),
    [(0, 0.5, 0.999, 1.001), (3, 0.5, 0.99, 1.01), (7, 0.5, 0.82, 0.93), (7, 5.0, 0.85, 0.93)],
)
def test_what_is_left_of_a_victims_entitlement(boosters, ms, least, most):
    """Against as many as seven that wake all the time it is less than its due.

    The prototype, where ticks alone activate, has 0.84 and 0.875: test_credit_readings.py. How
    much less depends on when the others begin: here all at once.
    """
    others = boosters or 3
    made = credit(1, 0)
    tenants = made.add([0] * (others + 1))
    guests = parts.Guests()
    guests.always(tenants if not boosters else tenants[0])
    if boosters:
        time = round(ms * MS)
        guests.on_off(tenants[1:], on_ns=time, off_ns=time)
    made.drive(guests, 300 * SECOND)
    share = made.accounts()["run_ns"][0] / (300 * SECOND)
    assert least < share * (others + 1) < most
