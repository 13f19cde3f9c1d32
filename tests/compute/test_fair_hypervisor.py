"""The fair scheduler: shares, lag, lag kept through sleep, isolation, caps, whole numbers."""

from __future__ import annotations

import numpy as np
import pytest

from compute.fair_machines import (
    MS,
    NEVER,
    SECOND,
    SLICE,
    account,
    add,
    blinker,
    drive,
    fair,
    hog,
    hogs,
    want,
)
from nephoscope import _core, parts
from nephoscope.errors import ScenarioError

rng = np.random.default_rng


def random_weights(random, size: int, spread: float = 5.0) -> np.ndarray:
    return np.round(32 * 2 ** random.uniform(0, spread, size), 2)


# --- shares and lag against the fluid ---------------------------------------------------------


def test_shares_are_weighted_max_min():
    """Whoever has all that is wanted leaves the rest to the others by weight."""
    random = rng(1)
    for _ in range(30):
        cores, size = int(random.integers(1, 9)), int(random.integers(2, 16))
        weights = random_weights(random, size)
        vcpus = random.integers(1, 5, size)
        made = hogs(weights, cores=cores, vcpus=vcpus)
        made.advance(4 * SECOND)
        exact = parts.share_out(cores, weights, vcpus) * 4 * SECOND
        # Each vCPU within two slices.
        assert np.all(np.abs(account(made) - exact) <= 2 * SLICE * vcpus)


def largest_lag(cores: int, sets: int, *, seed: int, slice_ns: int = SLICE) -> float:
    """The greatest distance from the fluid at about a thousand instants a set, in slices."""
    random = rng(seed)
    worst = 0.0
    for _ in range(sets):
        weights = random_weights(random, cores + int(random.integers(1, cores + 8)))
        made = hogs(weights, cores=cores, slice_ns=slice_ns)
        shares = parts.share_out(cores, weights, 1)
        now = 0
        for step in random.integers(1, 2 * slice_ns // 3, 600):
            now += int(step)
            made.advance(now)
            worst = max(worst, float(np.abs(account(made) - shares * now).max()))
    return worst / slice_ns


def test_on_one_thread_nobody_is_a_slice_away_from_the_fluid():
    assert 0.5 < largest_lag(1, 50, seed=2) < 1.0


@pytest.mark.parametrize("cores", [2, 4, 8])
def test_on_more_threads_nobody_is_two_slices_away(cores):
    assert 0.5 < largest_lag(cores, 10, seed=cores) < 2.0


def test_half_the_slice_is_half_the_lag():
    whole = largest_lag(2, 8, seed=3) * SLICE
    half = largest_lag(2, 8, seed=3, slice_ns=SLICE // 2) * (SLICE // 2)
    assert half / whole == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_with_joins_and_leaves_every_interval_keeps_the_bound(cores):
    random = rng(cores + 10)
    fluid = _core.hypervisor.FluidHypervisor()
    fluid.add_host(cores, 1, 0.25, 1.0)
    made = fair(cores=cores)
    size = 2 * cores + 4
    weights = random_weights(random, size)
    tenants = np.arange(size)
    for each in (made, fluid):
        add(each, [0] * size, weight=weights)
    wants = random.integers(0, 2, size)
    now, worst, total = 0, 0.0, 0.0
    for _ in range(400):
        wants[random.integers(size)] ^= 1
        for each in (made, fluid):
            each.set_wants(tenants, wants)
        before = account(made) - fluid.accounts(tenants)["run_ns"]
        for step in random.integers(1, 10 * MS, 4):
            now += int(step)
            made.advance(now)
            fluid.advance(now)
            apart = account(made) - fluid.accounts(tenants)["run_ns"]
            worst = max(worst, float(np.abs(apart - before).max()))
            total = max(total, float(np.abs(apart).max()))
    assert worst <= 2 * SLICE
    # Who is away is not there to be paid by, or to pay, those who stay: what a change leaves over
    # adds up, but as a random walk does and no faster.
    assert total <= SLICE * np.sqrt(400)


def test_a_thread_is_never_idle_while_somebody_waits():
    random = rng(4)
    for _ in range(20):
        cores, size = int(random.integers(1, 5)), int(random.integers(1, 9))
        made = fair(cores=cores)
        vcpus = random.integers(1, 4, size)
        add(made, [0] * size, vcpus=vcpus, weight=random_weights(random, size))
        total = 0
        for _ in range(40):
            wants = random.integers(0, vcpus + 1)
            want(made, np.arange(size), wants)
            step = int(random.integers(1, 20 * MS))
            total += min(cores, int(wants.sum())) * step
            made.advance(made.now_ns + step)
            assert made.shares(np.arange(size)).sum() == min(cores, wants.sum())
        assert account(made).sum() == total


# --- the queue --------------------------------------------------------------------------------


def test_a_half_time_sleeper_beside_a_hog_gets_a_third():
    """It runs 50 ms of its own time at half the speed, and sleeps 50 ms: one third."""
    made = hogs([256.0, 256.0])
    drive(made, {0: blinker(50 * MS, 50 * MS), 1: hog()}, 60 * SECOND)
    shares = account(made) / (60 * SECOND)
    assert shares.tolist() == pytest.approx([1 / 3, 2 / 3], abs=0.002)


def turns(made, size: int, count: int) -> list[tuple[int, int]]:
    """Who runs on one thread, and for how long, decision by decision."""
    found = []
    for _ in range(count):
        now, who = made.now_ns, int(np.argmax(made.shares(np.arange(size))))
        made.advance(made.next_event_ns())
        found.append((who, made.now_ns - now))
    return found


def test_turns_by_hand():
    """Weights 2 to 1: A reaches half a virtual slice and is ahead of the mean of a third, so B has
    a slice, is ahead with 1 where the mean is two thirds, and A has two. Equal ones take turns.
    """
    made = hogs([512.0, 256.0])
    made.advance(SECOND)
    made.advance(made.next_event_ns())
    found = turns(made, 2, 300)
    assert {length for _, length in found} == {SLICE}
    first = [who for who, _ in found].index(1)
    assert [at for at, (who, _) in enumerate(found) if who == 1] == list(range(first, 300, 3))

    equal = hogs([100.0] * 3)
    equal.advance(SECOND)
    equal.advance(equal.next_event_ns())
    order = [who for who, _ in turns(equal, 3, 30)]
    assert sorted(order[:3]) == [0, 1, 2]
    assert order == order[:3] * 10


def test_who_sleeps_while_owed_is_paid_afterwards():
    """A napper that blocks just before its turn would lose the third of a slice it is owed."""
    long = 19 * SLICE // 10
    fluid = _core.hypervisor.FluidHypervisor()
    fluid.add_host(1, 1, 0.25, 1.0)
    made = fair()
    for each in (made, fluid):
        add(each, [0, 0, 0])
        want(each, [0, 1, 2], 1)

    def both_until(stop: int) -> None:
        for each in (made, fluid):
            each.advance(stop)

    waited, naps = 0, 0
    while naps < 300:
        runs, now = made.shares([0])[0] == 1.0, made.now_ns
        both_until(min(made.next_event_ns(), now + long - waited))
        waited = 0 if runs else waited + made.now_ns - now
        if waited < long:
            continue
        waited, naps = 0, naps + 1
        for each in (made, fluid):
            want(each, 0, 0)
        both_until(made.now_ns + 20 * MS)
        for each in (made, fluid):
            want(each, 0, 1)
    exact = fluid.accounts([0])["run_ns"][0]
    assert exact > 300 * SLICE
    assert abs(account(made)[0] - exact) <= 2 * SLICE


@pytest.mark.parametrize(("cores", "size"), [(1, 2), (1, 7), (3, 8), (4, 5)])
def test_nobody_waits_longer_than_the_slices_of_the_others(cores, size):
    made = hogs([256.0] * size, cores=cores)
    last = np.zeros(size)
    made.advance(20 * MS)
    last[:] = made.now_ns
    longest = 0
    while made.now_ns < SECOND:
        runs = made.shares(np.arange(size)) == 1.0
        made.advance(made.next_event_ns())
        last[runs] = made.now_ns
        longest = max(longest, int((made.now_ns - last).max()))
    assert SLICE / cores / 2 < longest <= (size - 1) * SLICE


def test_who_wakes_with_an_earlier_deadline_runs_at_once():
    for preempts in (True, False):
        made = fair(wake_preemption=preempts)
        add(made, [0, 0, 0], weight=[256.0, 256.0, 2560.0])
        want(made, [0, 1], 1)
        made.advance(100 * MS)
        want(made, 2, 1)
        assert made.shares([2]).tolist() == [1.0 if preempts else 0.0]
        assert (made.next_event_ns() - made.now_ns) <= SLICE


def test_sleeping_does_not_pay_debts():
    """Who ran ahead and naps a little is no better off than who does not nap."""
    made = hogs([256.0] * 3)
    drive(made, {0: blinker(SLICE - 1000, 2000), 1: hog(), 2: hog()}, 10 * SECOND)
    run = account(made)
    assert run[0] <= 10 * SECOND / 3 + 2 * SLICE


def test_the_weight_of_a_tenant_is_shared_by_its_vcpus_unless_each_has_it():
    for per_vcpu, expected in ((False, [2.0, 2.0]), (True, [0.8, 3.2])):
        made = hogs([256.0, 256.0], cores=4, vcpus=[4, 16], weight_per_vcpu=per_vcpu)
        made.advance(10 * SECOND)
        assert (account(made) / (10 * SECOND)).tolist() == pytest.approx(expected, abs=0.01)


def test_of_the_vcpus_that_want_the_lowest_stay():
    """One that blocks frees its thread: the tenant that waited takes it."""
    made = fair(cores=2)
    add(made, [0, 0], vcpus=2)
    want(made, [0, 1], [2, 1])
    made.advance(SECOND)
    want(made, 0, 1)
    assert made.shares([0, 1]).tolist() == [1.0, 1.0]
    assert made.next_event_ns() == NEVER


def test_a_switch_costs_work_and_not_time():
    cost = 50_000
    made = hogs([256.0, 256.0], switch_cost_ns=cost)
    switches, before = 0, -1
    while made.now_ns < SECOND:
        made.advance(made.next_event_ns())
        now = int(np.argmax(made.shares([0, 1])))
        switches, before = switches + (now != before), now
    made.advance(made.now_ns + 2 * cost)
    lost = account(made).sum() - account(made, "work_ns").sum()
    assert account(made).sum() == made.now_ns
    assert switches > 300
    assert lost == switches * cost


def test_hosts_and_seeds_differ_in_phase_alone():
    def first_turn(seed: int) -> list[int]:
        made = fair(8, seed=seed)
        add(made, np.repeat(np.arange(8), 2))
        want(made, np.arange(16), 1)
        made.advance(SLICE)
        return account(made)[::2].tolist()

    assert len(set(first_turn(0))) == 8
    assert first_turn(0) == first_turn(0)
    assert first_turn(0) != first_turn(1)


# --- isolation --------------------------------------------------------------------------------


def straddler() -> object:
    """Wants to run in the last and the first 20 ms of every 100 ms period."""
    while True:
        yield "run", 20 * MS
        yield "sleep", 60 * MS


ADVERSARIES = {
    "hogs": lambda _at: hog(),
    "boosters": lambda at: blinker(MS // 2, MS // 2, 100_000 * at),
    "dodgers": lambda at: blinker(9_500_000, MS // 2, MS * at),
    "slice dodgers": lambda at: blinker(SLICE - 1, 1, MS * at),
    "cap straddlers": lambda _at: straddler(),
}


@pytest.mark.parametrize("adversary", ADVERSARIES)
@pytest.mark.parametrize(("cores", "others", "weight"), [(1, 1, 256), (1, 7, 256), (2, 5, 1000)])
def test_a_victim_gets_its_share_whatever_the_others_do(adversary, cores, others, weight):
    made = fair(cores=cores)
    cap = 0.5 if adversary == "cap straddlers" else 0.0
    add(made, [0] * (others + 1), weight=[256.0] + [weight] * others, cap=[0.0] + [cap] * others)
    programs = {0: hog()} | {at: ADVERSARIES[adversary](at) for at in range(1, others + 1)}
    drive(made, programs, 3 * SECOND)
    share = min(1.0, cores * 256 / (256 + others * weight))
    assert account(made)[0] >= share * 3 * SECOND - 2 * SLICE


@pytest.mark.parametrize(("per_vcpu", "isolated"), [(False, True), (True, False)])
def test_more_vcpus_take_a_victims_share_only_if_each_has_the_weight(per_vcpu, isolated):
    made = hogs([256.0, 256.0], cores=2, vcpus=[1, 16], weight_per_vcpu=per_vcpu)
    for k in range(300):
        want(made, 1, 1 + 15 * (k % 2))
        made.advance(10 * MS * (k + 1))
    assert (account(made)[0] >= 3 * SECOND - 2 * SLICE) == isolated


# --- caps -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cap", "vcpus", "lead"), [(0.5, 1, 25.0), (2.0, 4, 100.0), (1.0, 8, 87.5)]
)
def test_a_capped_hog_leads_its_average_by_no_more_than_the_bucket(cap, vcpus, lead):
    """Service less the average lies in [0, Q (1 - Q / (n P))]."""
    made = fair(cores=16)
    add(made, 0, vcpus=vcpus, cap=cap)
    want(made, 0, vcpus)
    leads = []
    for at in range(0, 1000 * MS, MS // 2):
        made.advance(at)
        leads.append((int(account(made)[0]) - cap * at) / MS)
    assert min(leads) == 0.0
    assert max(leads) == lead


def response(work: int, phase: int) -> int:
    made = fair()
    add(made, 0, cap=0.5, phase=phase)
    want(made, 0, 1)
    left = work
    while True:
        running = made.shares([0])[0] == 1.0
        now = made.now_ns
        stop = min(made.next_event_ns(), now + left if running else NEVER)
        made.advance(stop)
        left -= (stop - now) * running
        if left == 0:
            return stop


@pytest.mark.parametrize(
    ("work", "least", "mean", "most"),
    [(10, 10, 10, 10), (50, 50, 50, 50), (60, 60, 77.5, 110), (120, 170, 192.5, 220)],
)
def test_a_cap_is_a_bucket_and_not_a_rate(work, least, mean, most):
    found = [response(work * MS, round(phase * MS)) / MS for phase in np.arange(0.5, 100.0, 1.0)]
    assert min(found) >= least
    assert max(found) <= most
    assert np.mean(found) == pytest.approx(mean, abs=0.3)


def test_many_vcpus_empty_the_bucket_at_once():
    made = fair(cores=16)
    add(made, 0, vcpus=10, cap=0.5)
    want(made, 0, 10)
    made.advance(100 * MS)
    assert account(made)[0] == 50 * MS
    assert account(made, "steal_by_cap_ns")[0] == 10 * 95 * MS


def test_an_overrun_is_paid_by_the_next_period():
    """Seven vCPUs cannot stop together at a quota that seven does not divide."""
    made = fair(cores=8)
    period, quota = 10 * MS, 10_000_001
    made.add_tenants([0], [7], [256.0], [0.0], [quota], [period], [0])
    want(made, 0, 7)
    for k in range(1, 50):
        made.advance(k * period)
        assert 0 <= account(made)[0] - k * quota < 7


def test_no_window_exceeds_the_quota_by_more_than_one_period():
    random = rng(5)
    made = fair(cores=2)
    add(made, [0] * 5, vcpus=2, cap=[0.3, 0.7, 0.0, 1.2, 0.0], phase=[0, 7 * MS, 0, 50 * MS, 0])
    cuts = np.cumsum(random.integers(1, 30 * MS, 200))
    runs = []
    for at in cuts:
        want(made, int(random.integers(5)), int(random.integers(3)))
        made.advance(int(at))
        runs.append(account(made))
    run = np.array(runs)
    for tenant, quota in ((0, 30 * MS), (1, 70 * MS), (3, 120 * MS)):
        used = run[:, None, tenant] - run[None, :, tenant]
        periods = np.ceil((cuts[:, None] - cuts[None, :]) / (100 * MS)) + 1
        later = np.tril(np.ones_like(used, dtype=bool), -1)
        assert np.all((used <= quota * periods + 2)[later])
        assert used.max() > quota


# --- core scheduling --------------------------------------------------------------------------


def test_siblings_run_vcpus_of_one_tenant_and_forced_idle_is_told():
    """One core, A with two vCPUs and B with one: each has the core half of the time.

    While B has it, one of A's vCPUs waits for a thread that is idle for isolation's sake, the
    other for B. While A has it, B waits for A.
    """
    made = fair(cores=1, threads_per_core=2, core_scheduling=True)
    add(made, [0, 0], vcpus=[2, 1])
    want(made, [0, 1], [2, 1])
    seen = set()
    while made.now_ns < SECOND:
        made.advance(made.next_event_ns())
        seen.add(tuple(made.shares([0, 1])))
    assert seen == {(2.0, 0.0), (0.0, 1.0)}
    run, contention = account(made), account(made, "steal_by_contention_ns")
    forced, work = account(made, "steal_by_smt_ns"), account(made, "work_ns")
    with_a, with_b = int(run[0]) // 2, int(run[1])
    assert run.tolist() == [2 * with_a, with_b]
    assert with_a + with_b == made.now_ns
    assert abs(with_a - with_b) <= SLICE
    assert forced.tolist() == [with_b, 0]
    assert contention.tolist() == [with_b, with_a]
    assert work.tolist() == [int(1.25 * with_a), with_b]


def test_without_core_scheduling_no_thread_is_forced_idle():
    made = fair(cores=1, threads_per_core=2)
    add(made, [0, 0], vcpus=[2, 1])
    want(made, [0, 1], [2, 1])
    made.advance(SECOND)
    assert account(made).sum() == 2 * SECOND
    assert not account(made, "steal_by_smt_ns").any()


def test_cores_are_shared_by_weight_and_half_filled_ones_count_whole():
    made = fair(cores=4, threads_per_core=2, core_scheduling=True)
    add(made, [0] * 3, vcpus=[8, 8, 3], weight=[512.0, 256.0, 256.0])
    want(made, [0, 1, 2], [8, 8, 3])
    made.advance(10 * SECOND)
    cores = account(made) / (10 * SECOND) / [2.0, 2.0, 1.5]
    assert cores.tolist() == pytest.approx([2.0, 1.0, 1.0], abs=0.01)


# --- migration, copies, bad input -------------------------------------------------------------


def test_a_migration_takes_account_bucket_and_lag_along():
    made = fair(2)
    add(made, [0, 0], cap=[0.5, 0.0])
    want(made, [0, 1], 1)
    made.advance(40 * MS)
    ran = int(account(made)[0])
    assert abs(ran - 20 * MS) <= SLICE
    made.move(0, 1)
    made.advance(100 * MS)
    assert account(made).tolist() == [50 * MS, 100 * MS - ran]
    assert account(made, "steal_by_cap_ns")[0] == 100 * MS - (40 * MS + 50 * MS - ran)
    made.advance(200 * MS)
    assert account(made)[0] == 100 * MS


def test_wandering_costs_nobody_a_share():
    """Two hogs of one host and a third that goes to and fro: it is owed and owes what it left."""
    made = fair(2)
    add(made, [0, 0, 1, 1, 0])
    want(made, np.arange(5), 1)
    for k in range(1, 1001):
        made.move(4, k % 2)
        made.advance(k * 3 * MS)
    share = account(made) / (3 * SECOND)
    assert share.tolist() == pytest.approx([5 / 12] * 4 + [1 / 3], abs=0.02)


def test_whoever_goes_leaves_the_share_to_the_others():
    made = hogs([256.0] * 3)
    made.advance(3 * SECOND)
    made.remove(1)
    assert made.shares([1]).tolist() == [0.0]
    made.advance(5 * SECOND)
    assert account(made).tolist() == pytest.approx([2e9, 1e9, 2e9], abs=2 * SLICE)
    with pytest.raises(ScenarioError, match="removed"):
        want(made, 1, 1)


def test_a_copy_and_a_saved_state_go_on_as_the_original():
    made = hogs([256.0, 100.0, 300.0, 77.0], cores=2, vcpus=[1, 2, 3, 1], switch_cost_ns=5000)
    made.advance(123_456_789)
    want(made, [1, 2], [0, 1])
    twin = made.copy()
    loaded = type(made).restore(made.save())
    for each in (made, twin, loaded):
        each.advance(200 * MS)
        want(each, 1, 2)
        each.advance(SECOND)
    for field, values in made.accounts(np.arange(4)).items():
        assert np.array_equal(twin.accounts(np.arange(4))[field], values), field
        assert np.array_equal(loaded.accounts(np.arange(4))[field], values), field
    assert made.decisions == twin.decisions == loaded.decisions


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("vcpus", 0),
        ("weight", 0.0),
        ("weight", 0.01),
        ("weight", float("nan")),
        ("reservation", 0.5),
        ("cap", -0.5),
        ("period", 10),
        ("phase", -1),
        ("hosts", 1),
    ],
)
def test_a_tenant_that_cannot_be_is_refused(field, bad):
    made = fair(cores=4)
    facts = {"hosts": 0} | {field: bad}
    with pytest.raises(ScenarioError, match={"hosts": "host", "cap": "quota"}.get(field, field)):
        add(made, facts.pop("hosts"), **facts)
    assert made.tenants == 0


@pytest.mark.parametrize(
    "bad", [{"slice_ns": 0}, {"switch_cost_ns": -1}, {"switch_cost_ns": SLICE}]
)
def test_an_option_that_cannot_be_is_refused(bad):
    with pytest.raises(ScenarioError, match=next(iter(bad))[:-3]):
        fair(**bad)
