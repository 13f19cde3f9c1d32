"""Laws of redelivery, held by queues: closed forms, worked examples, and the reference data."""

from __future__ import annotations

import math
from itertools import count

import numpy as np
import pytest
from scipy import stats

from nephoscope import parts
from theory import oracles

Z = 4.8916  # two-sided false alarm of one in a million
SECOND = 10**9
MESSAGES = 60_000
RECEIVES = 5

MEAN = 10.0
SIGMA2 = math.log(5.0)  # of a lognormal of scv 4
LAWS = {
    "exp": stats.expon(scale=MEAN),
    "erlang4": stats.gamma(4, scale=MEAN / 4),
    "lognormal": stats.lognorm(math.sqrt(SIGMA2), scale=MEAN * math.exp(-SIGMA2 / 2)),
    "weibull0.5": stats.weibull_min(0.5, scale=MEAN / 2),
}


def near(values, expected: float) -> None:
    values = np.asarray(values, dtype=float)
    error = values.std(ddof=1) / math.sqrt(len(values))
    assert abs(values.mean() - expected) <= Z * error + 1e-12, (values.mean(), expected, error)


def as_often(happened, chance: float) -> None:
    seen = int(happened.sum())
    assert stats.binomtest(seen, len(happened), chance).pvalue > 1e-6, (seen, chance)


def queue_with(timeout: float, **options) -> parts.Queue:
    return parts.Queue(
        visibility_timeout=f"{timeout}s", in_flight=10 * MESSAGES, retention="14d", **options
    )


def abandoned(law, timeout: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Receives, whether dead, and busy seconds of each message: an attempt ends at the timeout."""
    rng = np.random.default_rng(seed)
    lost = parts.Queue()
    queue = queue_with(timeout, dead_letter={"queue": lost, "max_receives": RECEIVES})
    queue.send(np.arange(MESSAGES), at=0)
    receives, busy = np.zeros(MESSAGES), np.zeros(MESSAGES)
    step = round(timeout * SECOND)
    for attempt in count():
        messages = queue.receive_many(MESSAGES, at=attempt * step)
        if len(messages) == 0:
            break
        times = law.rvs(len(messages), random_state=rng)
        receives[messages.bodies] += 1
        busy[messages.bodies] += np.minimum(times, timeout)
        done = messages.receipts[times < timeout]
        assert not queue.delete_many(done, at=(attempt + 1) * step - 1).any()
    queue.check()
    dead = np.zeros(MESSAGES)
    dead[lost.receive_many(MESSAGES, at=(RECEIVES + 1) * step).bodies] = 1
    assert queue.counts()["received"] == receives.sum()
    return receives, dead, busy


def running_on(law, timeout: float, seed: int = 2) -> np.ndarray:
    """Receives of each message where attempts go on and the first to finish deletes it."""
    rng = np.random.default_rng(seed)
    queue = queue_with(timeout)
    queue.send(np.arange(MESSAGES), at=0)
    receives, finish = np.zeros(MESSAGES), np.full(MESSAGES, np.inf)
    receipts = np.zeros(MESSAGES, dtype=np.uint64)
    for attempt in count():
        messages = queue.receive_many(MESSAGES, at=round(attempt * timeout * SECOND))
        if len(messages) == 0:
            break
        start = attempt * timeout
        times = start + law.rvs(len(messages), random_state=rng)
        receives[messages.bodies] += 1
        receipts[messages.bodies] = messages.receipts
        finish[messages.bodies] = np.minimum(finish[messages.bodies], times)
        done = messages.bodies[finish[messages.bodies] < start + timeout]
        queue.delete_many(receipts[done], at=round((start + timeout) * SECOND) - 1)
    assert queue.counts()["deleted"] == MESSAGES
    return receives


def mean_running_on(law, timeout: float) -> float:
    beyond = np.cumprod(law.sf(timeout * np.arange(1, 60)))
    return 1 + float(beyond.sum())


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("timeout", [7.0, 20.0])
def test_an_attempt_that_is_abandoned(name, timeout):
    law = LAWS[name]
    p = float(law.sf(timeout))
    receives, dead, busy = abandoned(law, timeout)
    near(receives, (1 - p**RECEIVES) / (1 - p))
    as_often(dead, p**RECEIVES)
    served = law.expect(lambda x: np.minimum(x, timeout)) if name == "exp" else None
    if served is not None:
        near(busy, served * (1 - p**RECEIVES) / (1 - p))


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("timeout", [7.0, 20.0])
def test_an_attempt_that_runs_on(name, timeout):
    near(running_on(LAWS[name], timeout), mean_running_on(LAWS[name], timeout))


@pytest.mark.parametrize("entry", oracles.cases("SQS_redelivery_"))
def test_redelivery_of_the_reference(entry):
    it = oracles.entries()[entry]
    name = entry.removeprefix("SQS_redelivery_").split("_")[0]
    timeout = it["parameters"]["visibility_timeout"]
    expected = it["expected"]
    law = LAWS[name]
    receives, dead, busy = abandoned(law, timeout)
    near(receives, expected["A_mean_receives"])
    as_often(dead, expected["A_P_DLQ"])
    near(busy, expected["A_busy_per_message"])
    assert it["parameters"]["maxReceiveCount"] == RECEIVES
    near(running_on(law, timeout), expected["B_mean_receives"])


def in_flight_on_average(rate: float, mean: float, samples: int) -> np.ndarray:
    """In flight every five mean times, of a queue with always a consumer at hand."""
    rng = np.random.default_rng(3)
    queue = parts.Queue(visibility_timeout="12h")
    gap = 5 * mean
    found, ends, receipts = [], np.zeros(0), np.zeros(0, dtype=np.uint64)
    for at in range(1, samples + 2):
        arrivals = (at - 1) * gap + gap * rng.random(rng.poisson(rate * gap))
        now = round(at * gap * SECOND)
        queue.send(np.arange(len(arrivals)), at=now)
        messages = queue.receive_many(len(arrivals) + 1, at=now)
        ends = np.append(ends, arrivals + rng.exponential(mean, len(arrivals)))
        receipts = np.append(receipts, messages.receipts)
        over = ends <= at * gap
        assert not queue.delete_many(receipts[over], at=now).any()
        ends, receipts = ends[~over], receipts[~over]
        found.append(queue.counts()["in_flight"])
    return np.array(found[1:])


def test_what_is_in_flight_is_the_rate_times_the_time_held():
    near(in_flight_on_average(rate=50.0, mean=4.0, samples=60), 200.0)


@pytest.mark.parametrize("entry", oracles.cases("SQS_inflight_littles_law"))
def test_in_flight_of_the_reference(entry):
    it = oracles.entries()[entry]
    near(
        in_flight_on_average(it["parameters"]["lam"], it["parameters"]["mean_processing"], 12),
        it["expected"]["mean_inflight"],
    )
    # Sixty seconds in flight each: no more than the limit in a minute.
    queue = parts.Queue(visibility_timeout="60s")
    queue.send(np.arange(300_000), at=0)
    taken = [len(queue.receive_many(200_000, at=60 * k * SECOND)) for k in range(2)]
    assert taken[0] / 60 == it["expected"]["cap_per_s"]


@pytest.mark.parametrize("entry", oracles.cases("SQS_ChangeVisibility_example"))
def test_the_worked_example_of_a_change(entry):
    it = oracles.entries()[entry]
    given = it["parameters"]
    queue = parts.Queue(visibility_timeout=f"{given['VT']}s")
    queue.send([1], at=0)
    receipt = int(queue.receive(at=0).messages.receipts[0])
    queue.change_visibility(receipt, f"{given['new']}s", at=given["change_at"] * SECOND)
    assert queue.next_event_ns == it["expected"] * SECOND


@pytest.mark.parametrize("entry", oracles.cases("SQS_limits"))
def test_the_limits_of_the_reference(entry):
    expected = oracles.entries()[entry]["expected"]
    groups = np.arange(expected["inflight_fifo"] + 1)
    standard = parts.Queue()
    fifo = parts.Queue(type="fifo", deduplication="content", throughput="unlimited")
    standard.send(groups, at=0)
    fifo.send(groups, at=0, group=groups)
    assert len(standard.receive_many(len(groups), at=0)) == expected["inflight_standard"]
    assert len(fifo.receive_many(len(groups), at=0)) == expected["inflight_fifo"]
    assert standard.next_event_ns == expected["visibility_default_s"] * SECOND
    fifo.check()
