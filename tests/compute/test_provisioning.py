"""Mass launches through token buckets: closed forms, then the bound that every bucket keeps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nephoscope import parts
from nephoscope.errors import ScenarioError

MS = 1_000_000
SECOND = 1000 * MS


def closed_form(count: int, size: int = 1000, per_s: int = 2) -> np.ndarray:
    """The k-th instance takes the k-th token: size at once, then one every 1 / per_s seconds."""
    late = np.maximum(np.arange(1, count + 1) - size, 0)
    return -(-late * SECOND // per_s)


def test_ten_thousand_in_closed_form():
    """1000 at once, then two a second: the last at (10,000 - 1000) / 2 = 4500 s."""
    done = parts.provision(10_000, batch=1000)
    assert done.accepted_at_ns.tolist() == closed_form(10_000).tolist()
    assert done.accepted_at_ns[-1] == 4500 * SECOND
    assert done.throttled == 0
    assert done.requests == 1 + 9000


def test_batches_of_a_hundred_wait_for_request_tokens():
    """Five requests at once, then two a second: 500 at once, 100 each half second up to 2.5 s.

    By then the bucket of instances has refilled five; from there on they come two a second, with
    the 5 ahead. The last comes when 10,000 tokens have been there, at 4500 s.
    """
    done = parts.provision(10_000)
    at = done.accepted_at_ns
    for wave in range(5):
        first = 500 + 100 * wave
        assert set(at[first : first + 100].tolist()) == {(wave + 1) * 500 * MS}
    assert set(at[:500].tolist()) == {0}
    # The eleventh request comes at 3 s and finds the 6 tokens refilled until then.
    assert at[1000:1006].tolist() == [3 * SECOND] * 6
    assert at[1006:].tolist() == closed_form(10_000)[1006:].tolist()


@pytest.mark.parametrize(("size", "per_s"), [(1, 1), (10, 3), (1000, 7), (100, 1000)])
def test_other_limits_in_closed_form(size, per_s):
    done = parts.provision(
        500, batch=500, instances=size, instances_per_s=per_s, requests=10**6, requests_per_s=10**6
    )
    assert done.accepted_at_ns.tolist() == closed_form(500, size, per_s).tolist()


def test_a_caller_content_with_whole_batches_only_waits_for_them():
    """With a batch of 100 or nothing, 100 come every 50 s after the first thousand."""
    done = parts.provision(1500, batch=100, min_count=100, requests=1000)
    at = done.accepted_at_ns
    assert set(at[:1000].tolist()) == {0}
    assert at[1000::100].tolist() == [50 * SECOND * (wave + 1) for wave in range(5)]


def test_one_request_for_all_that_the_bucket_holds():
    interface = parts.LaunchInterface()
    assert interface.run_instances(1000) == ("launched", 1000)
    assert interface.run_instances(1) == ("RequestLimitExceeded", 0)
    assert interface.run_instances(2, now_ns=SECOND) == ("launched", 2)


def test_two_requests_a_second_for_one_or_one_for_two():
    interface = parts.LaunchInterface()
    interface.run_instances(1000)
    assert interface.run_instances(1, now_ns=500 * MS) == ("launched", 1)
    assert interface.run_instances(1, now_ns=1000 * MS) == ("launched", 1)
    assert interface.run_instances(2, now_ns=2000 * MS) == ("launched", 2)
    assert interface.run_instances(1, now_ns=2000 * MS) == ("RequestLimitExceeded", 0)


def test_the_sixth_request_at_once_is_throttled_whatever_it_asks_for():
    interface = parts.LaunchInterface()
    answers = [interface.run_instances(1)[0] for _ in range(6)]
    assert answers == ["launched"] * 5 + ["RequestLimitExceeded"]
    assert interface.admits_at(1) == 500 * MS
    assert interface.run_instances(1, now_ns=500 * MS - 1)[0] == "RequestLimitExceeded"
    assert interface.run_instances(1, now_ns=500 * MS)[0] == "launched"


def test_as_many_as_possible_down_to_the_least_wanted():
    interface = parts.LaunchInterface()
    assert interface.run_instances(10, 3, capacity=4) == ("launched", 4)
    assert interface.run_instances(10, 5, capacity=4) == ("InsufficientInstanceCapacity", 0)
    assert interface.run_instances(2000, 900) == ("launched", 996)


def test_what_fails_for_capacity_takes_no_tokens_of_instances():
    interface = parts.LaunchInterface(instances=10)
    assert interface.run_instances(10, 10, capacity=9)[0] == "InsufficientInstanceCapacity"
    assert interface.run_instances(10) == ("launched", 10)


def test_buckets_hold_no_more_than_their_size_after_ages():
    interface = parts.LaunchInterface()
    interface.run_instances(1000)
    assert interface.run_instances(1001, 1000, now_ns=2**61) == ("launched", 1000)


def test_a_bucket_is_full_to_the_nanosecond():
    """A token a nanosecond: after 11 of them a bucket of 10 holds 10."""
    interface = parts.LaunchInterface(instances=10, instances_per_s=10**9)
    assert interface.run_instances(10) == ("launched", 10)
    assert interface.run_instances(11, 1, now_ns=9) == ("launched", 9)
    assert interface.run_instances(11, 1, now_ns=20) == ("launched", 10)


def test_backoff_doubles_up_to_its_cap():
    """After 3 at once each try needs 10 tokens, at one a second: ready at 10 - 0 = 10 s.

    Tries at 0 (throttled), 1, 1 + 2 = 3, 3 + 4 = 7, 7 + 4 = 11: the fifth is let in.
    """
    interface = parts.LaunchInterface(
        instances=10, instances_per_s=1, requests=100, requests_per_s=100
    )
    interface.run_instances(10)
    done = interface.provision(10, batch=10, min_count=10, backoff="1s", backoff_cap="4s")
    assert done.accepted_at_ns.tolist() == [11 * SECOND] * 10
    assert (done.requests, done.throttled) == (5, 4)


def test_jitter_is_a_uniform_part_of_the_wait_and_a_function_of_name_and_seed():
    def run(**options):
        return parts.provision(2000, backoff="1s", jitter=True, **options)

    plain, again, other = run(seed=1), run(seed=1), run(seed=2)
    assert plain.accepted_at_ns.tolist() == again.accepted_at_ns.tolist()
    assert plain.accepted_at_ns.tolist() != other.accepted_at_ns.tolist()
    assert plain.accepted_at_ns.tolist() != run(seed=1, name="x").accepted_at_ns.tolist()
    assert (plain.accepted_at_ns >= closed_form(2000)).all()


@settings(max_examples=80, deadline=None)
@given(
    count=st.integers(1, 300),
    batch=st.integers(1, 60),
    size=st.integers(60, 100),
    per_s=st.integers(1, 9),
    requests=st.integers(1, 5),
    requests_per_s=st.integers(1, 5),
    backoff=st.sampled_from(["0s", "100ms", "3s"]),
    data=st.data(),
)
def test_no_interval_takes_more_than_size_and_refill(
    count, batch, size, per_s, requests, requests_per_s, backoff, data
):
    least = data.draw(st.integers(1, batch))
    done = parts.provision(
        count,
        batch=batch,
        min_count=least,
        instances=size,
        instances_per_s=per_s,
        requests=requests,
        requests_per_s=requests_per_s,
        backoff=backoff,
    )
    at = done.accepted_at_ns
    assert len(at) == count
    assert (np.diff(at) >= 0).all()
    for first in range(count):
        taken = np.arange(1, count - first + 1)
        assert (taken * SECOND <= size * SECOND + per_s * (at[first:] - at[first])).all()
    assert done.requests - done.throttled >= -(-count // batch)
    if backoff == "0s":
        assert done.throttled == 0


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"batch": 0}, "batch"),
        ({"batch": 10, "min_count": 11}, "min_count"),
        ({"batch": 2000, "min_count": 1001}, "min_count"),
        ({"backoff": "1us"}, "backoff_base_ns"),
        ({"backoff": "30s", "backoff_cap": "1s"}, "backoff_cap_ns"),
        ({"instances": 0}, "instances"),
        ({"requests_per_s": 0}, "requests_per_s"),
    ],
)
def test_plans_that_cannot_work_are_refused(options, word):
    with pytest.raises(ScenarioError, match=word):
        parts.provision(5000, **options)


def test_time_does_not_run_backwards():
    interface = parts.LaunchInterface()
    interface.run_instances(1, now_ns=SECOND)
    with pytest.raises(ScenarioError, match="now_ns"):
        interface.run_instances(1, now_ns=0)
