"""CPU credits that run low: the limit comes down little by little, and up again."""

import copy
import pickle
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compute.lowered_credits import STEPS, Lowered
from nephoscope import catalog, parts
from nephoscope.errors import ScenarioError

MINUTE = 60 * 10**9
HOUR = 60 * MINUTE
DAY = 24 * HOUR
UNIT = parts.CpuCredits.UNITS_PER_CREDIT
A_NS = UNIT // MINUTE  # a vCPU for a nanosecond
BURSTABLE = catalog.burstable_types()


def running(kind: str, minutes: Fraction | int, **how) -> parts.CpuCredits:
    """In standard mode; T2 with launch credits unless told not."""
    vm = parts.CpuCredits(kind, "standard", lowered_over_ns=round(minutes * MINUTE))
    vm.start(**how)
    return vm


def full(kind: str, minutes: Fraction | int) -> parts.CpuCredits:
    """After a day of rest, without launch credits."""
    vm = running(kind, minutes, launch_credits=False)
    vm.advance(DAY)
    return vm


def follow(vm: parts.CpuCredits, wanted: float, until_ns: int) -> list[tuple[int, float]]:
    """Who wants so much is held to the limit until then; each change of the limit."""
    changes = []
    vm.use(min(wanted, vm.limit))
    while (then := vm.limit_changes_at()) is not None and then <= until_ns:
        assert then > vm.now_ns
        vm.advance(then)
        changes.append((then, vm.limit))
        vm.use(min(wanted, vm.limit))
    vm.advance(until_ns)
    return changes


def left(vm: parts.CpuCredits) -> int:
    found = vm.account()
    return found["balance"] + found["launch"]


@pytest.mark.parametrize("facts", BURSTABLE, ids=lambda facts: facts.name)
def test_the_limit_comes_down_within_the_time_that_is_told(facts):
    """From all vCPUs to the baseline in fifteen equal times, about the end of full use at once."""
    vm = full(facts.name, 15)
    changes = follow(vm, facts.vcpus, 10 * DAY)
    at_once = facts.credits_max / (facts.vcpus - facts.credits_per_hour / 60)
    expected = [DAY + (at_once - Fraction(15, 2) + k) * MINUTE for k in range(STEPS)]
    assert [then for then, _ in changes] == pytest.approx(
        [float(when) for when in expected], rel=0, abs=100
    )
    baseline = facts.baseline_vcpus
    limits = [baseline + (facts.vcpus - baseline) * k / STEPS for k in reversed(range(STEPS))]
    assert [limit for _, limit in changes] == pytest.approx(limits, abs=2**-36)


@pytest.mark.parametrize("facts", BURSTABLE, ids=lambda facts: facts.name)
def test_all_that_was_there_is_spent_and_no_more(facts):
    vm = full(facts.name, 15)
    before = vm.account()
    follow(vm, facts.vcpus, 10 * DAY)
    after = vm.account()
    assert after["balance"] == 0
    earned = after["earned"] - before["earned"]
    assert after["spent"] - before["spent"] == earned + before["balance"]
    assert after["uncovered"] < facts.vcpus * A_NS


def test_a_t3_micro_at_full_use_minute_by_minute():
    """288 credits, 1.8 spent a minute: 13.5 are left after 152.5 minutes, none after 167.5."""
    vm = full("t3.micro", 15)
    vm.use(2)
    assert vm.limit_changes_at() == DAY + 152 * MINUTE + MINUTE // 2
    vm.advance(vm.limit_changes_at())
    assert vm.balance == 13.5
    assert vm.limit == pytest.approx(2 - 1.8 / 16)
    follow(vm, 2, DAY + 160 * MINUTE)
    assert vm.limit == pytest.approx(0.2 + 1.8 * 8 / 16)
    follow(vm, 2, DAY + 167 * MINUTE)
    assert vm.limit == pytest.approx(0.2 + 1.8 / 16)
    follow(vm, 2, DAY + 168 * MINUTE)
    assert vm.limit == pytest.approx(0.2, abs=1e-9)


@pytest.mark.parametrize(
    ("minutes", "rest", "begins"),
    [
        # 30 credits at launch, 0.9 a minute; 27 are spent on the way down, or 6.75.
        (60, 0, Fraction(30 - 27) / Fraction("0.9")),
        (15, 0, (30 - Fraction("6.75")) / Fraction("0.9")),
        # 144 beside them: what comes in is lost until launch credits are gone after 30 minutes.
        (15, DAY, 30 + (144 - Fraction("6.75")) / Fraction("0.9")),
    ],
)
def test_launch_credits_count_for_what_is_left(minutes, rest, begins):
    vm = running("t2.micro", minutes)
    vm.advance(rest)
    vm.use(1)
    exact = begins * MINUTE
    assert vm.limit_changes_at() == rest + -(-exact.numerator // exact.denominator)
    changes = follow(vm, 1, rest + DAY)
    assert changes[-1][0] - changes[0][0] == pytest.approx(minutes * MINUTE, abs=100)
    assert vm.limit == pytest.approx(0.1, abs=1e-9)


def test_who_rests_climbs_the_same_steps():
    """A t3.micro earns 0.2 a minute; step k needs more than 0.1125 k (k - 1) / 2 of 15 minutes."""
    vm = full("t3.micro", 15)
    follow(vm, 2, 2 * DAY)
    changes = follow(vm, 0, 3 * DAY)
    expected = [
        2 * DAY + Fraction("0.1125") * k * (k - 1) / 2 / Fraction("0.2") * MINUTE
        for k in range(1, STEPS + 1)
    ]
    assert [then for then, _ in changes] == pytest.approx(
        [float(when) for when in expected], rel=0, abs=2
    )
    limits = [0.2 + 1.8 * k / STEPS for k in range(1, STEPS + 1)]
    assert [limit for _, limit in changes] == pytest.approx(limits, abs=2**-36)


def test_a_short_rest_is_worth_what_it_earned():
    """Ten minutes at 0 earn a t3.micro 2 credits: step 6, and down again within six minutes."""
    vm = full("t3.micro", 15)
    follow(vm, 2, 2 * DAY)
    follow(vm, 0, 2 * DAY + 10 * MINUTE)
    assert vm.limit == pytest.approx(0.2 + 1.8 * 6 / 16)
    before = vm.account()["spent"]
    changes = follow(vm, 2, 2 * DAY + 20 * MINUTE)
    assert len(changes) == 6
    assert (vm.account()["spent"] - before) / UNIT == pytest.approx(2 + 10 * 0.2, abs=1e-9)


def test_who_uses_less_than_the_limit_is_not_held_until_it_is_lower():
    """One of two vCPUs of a t2.medium: 0.6 a minute beyond 0.4; from 1.5 credits on 0.9 and less.

    They are reached after 97.5 minutes, and the baseline after five more.
    """
    vm = running("t2.medium", 15)
    changes = [then for then, limit in follow(vm, 1, DAY) if limit < 1]
    expected = [97.5 + k for k in range(6)]
    assert [then / MINUTE for then in changes] == pytest.approx(expected, abs=1e-9)


def test_unlimited_instances_do_not_come_down():
    vm = parts.CpuCredits("t3.micro", lowered_over_ns=15 * MINUTE)
    vm.start()
    vm.use(2)
    assert vm.limit_changes_at() is None
    vm.advance(DAY)
    assert vm.limit == 2
    vm.switch("standard")
    vm.advance(DAY + 1)
    assert vm.limit == pytest.approx(0.2, abs=1e-9)


def test_an_instance_that_is_not_running_has_a_limit_that_stays():
    vm = running("t3.micro", 15)
    vm.advance(HOUR // 10)
    vm.stop()
    assert vm.limit_changes_at() is None


def test_a_copy_comes_down_alike():
    vm = full("t3.micro", 15)
    follow(vm, 2, DAY + 160 * MINUTE)
    again = pickle.loads(pickle.dumps(vm))
    assert follow(again, 2, 2 * DAY) == follow(vm, 2, 2 * DAY)
    assert again.account() == vm.account()


@pytest.mark.parametrize("lowered_over_ns", [-1, 320 * MINUTE, 2**62])
def test_times_that_cannot_be_are_refused(lowered_over_ns):
    """At full use 288 credits of a t3.micro are halved in value on the way: 320 minutes."""
    parts.CpuCredits("t3.micro", "standard", lowered_over_ns=320 * MINUTE - 1)
    with pytest.raises(ScenarioError, match="lowered_over_ns"):
        parts.CpuCredits("t3.micro", "standard", lowered_over_ns=lowered_over_ns)


# --- properties -------------------------------------------------------------------------------

KINDS = st.sampled_from(["t2.nano", "t2.micro", "t2.2xlarge", "t3.nano", "t4g.xlarge"])
MINUTES = st.integers(1, 60) | st.just(Fraction(1, 60))
DEMANDS = st.lists(
    st.tuples(
        st.floats(0, 1) | st.sampled_from([0.0, 0.05, 0.1, 0.4, 1.0]),
        st.integers(0, HOUR) | st.integers(0, DAY),
    ),
    max_size=20,
)


@given(KINDS, MINUTES, DEMANDS)
def test_nothing_is_given_away_whatever_is_wanted(kind, minutes, demands):
    vm = running(kind, minutes)
    times = 0
    for share, ns in demands:
        changes = follow(vm, share * vm.facts.vcpus, vm.now_ns + ns)
        assert len(changes) <= STEPS  # from one end to the other, and never back
        assert len({limit for _, limit in changes}) == len(changes)
        times += 1
    found = vm.account()
    assert found["uncovered"] <= times * vm.facts.vcpus * A_NS
    granted = found["earned"] + found["granted"]
    assert granted == found["spent"] + left(vm) + found["discarded"]


@given(KINDS, MINUTES, DEMANDS)
def test_what_is_held_back_is_never_more_than_the_way_down_is_worth(kind, minutes, demands):
    """Beside one that falls at once: it has as much or more, by (v - b) T / 2 at most."""
    vm, other = running(kind, minutes), running(kind, 0)
    slack = 0
    zone = Lowered(vm.facts, minutes).zone * UNIT
    for share, ns in demands:
        for each in (vm, other):
            follow(each, share * vm.facts.vcpus, each.now_ns + ns)
        slack += STEPS * vm.facts.vcpus * A_NS
        assert -slack <= left(vm) - left(other) <= zone + slack


@given(KINDS, DEMANDS)
def test_the_shorter_it_takes_the_nearer_to_at_once(kind, demands):
    vm, other = running(kind, Fraction(1000, MINUTE)), running(kind, 0)
    for share, ns in demands:
        for each in (vm, other):
            follow(each, share * vm.facts.vcpus, each.now_ns + ns)
        assert abs(left(vm) - left(other)) <= 1000 * vm.facts.vcpus * A_NS * (1 + len(demands))


@given(KINDS, MINUTES, st.floats(0, 1), st.integers(0, DAY), st.floats(0.01, 1))
def test_the_limit_is_what_is_left_says(kind, minutes, use, ns, wanted):
    vm = running(kind, minutes)
    vm.use(use * vm.facts.vcpus)
    vm.advance(ns)
    reference = Lowered(vm.facts, minutes)
    balance = Fraction(left(vm), UNIT)
    if min(abs(balance - reference.needed(k)) for k in range(STEPS + 1)) > Fraction(1, 10**12):
        assert vm.limit == pytest.approx(float(reference.limit(balance)), abs=2**-36)
    vm.use(min(wanted * vm.facts.vcpus, vm.limit))
    then = vm.limit_changes_at()
    later, before = copy.deepcopy(vm), copy.deepcopy(vm)
    if then is None:
        later.advance(ns + DAY)
        assert later.limit == vm.limit
        return
    later.advance(then)
    before.advance(then - 1)
    assert later.limit != vm.limit
    assert before.limit == vm.limit
