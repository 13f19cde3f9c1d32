"""Token buckets: closed forms to the nanosecond, cuts of time that change nothing, conservation."""

import copy
import pickle
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nephoscope import catalog, parts
from nephoscope.errors import ScenarioError

SECOND = 10**9
FEMTO = 10**15


def gp2(gib: int) -> parts.TokenBucket:
    facts = catalog.gp2_volume(gib)
    return parts.TokenBucket(facts.burst, facts.baseline)


# --- published figures ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gib", "seconds"), [(34, 1863), (100, 2000), (250, 2400), (500, 3600), (750, 7200)]
)
def test_a_gp2_volume_bursts_as_long_as_published(gib, seconds):
    volume = gp2(gib)
    volume.spend(3000)
    exact = Fraction(5_400_000, 3000 - max(100, 3 * gib)) * SECOND
    assert volume.empty_at() == -(-exact.numerator // exact.denominator)
    assert round(volume.empty_at() / SECOND) == seconds
    volume.advance(volume.empty_at())
    assert volume.level == 0


@pytest.mark.parametrize("gib", [1000, 2000, 6000])
def test_a_large_gp2_volume_bursts_for_ever(gib):
    volume = gp2(gib)
    volume.spend(3000)
    assert volume.empty_at() is None


def test_a_gp2_volume_is_full_again_after_18000_s():
    volume = parts.TokenBucket(5_400_000, 300, initial=0)
    assert volume.full_at() == 18_000 * SECOND
    volume.advance(18_000 * SECOND - 1)
    assert volume.level == 5_400_000 - Fraction(300, SECOND)
    volume.advance(18_000 * SECOND)
    assert volume.level == 5_400_000


def test_run_instances_refuses_beyond_1000_and_refills_2_a_second():
    calls = parts.TokenBucket(*catalog.API_BUCKETS["RunInstances/instances"])
    assert calls.take(1000)
    assert not calls.take(1)
    assert calls.able_at(1) == SECOND // 2
    calls.advance(SECOND // 2 - 1)
    assert not calls.take(1)
    calls.advance(SECOND // 2)
    assert calls.take(1)
    assert calls.level == 0
    assert calls.able_at(1000) == SECOND // 2 + 500 * SECOND
    assert calls.able_at(1001) is None


@pytest.mark.parametrize(("rate", "interval_ms"), [(1_000_000, 20), (250_000, 50)])
@pytest.mark.parametrize("packets", [1, 20, 21, 57, 200])
def test_a_virtual_interface_sends_in_steps_of_rate_times_interval(rate, interval_ms, packets):
    """Floor steps: r T bytes at each interval; the worst extra wait is T."""
    interval, packet = interval_ms * 10**6, 1000
    step = rate * interval // SECOND
    card = parts.TokenBucket(step, rate, interval_ns=interval)
    for _ in range(packets):
        card.advance(card.able_at(packet))
        assert card.take(packet)
    a_step = step // packet  # packets that one step pays for
    assert card.now_ns == (packets - 1) // a_step * interval
    continuous = Fraction(packets * packet, rate) * SECOND
    assert continuous - interval <= card.now_ns <= continuous


def test_steps_come_at_multiples_of_the_interval_wherever_one_begins():
    card = parts.TokenBucket(10, 10, initial=0, interval_ns=SECOND // 2, at_ns=SECOND // 4)
    assert card.able_at(1) == SECOND // 2
    assert card.able_at(6) == SECOND
    assert card.full_at() == SECOND
    card.advance(SECOND // 2 - 1)
    assert card.level == 0
    card.advance(SECOND // 2)
    assert card.level == 5
    with pytest.raises(ScenarioError, match="steps"):
        card.spend(1)


# --- rules ------------------------------------------------------------------------------------


def test_a_full_bucket_discards_and_an_empty_one_gives_what_comes_in():
    bucket = parts.TokenBucket(10, 2)
    bucket.advance(5 * SECOND)
    assert bucket.account()["discarded"] == 10 * FEMTO
    bucket.spend(4)
    assert bucket.empty_at() == 10 * SECOND
    bucket.advance(20 * SECOND)
    assert bucket.level == 0
    assert bucket.empty_at() == 20 * SECOND
    assert bucket.account()["unmet"] == 20 * FEMTO
    assert bucket.account()["spent"] == 40 * FEMTO


def test_an_instant_is_the_first_at_which_it_is_so():
    bucket = parts.TokenBucket(1, Fraction(1, 3), initial=0)  # 0.333333 a second
    full = bucket.full_at()
    assert full == -(-(10**6) * SECOND // 333_333)
    bucket.advance(full - 1)
    assert not bucket.take(1)
    bucket.advance(full)
    assert bucket.take(1)


def test_the_refill_may_change():
    bucket = parts.TokenBucket(100, 1, initial=0)
    bucket.advance(10 * SECOND)
    bucket.refill(0)
    bucket.advance(20 * SECOND)
    assert bucket.level == 10
    assert bucket.full_at() is None


def test_the_longest_times_and_largest_rates_do_not_wrap():
    bucket = parts.TokenBucket(2**63 - 1, 9_000_000_000_000, initial=0)
    bucket.advance(2**62)
    assert bucket.level == min(2**63 - 1, Fraction(9_000_000_000_000 * 2**62, SECOND))
    slow = parts.TokenBucket(2**63 - 1, Fraction(1, 10**6), initial=0)
    assert slow.full_at() is None
    assert slow.able_at(9000) == 9_000_000_000 * SECOND


@pytest.mark.parametrize(
    ("field", "facts"),
    [
        ("capacity", {"capacity": -1, "refill": 1}),
        ("initial", {"capacity": 1, "refill": 1, "initial": 2}),
        ("initial", {"capacity": 1, "refill": 1, "initial": -1}),
        ("refill", {"capacity": 1, "refill": -1}),
        ("refill", {"capacity": 1, "refill": float("nan")}),
        ("interval_ns", {"capacity": 1, "refill": 1, "interval_ns": -1}),
        ("now", {"capacity": 1, "refill": 1, "at_ns": -1}),
    ],
)
def test_what_cannot_be_is_refused(field, facts):
    with pytest.raises(ScenarioError, match=field):
        parts.TokenBucket(**facts)


def test_time_does_not_run_backwards():
    bucket = parts.TokenBucket(1, 1)
    bucket.advance(5)
    with pytest.raises(ScenarioError, match="past"):
        bucket.advance(4)
    with pytest.raises(ScenarioError, match="tokens"):
        bucket.take(-1)


# --- properties -------------------------------------------------------------------------------

ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("advance"), st.integers(0, 10**12)),
        st.tuples(st.just("spend"), st.integers(0, 10**6)),
        st.tuples(st.just("refill"), st.integers(0, 10**6)),
        st.tuples(st.just("take"), st.integers(0, 2000)),
    ),
    max_size=25,
)


def play(bucket, actions, cuts=()):
    """The actions; an advance is cut at these fractions (of 1000) of its length."""
    for name, value in actions:
        if name == "advance":
            begin = bucket.now_ns
            for cut in sorted(cuts):
                bucket.advance(begin + value * cut // 1000)
            bucket.advance(begin + value)
        else:
            getattr(bucket, name)(value)


@given(ACTIONS, st.integers(0, 3000), st.lists(st.integers(0, 1000), max_size=4))
def test_how_time_is_cut_changes_nothing_and_all_tokens_are_told(actions, capacity, cuts):
    whole = parts.TokenBucket(capacity, 7, initial=capacity // 2)
    cut = copy.deepcopy(whole)
    play(whole, actions)
    play(cut, actions, cuts)
    found = whole.account()
    assert found == cut.account()
    assert 0 <= found["level"] <= capacity * FEMTO
    left = found["level"] + found["spent"] + found["discarded"]
    assert capacity // 2 * FEMTO + found["refilled"] == left


@settings(max_examples=100)
@given(
    st.integers(1, 5),
    st.sampled_from([0, 1, 5]),
    st.integers(0, 40),
    st.integers(0, 40),
    st.sampled_from([1, 10**6, 10**12]),
    st.integers(0, 200),
)
def test_the_closed_form_is_what_ticking_gives(capacity, initial, refill, spend, grain, ns):
    """One nanosecond after the other: a millionth a second is a femtotoken a nanosecond."""
    initial = min(capacity, initial)
    bucket = parts.TokenBucket(capacity, Fraction(refill * grain, 10**6), initial=initial)
    bucket.spend(Fraction(spend * grain, 10**6))
    level = initial * FEMTO
    discarded = unmet = 0
    for _ in range(ns):
        level += (refill - spend) * grain
        discarded += max(0, level - capacity * FEMTO)
        unmet += max(0, -level)
        level = min(capacity * FEMTO, max(0, level))
    bucket.advance(ns)
    found = bucket.account()
    assert (found["level"], found["discarded"], found["unmet"]) == (level, discarded, unmet)


@given(ACTIONS, st.integers(1, 3000))
def test_the_instants_told_are_the_first(actions, capacity):
    bucket = parts.TokenBucket(capacity, 7, initial=0)
    play(bucket, actions)
    for ask, reached in (
        (lambda b: b.empty_at(), lambda b: b.level == 0),
        (lambda b: b.full_at(), lambda b: b.level == capacity),
        (lambda b: b.able_at(capacity // 2), lambda b: b.level >= capacity // 2),
    ):
        then = ask(bucket)
        if then is None:
            later = copy.deepcopy(bucket)
            later.advance(bucket.now_ns + 10**13)
            assert not reached(later)
        else:
            later = copy.deepcopy(bucket)
            later.advance(then)
            assert reached(later)
        if then is not None and then > bucket.now_ns:
            before = copy.deepcopy(bucket)
            before.advance(then - 1)
            assert not reached(before)


def test_a_copy_goes_its_own_way():
    bucket = parts.TokenBucket(10, 1, initial=3)
    bucket.advance(SECOND)
    again = pickle.loads(pickle.dumps(bucket))
    assert again.account() == bucket.account()
    assert again.take(4)
    assert bucket.level == 4
    assert again.level == 0
