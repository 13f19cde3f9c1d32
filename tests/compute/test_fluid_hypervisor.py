"""Hosts shared as a fluid: time adds up, caps are buckets, a quiet neighbour costs nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nephoscope import parts
from nephoscope.errors import ScenarioError

MS = 1_000_000
SECOND = 1000 * MS
PERIOD = 100 * MS
CAUSES = ("run_ns", "steal_by_contention_ns", "steal_by_cap_ns", "idle_ns")


def hypervisor(hosts: int = 1, **facts) -> parts.Hypervisor:
    return parts.Hypervisor(hosts, **facts)


def run_ns(made: parts.Hypervisor, tenant: int = 0) -> int:
    return int(made.accounts()["run_ns"][tenant])


# --- caps: closed forms -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cap", "vcpus", "lead"), [(0.5, 1, 25.0), (2.0, 4, 100.0), (1.0, 8, 87.5)]
)
def test_a_capped_hog_leads_its_average_by_no_more_than_the_bucket(cap, vcpus, lead):
    """Service less the average lies in [0, Q (1 - Q / (n P))]."""
    made = hypervisor(cores=16)
    made.add(0, vcpus=vcpus, cap=cap)
    made.want(0, vcpus)
    leads = []
    for at in range(0, 1000 * MS, MS // 2):
        made.advance(at)
        leads.append((run_ns(made) - cap * at) / MS)
    assert min(leads) == pytest.approx(0.0, abs=1e-6)
    assert max(leads) == pytest.approx(lead, abs=1e-5)


def response(work_ms: float, phase_ms: float) -> float:
    """Of one vCPU with so much to do from 0 on and 50 ms of every 100, ms."""
    made = hypervisor(cores=1)
    made.add(0, cap=0.5, phase_ns=round(phase_ms * MS))
    made.want(0, 1)
    made.advance(10 * SECOND)
    # Found by bisection: work done grows with time.
    low, high = 0, 10 * SECOND
    while high - low > 1:
        middle = (low + high) // 2
        again = hypervisor(cores=1)
        again.add(0, cap=0.5, phase_ns=round(phase_ms * MS))
        again.want(0, 1)
        again.advance(middle)
        low, high = (low, middle) if run_ns(again) >= work_ms * MS else (middle, high)
    return high / MS


@pytest.mark.parametrize("work", [10.0, 40.0, 50.0])
@pytest.mark.parametrize("phase", [0.0, 30.0, 70.0, 99.0])
def test_what_fits_into_the_bucket_is_not_slowed(work, phase):
    assert response(work, phase) == work


@pytest.mark.parametrize(
    ("work", "least", "mean", "most"), [(60.0, 60.0, 77.5, 110.0), (120.0, 170.0, 192.5, 220.0)]
)
def test_a_cap_is_a_bucket_and_not_a_rate(work, least, mean, most):
    """At a random phase, with 50 ms of every 100; a rate would say twice the work."""
    found = [response(work, phase) for phase in np.arange(0.5, 100.0, 5.0)]
    assert min(found) >= least - 1e-6
    assert max(found) <= most + 1e-6
    assert np.mean(found) == pytest.approx(mean, abs=1.0)


def test_many_threads_empty_the_bucket_at_once():
    made = hypervisor(cores=16)
    made.add(0, vcpus=10, cap=0.5)
    made.want(0, 10)
    made.advance(5 * MS)
    assert run_ns(made) == 50 * MS
    made.advance(100 * MS)
    assert run_ns(made) == 50 * MS
    assert int(made.accounts()["steal_by_cap_ns"][0]) == 10 * 95 * MS


def test_what_is_not_used_in_a_period_is_gone():
    made = hypervisor(cores=1)
    made.add(0, cap=0.3)
    made.advance(5 * SECOND)
    made.want(0, 1)
    made.advance(5 * SECOND + 100 * MS)
    assert run_ns(made) == 30 * MS


def test_a_cap_that_a_share_keeps_within_costs_nothing():
    """Two hogs of one core have half each: a cap of half a core never bites."""
    made = hypervisor(cores=1)
    made.add([0, 0], cap=0.5)
    made.want([0, 1], 1)
    made.advance(10 * SECOND)
    assert made.accounts()["steal_by_cap_ns"].tolist() == [0, 0]
    assert made.accounts()["run_ns"].tolist() == [5 * SECOND] * 2


def test_what_a_capped_neighbour_leaves_is_used():
    made = hypervisor(cores=1)
    made.add([0, 0], cap=[0.25, 0.0])
    made.want([0, 1], 1)
    made.advance(10 * SECOND)
    assert made.accounts()["run_ns"].tolist() == [2.5 * SECOND, 7.5 * SECOND]


# --- speed, SMT, migration --------------------------------------------------------------------


@pytest.mark.parametrize(("busy", "cores"), [(1, 1.0), (4, 4.0), (6, 4.5), (8, 5.0), (12, 5.0)])
def test_second_threads_of_a_core_add_less(busy, cores):
    made = hypervisor(cores=4, threads_per_core=2, smt_gain=0.25, speed=2.0)
    made.add([0] * busy)
    made.want(range(busy), 1)
    made.advance(SECOND)
    found = made.accounts()
    assert found["work_ns"].sum() == pytest.approx(2.0 * cores * SECOND, abs=busy)
    assert found["run_ns"].sum() == pytest.approx(min(busy, 8) * SECOND, abs=busy)


def test_work_follows_the_speed_as_neighbours_come_and_go():
    made = hypervisor(cores=1, threads_per_core=2, smt_gain=0.5)
    made.add([0, 0])
    made.want(0, 1)
    made.advance(SECOND)  # alone: a whole core
    made.want(1, 1)
    made.advance(3 * SECOND)  # two threads do 1.5 cores
    made.want(1, 0)
    made.advance(4 * SECOND)
    found = made.accounts()
    assert found["work_ns"].tolist() == [round(3.5 * SECOND), round(1.5 * SECOND)]
    assert found["steal_by_contention_ns"].tolist() == [0, 0]


def test_a_migration_takes_account_and_bucket_along():
    made = hypervisor(hosts=2, cores=1)
    made.add([0, 0], cap=[0.5, 0.0])
    made.want([0, 1], 1)
    made.advance(40 * MS)  # half of the core each
    made.move(0, 1)
    made.advance(100 * MS)
    # 20 ms of the bucket were used: 30 ms more, then nothing until the period ends.
    assert made.accounts()["run_ns"].tolist() == [50 * MS, 80 * MS]
    assert made.accounts()["steal_by_cap_ns"].tolist() == [30 * MS, 0]
    made.advance(120 * MS)
    assert made.accounts()["run_ns"].tolist() == [70 * MS, 100 * MS]


def test_whoever_goes_leaves_the_share_to_the_others():
    made = hypervisor(cores=1)
    made.add([0, 0, 0])
    made.want([0, 1, 2], 1)
    made.advance(3 * SECOND)
    made.remove(1)
    made.advance(4 * SECOND)
    assert np.allclose(made.accounts()["run_ns"], [1.5e9, 1e9, 1.5e9], atol=3)
    assert made.shares().tolist() == [0.5, 0.0, 0.5]
    with pytest.raises(ScenarioError, match="removed"):
        made.want(1, 1)


def test_reservations_are_kept_and_admitted_only_if_they_can_be():
    made = hypervisor(cores=2)
    made.add([0, 0], vcpus=2, weight=[1.0, 1000.0], reservation=[0.75, 0.0])
    made.want([0, 1], 2)
    assert made.shares().tolist() == [0.75, 1.25]
    with pytest.raises(ScenarioError, match="reservation"):
        made.add(0, vcpus=2, reservation=1.5)
    assert len(made.shares()) == 2


# --- random scripts against a slow twin -------------------------------------------------------


@dataclass
class Slow:
    """One tenant of the twin, which stops at every end of a period."""

    vcpus: int
    weight: float
    reservation: float
    quota: int
    phase: int
    want: int = 0
    left: float = 0.0
    run: float = 0.0
    capped: float = 0.0
    wanted: float = 0.0

    @property
    def exhausted(self) -> bool:
        return self.quota > 0 and self.left <= 0.0

    @property
    def ceiling(self) -> int:
        return 0 if self.exhausted else self.want

    def end(self, now: int) -> int:
        return now + PERIOD - (now - self.phase) % PERIOD


def slow_advance(tenants: list[Slow], cores: int, now: int, until: int) -> None:
    while now < until:
        ceilings = [it.ceiling for it in tenants]
        floors = [min(it.reservation, it.ceiling) for it in tenants]
        shares = parts.share_out(cores, [it.weight for it in tenants], ceilings, floors)
        stop = until
        for it, share in zip(tenants, shares, strict=True):
            if it.quota:
                stop = min(stop, it.end(now))
                if share > 0:
                    stop = min(stop, now + max(1, math.ceil(it.left / share)))
        for it, share in zip(tenants, shares, strict=True):
            it.run += share * (stop - now)
            it.capped += it.want * (stop - now) if it.exhausted else 0.0
            it.wanted += it.want * (stop - now)
            if it.quota:
                it.left = max(0.0, it.left - share * (stop - now))
                if (stop - it.phase) % PERIOD == 0:
                    it.left = float(it.quota)
        now = stop


@st.composite
def scripts(draw):
    cores = draw(st.integers(1, 6))
    room = float(cores)
    tenants = []
    for _ in range(draw(st.integers(1, 6))):
        vcpus = draw(st.integers(1, 4))
        reservation = min(draw(st.sampled_from([0.0, 0.0, 0.5, 1.0])), vcpus, room)
        room -= reservation
        cap = draw(st.sampled_from([0.0, 0.0, 0.2, 0.5, 1.5]))
        phase = draw(st.integers(0, 99)) * MS
        weight = draw(st.sampled_from([128.0, 256.0, 512.0]))
        tenants.append(Slow(vcpus, weight, reservation, round(cap * PERIOD), phase))
    changes = draw(
        st.lists(
            st.tuples(st.integers(1, 400), st.integers(0, len(tenants) - 1), st.integers(0, 4)),
            max_size=12,
        )
    )
    return cores, tenants, changes


def built(cores: int, tenants: list[Slow]) -> parts.Hypervisor:
    made = hypervisor(cores=cores)
    made.add(
        [0] * len(tenants),
        vcpus=[it.vcpus for it in tenants],
        weight=[it.weight for it in tenants],
        reservation=[it.reservation for it in tenants],
        cap=[it.quota / PERIOD for it in tenants],
        period_ns=PERIOD,
        phase_ns=[it.phase for it in tenants],
    )
    return made


def check_script(script) -> None:
    cores, tenants, changes = script
    made = built(cores, tenants)
    for it in tenants:
        it.left = float(it.quota)
    now = 0
    for wait_ms, tenant, want in changes:
        wanted = min(want, tenants[tenant].vcpus)
        made.want(tenant, wanted)
        tenants[tenant].want = wanted
        slow_advance(tenants, cores, now, now + wait_ms * MS)
        now += wait_ms * MS
        made.advance(now)
        found = made.accounts()
        # To the nanosecond, every vCPU's time is told once.
        vcpus = np.array([it.vcpus for it in tenants])
        assert np.array_equal(sum(found[cause] for cause in CAUSES), vcpus * now)
        assert all(np.all(found[cause] >= 0) for cause in CAUSES)
        # A bucket runs out at a whole ns, so each period may differ by one, times the share.
        slack = 8.0 * (now / PERIOD + 2) + 8.0
        assert np.allclose(found["run_ns"], [it.run for it in tenants], atol=slack)
        assert np.allclose(found["steal_by_cap_ns"], [it.capped for it in tenants], atol=slack)
        periods = now // PERIOD + 2
        for it, ran in zip(tenants, found["run_ns"], strict=True):
            assert not it.quota or ran <= periods * (it.quota + it.vcpus)


def check_cuts(script) -> None:
    """However a run is cut, the same is told."""
    cores, tenants, changes = script
    whole, cut = built(cores, tenants), built(cores, tenants)
    now = 0
    for wait_ms, tenant, want in changes:
        for made in (whole, cut):
            made.want(tenant, min(want, tenants[tenant].vcpus))
        end = now + wait_ms * MS
        for part in (7, 3, 2):
            cut.advance(now + (end - now) // part)
        now = end
        cut.advance(now)
        whole.advance(now)
    for cause, values in whole.accounts().items():
        assert np.allclose(cut.accounts()[cause], values, atol=2), cause


def check_uncontended(script) -> None:
    """Where there is room for everybody and no cap, nothing is stolen and nothing is solved."""
    _, tenants, changes = script
    for it in tenants:
        it.quota = 0
    made = built(sum(it.vcpus for it in tenants), tenants)
    now = 0
    for wait_ms, tenant, want in changes:
        made.want(tenant, min(want, tenants[tenant].vcpus))
        now += wait_ms * MS
        made.advance(now)
    found = made.accounts()
    assert not found["steal_by_contention_ns"].any()
    assert not found["steal_by_cap_ns"].any()
    assert np.array_equal(found["run_ns"], found["work_ns"])
    assert made.solves <= 1


CHECKS = [check_script, check_cuts, check_uncontended]


def examples(count: int):
    return settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("check", CHECKS)
def test_random_scripts(check):
    examples(200)(given(scripts())(check))()


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS)
def test_many_more_random_scripts(check):
    examples(1000)(given(scripts())(check))()


# --- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("vcpus", 0),
        ("vcpus", 1.5),
        ("vcpus", 5000),
        ("weight", 0.0),
        ("weight", float("nan")),
        ("reservation", -1.0),
        ("reservation", 2.0),
        ("cap", -0.5),
        ("period_ns", 10),
        ("phase_ns", PERIOD),
        ("phase_ns", -1),
        ("hosts", 1),
    ],
)
def test_a_tenant_that_cannot_be_is_refused(field, bad):
    made = hypervisor(cores=4)
    facts = {"hosts": 0, "vcpus": 1} | {field: bad}
    with pytest.raises(ScenarioError):
        made.add(facts.pop("hosts"), **facts)
    assert len(made.shares()) == 0


@pytest.mark.parametrize("scheduler", ["round_robin", "credits"])
def test_other_schedulers_are_refused_by_name(scheduler):
    with pytest.raises(ScenarioError, match=scheduler):
        parts.Hypervisor(1, scheduler=scheduler)


def test_options_and_calls_of_other_schedulers_are_refused():
    with pytest.raises(ScenarioError, match="slice_ns: no option of fluid"):
        parts.Hypervisor(1, slice_ns=5 * MS)
    with pytest.raises(ScenarioError, match=r"tick_ns: fluid has none.*credit"):
        hypervisor().tick()
    with pytest.raises(ScenarioError, match="decisions: fluid has none"):
        _ = hypervisor().decisions


def test_time_does_not_go_backwards():
    made = hypervisor()
    made.advance(5)
    with pytest.raises(ScenarioError, match="past"):
        made.advance(4)


def test_more_vcpus_than_there_are_cannot_be_wanted():
    made = hypervisor()
    made.add(0, vcpus=2)
    with pytest.raises(ScenarioError, match="want"):
        made.want(0, 3)
