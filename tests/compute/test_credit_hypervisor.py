"""The rules of the credit scheduler, a hand trace for each. Times are in ms unless they say ns."""

from __future__ import annotations

import numpy as np
import pytest

from nephoscope import parts
from nephoscope.errors import ScenarioError

MS = 1_000_000
BOOST, UNDER, OVER = 0, -1, -2


def credit(cores: int = 1, tenants: int = 0, hosts: int = 1, **options) -> parts.Hypervisor:
    """Ticks at 0, 10, 20, ..., accountings at 30, 60, ..., and no dither, unless told otherwise."""
    rules = {"aligned": True, "ratelimit_ns": 0} | options
    made = parts.Hypervisor(hosts, scheduler="credit", cores=cores, **rules)
    if tenants:
        made.add([0] * tenants)
    return made


def at(made: parts.Hypervisor, ms: float, tenant: int, want: int = 1) -> None:
    made.advance(round(ms * MS))
    made.want(tenant, want)


def running(made: parts.Hypervisor, ms: float | None = None) -> list[int]:
    if ms is not None:
        made.advance(round(ms * MS))
    return np.flatnonzero(made.shares()).tolist()


def seen(made: parts.Hypervisor, tenant: int, what: str = "credit", vcpu: int = 0) -> int:
    return int(made.vcpus(tenant)[what][vcpu])


# --- debits and ticks -------------------------------------------------------------------------


def test_a_debit_is_whole_credits_and_the_rest_is_carried():
    made = credit(tenants=1)
    at(made, 0, 0)
    at(made, 10.05, 0, 0)
    assert (seen(made, 0), seen(made, 0, "carried_ns")) == (-100, 50_000)
    at(made, 11, 0)
    at(made, 11.05, 0, 0)
    assert (seen(made, 0), seen(made, 0, "carried_ns")) == (-101, 0)


def test_sampled_debit_is_of_who_runs_at_the_tick():
    made = credit(tenants=2, exact_debit=False)
    at(made, 1, 0)
    at(made, 9.5, 0, 0)
    at(made, 9.5, 1)
    at(made, 10.5, 1, 0)
    assert (seen(made, 0), seen(made, 1)) == (0, -100)


@pytest.mark.parametrize(("wakes", "preempts"), [(8, False), (12, True)])
def test_a_tick_ends_boost(wakes, preempts):
    """A boosted vCPU is preempted by another one only when a tick has found it running."""
    made = credit(tenants=2)
    at(made, 1, 0)
    at(made, wakes, 1)
    assert running(made) == ([1] if preempts else [0])


def test_a_tick_activates_and_so_does_a_debit_if_it_may():
    made = credit(tenants=1, activate_at_decision=False)
    at(made, 1, 0)
    at(made, 9, 0, 0)
    assert seen(made, 0, "active") == 0
    at(made, 9, 0)
    at(made, 11, 0, 0)
    assert seen(made, 0, "active") == 1
    made = credit(tenants=1)
    at(made, 1, 0)
    at(made, 2, 0, 0)
    assert seen(made, 0, "active") == 1


def test_a_tick_does_not_preempt():
    """Tenant 1 waits boosted; at 10 a tick ends tenant 0's boost, not its slice."""
    made = credit(tenants=2)
    at(made, 5, 0)
    at(made, 6, 1)
    assert running(made, 34.999) == [0]
    assert running(made, 35) == [1]


# --- accounting -------------------------------------------------------------------------------


def test_two_equal_hogs_take_turns():
    """Each has 150 a period and pays 300 a slice."""
    made = credit(tenants=2, boost=False)
    at(made, 0, 0)
    at(made, 0, 1)
    assert running(made, 29) == [0]
    # 300 paid and 300 got, alone in the active set.
    assert running(made, 31) == [1]
    assert (seen(made, 0), seen(made, 0, "priority")) == (0, UNDER)
    assert running(made, 61) == [0]
    assert (seen(made, 0), seen(made, 1)) == (150, -150)
    assert seen(made, 1, "priority") == OVER
    assert running(made, 91) == [1]
    assert (seen(made, 0), seen(made, 1)) == (0, 0)
    assert running(made, 121) == [0]


def test_weight_counts_for_each_vcpu():
    """Four vCPUs of one tenant get four times what another's one does, of equal weight."""
    made = credit()
    made.add([0, 0], vcpus=[4, 1])
    made.want([0, 1], [4, 1])
    made.advance(30_000 * MS)
    shares = made.accounts()["run_ns"] / (30_000 * MS)
    assert np.allclose(shares, [0.8, 0.2], atol=0.02)


def test_above_a_period_of_credits_the_active_set_is_left_with_half():
    """A light vCPU has earned 300 a period; at 600 less what it ran it leaves."""
    made = credit(tenants=1, cores=2)
    at(made, 0, 0)
    at(made, 5, 0, 0)
    made.advance(30 * MS)
    made.want(0, 1)
    made.want(0, 0)
    assert (seen(made, 0), seen(made, 0, "active")) == (250, 1)
    made.advance(60 * MS)
    made.want(0, 1)
    made.want(0, 0)
    assert (seen(made, 0), seen(made, 0, "active")) == (275, 0)
    made.advance(300 * MS)
    made.want(0, 1)
    made.want(0, 0)
    assert seen(made, 0) == 275


def test_what_one_may_not_take_goes_to_those_after_it_in_the_same_pass():
    """Capped at 30 credits: visited first, its 150 too many go to the other."""
    made = credit()
    made.add([0, 0], cap=[0.1, 0.0])
    at(made, 0, 0)
    at(made, 1, 0, 0)
    at(made, 1, 1)
    at(made, 29, 1, 0)
    made.advance(30 * MS)
    made.want([0, 1], 1)
    made.want([0, 1], 0)
    # Entitled to 150 each: the first takes 30, so the pool is 300 + 120 x 2 for the other.
    assert (seen(made, 0), seen(made, 1)) == (-10 + 30, -280 + 270)


def test_what_came_too_late_in_the_pass_is_lost_and_comes_first_next_time():
    """Visited last, its excess helps nobody; it moves to the head of the list."""
    made = credit(cores=1)
    made.add([0, 0], cap=[0.0, 0.1])
    for start in (0, 30):
        at(made, start, 1)
        at(made, start + 1, 1, 0)
        at(made, start + 1, 0)
        at(made, start + 21, 0, 0)
        made.advance((start + 30) * MS)
        made.want([0, 1], 1)
        made.want([0, 1], 0)
        if start == 0:
            assert (seen(made, 0), seen(made, 1)) == (-200 + 150, -10 + 30)
    # The pool has 30 more for what was owed; 165 less 30 are 135 too many: (330 + 270) / 2.
    assert seen(made, 0) == -50 - 200 + 300


def test_credit_falls_no_lower_than_a_period():
    made = credit()
    made.add([0, 0], weight=[1, 1000], vcpus=[1, 1])
    at(made, 0, 0)
    at(made, 10, 1)
    at(made, 11, 1, 0)
    made.advance(3_000 * MS)
    at(made, 3_000, 1)
    made.advance(6_000 * MS)
    made.want(0, 0)
    assert -600 <= seen(made, 0) <= 0


def test_a_capped_vcpu_is_parked_when_overdrawn_and_released_at_zero():
    """With 40 % it gets 120 a period: parked below -120, released at 0 or above."""
    made = credit()
    made.add(0, cap=0.4)
    at(made, 0, 0)
    assert running(made, 29.9) == [0]
    assert running(made, 30.1) == []  # -300 + 120 = -180
    assert seen(made, 0, "parked") == 1
    assert running(made, 89.9) == []  # -60 at 60, 60 at 90
    assert running(made, 90.1) == [0]
    assert made.accounts()["steal_by_cap_ns"].tolist() == [60 * MS]
    assert running(made, 119.9) == [0]
    assert running(made, 120.1) == [0]  # 60 - 300 + 120 = -120 is not below
    assert running(made, 150.1) == []


def test_a_parked_vcpu_is_released_without_boost():
    made = credit(cores=1, ratelimit_ns=0)
    made.add([0, 0], cap=[0.4, 0.0])
    at(made, 0, 0)
    made.advance(31 * MS)
    made.want(1, 1)
    while seen(made, 0, "parked"):
        made.tick()
    assert seen(made, 0, "priority") == UNDER


# --- waking and stealing ----------------------------------------------------------------------


def test_who_wakes_under_preempts_who_is_not_boosted():
    made = credit(tenants=2)
    at(made, 1, 0)
    made.advance(10 * MS)  # the tick has ended its boost
    at(made, 12, 1)
    assert running(made) == [1]
    assert seen(made, 1, "priority") == BOOST


def test_without_boost_nobody_preempts_an_equal():
    made = credit(tenants=2, boost=False)
    at(made, 1, 0)
    at(made, 12, 1)
    assert running(made) == [0]
    assert running(made, 31.5) == [1]


def test_who_wakes_over_is_not_boosted():
    made = credit()
    made.add([0, 0], weight=[1, 1000])
    at(made, 0, 1)
    at(made, 15, 1, 0)
    at(made, 15, 0)
    at(made, 30, 0, 0)  # -150 and next to nothing got
    assert seen(made, 0, "priority") == OVER
    at(made, 30, 1)
    at(made, 31, 0)
    assert running(made) == [1]
    assert seen(made, 0, "priority") == OVER


@pytest.mark.parametrize("limit", [1.0, 5.0])
def test_nobody_is_preempted_within_the_rate_limit(limit):
    made = credit(tenants=2, ratelimit_ns=round(limit * MS))
    at(made, 9.9, 0)
    made.advance(10 * MS)
    at(made, 10.3, 1)
    assert running(made, 9.9 + limit - 0.001) == [0]
    assert running(made, 9.9 + limit) == [1]


def test_the_rest_of_the_rate_limit_is_never_a_shorter_timer_than_100_us():
    made = credit(tenants=2, ratelimit_ns=MS)
    at(made, 9.5, 0)
    at(made, 10.45, 1)
    assert running(made, 10.549) == [0]
    assert running(made, 10.55) == [1]


def test_one_idle_cpu_is_kicked_in_turn():
    made = credit(cores=3, tenants=6)  # last on pCPUs 0, 1, 2, 0, 1, 2
    at(made, 1, 0)
    at(made, 2, 3)  # its own is busy; 0 is after the last one, and busy; then 1
    assert seen(made, 3, "cpu") == 1
    at(made, 3, 3, 0)
    at(made, 4, 5)  # its own is idle
    assert seen(made, 5, "cpu") == 2
    at(made, 5, 5, 0)
    made.want(3, 1)  # where it was last
    assert seen(made, 3, "cpu") == 1
    at(made, 6, 4)  # own busy: the one after 1 is 2
    assert seen(made, 4, "cpu") == 2
    assert running(made) == [0, 3, 4]


def test_an_idle_cpu_takes_what_waits_anywhere():
    made = credit(cores=2, tenants=3, boost=False)
    for tenant in range(3):
        at(made, 1, tenant)
    assert running(made) == [0, 1]
    at(made, 5, 1, 0)
    assert running(made) == [0, 2]
    assert seen(made, 2, "cpu") == 1


def test_nothing_of_equal_priority_is_stolen():
    """Three UNDER on two pCPUs: the two of one pCPU take turns, the third is alone."""
    made = credit(cores=2, tenants=3, boost=False)
    for tenant in range(3):
        at(made, 1, tenant)
    assert running(made, 29) == [0, 1]
    assert [seen(made, tenant, "cpu") for tenant in range(3)] == [0, 1, 0]
    made.advance(31 * MS + 1)  # both slices are over, all are UNDER
    assert running(made) == [1, 2]
    assert [seen(made, tenant, "cpu") for tenant in range(3)] == [0, 1, 0]


def test_who_is_over_gives_way_to_who_is_under_elsewhere():
    """All three have a third of two pCPUs in the end, though one pCPU has only one of them."""
    made = credit(cores=2, tenants=3)
    made.want(range(3), 1)
    made.advance(30_000 * MS)
    assert np.allclose(made.accounts()["run_ns"] / (30_000 * MS), 2 / 3, atol=0.01)
    assert len({seen(made, tenant, "cpu") for tenant in range(3)}) == 2


@pytest.mark.parametrize(("after_the_tick", "first"), [(False, 0), (True, 1)])
def test_a_queue_is_sorted_at_the_first_tick_after_accounting(after_the_tick, first):
    """Tenant 0 waits before 1 and falls to OVER at accounting; the tick puts it behind."""
    made = credit(aligned=False, dither_ns=0, boost=False, seed=7)
    made.add([0, 0, 0], weight=[1, 256, 256])
    accounting = made._core.accounting_ns(0) / MS + 60
    tick = (made.tick_phases(0)[0] / MS - accounting) % 10
    assert 1 < tick < 9
    at(made, accounting - 28, 2)
    at(made, accounting - 26, 2, 0)
    at(made, accounting - 25, 0)
    at(made, accounting - 5, 0, 0)
    at(made, accounting - 5, 2)
    at(made, accounting - 4, 0)
    at(made, accounting - 3, 1)
    at(made, accounting + tick + (0.5 if after_the_tick else -0.5), 2, 0)
    assert seen(made, 0, "priority") == OVER
    assert running(made) == [first]


# --- hosts at rest, migration, speed ----------------------------------------------------------


def test_a_host_with_room_for_all_has_no_events():
    made = credit(cores=4, aligned=False)
    made.add([0] * 4, weight=[1, 2, 3, 4])
    made.want(range(4), 1)
    decisions = made.decisions
    assert made.next_event_ns is None
    made.advance(3_600_000 * MS)
    assert made.decisions == decisions == 4
    assert made.accounts()["run_ns"].tolist() == [3_600_000 * MS] * 4


def test_a_tenant_moves_with_account_and_credits():
    made = credit(hosts=2, tenants=2)
    made.want([0, 1], 1)
    made.advance(40 * MS)
    made.want(0, 0)
    before = {what: seen(made, 0, what) for what in ("credit", "carried_ns", "active")}
    made.move(0, 1)
    assert {what: seen(made, 0, what) for what in before} == before
    made.want(0, 1)
    made.advance(100 * MS)
    found = made.accounts()
    assert found["run_ns"].tolist() == [90 * MS, 70 * MS]
    made.move(0, 0)
    made.advance(200 * MS)
    assert made.accounts()["run_ns"].sum() == (40 + 2 * 60 + 100) * MS


def test_a_running_tenant_may_move_and_go():
    made = credit(hosts=2, cores=2)
    made.add([0, 0, 0, 1], vcpus=[2, 3, 1, 1])
    made.want(range(4), [2, 3, 1, 1])
    made.advance(100 * MS)
    made.move(1, 1)
    made.advance(200 * MS)
    made.remove(0)
    made.advance(300 * MS)
    found = made.accounts()
    told = sum(found[c] for c in ("run_ns", "steal_by_contention_ns", "idle_ns"))
    assert told.tolist() == [2 * 200 * MS, 3 * 300 * MS, 300 * MS, 300 * MS]
    # Threads busy on both hosts: 2 + 1, then 2 + 2, then 1 + 2.
    assert found["run_ns"].sum() == (3 + 4 + 3) * 100 * MS
    assert made.shares()[0] == 0
    with pytest.raises(ScenarioError, match="removed"):
        made.want(0, 1)


def test_threads_of_a_core_slow_each_other_down():
    made = parts.Hypervisor(
        1, scheduler="credit", cores=1, threads_per_core=2, smt_gain=0.5, speed=2.0
    )
    made.add([0, 0])
    made.want(0, 1)
    made.advance(1_000 * MS)
    made.want(1, 1)
    assert made.speeds().tolist() == [1.5]
    assert made.changed().tolist() == [0, 1]
    made.advance(3_000 * MS)
    made.want(1, 0)
    made.advance(4_000 * MS)
    assert made.accounts()["work_ns"].tolist() == [7_000 * MS, 3_000 * MS]


def test_many_cpus_need_more_than_one_word():
    made = parts.Hypervisor(1, scheduler="credit", cores=130)
    made.add([0] * 200)
    made.want(range(200), 1)
    made.advance(20_000 * MS)
    run = made.accounts()["run_ns"]
    assert run.sum() == 130 * 20_000 * MS
    assert np.allclose(run / (20_000 * MS), 0.65, atol=0.06)


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("weight", 0.5),
        ("weight", 65_536),
        ("reservation", 0.5),
        ("cap", 0.333),
        ("phase_ns", 5),
        ("vcpus", 0),
        ("hosts", 1),
    ],
)
def test_what_credit1_does_not_have_is_refused(field, bad):
    made = credit()
    facts = {"hosts": 0, "cap": 0.5} | {field: bad}
    with pytest.raises(ScenarioError):
        made.add(facts.pop("hosts"), **facts)
    assert len(made.shares()) == 0


@pytest.mark.parametrize(
    "option",
    [
        {"slice_ns": 999_999},
        {"slice_ns": 1_050_000},
        {"slice_ns": 1_001 * MS},
        {"ratelimit_ns": 99_999},
        {"ratelimit_ns": 501 * MS},
        {"dither_ns": -1},
        {"quantum": 3},
    ],
)
def test_options_that_cannot_be_are_refused(option):
    with pytest.raises(ScenarioError, match=next(iter(option))):
        credit(**option)


def test_saved_state_that_is_cut_short_is_refused():
    made = credit(tenants=2)
    state = made._core.save()
    with pytest.raises(Exception, match="damaged"):
        type(made._core).restore(state[:-9])
