"""Event patterns: what rules add to an event of a known kind, and what a new one costs."""

import json
import time

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from nephoscope import parts
from pairs import Pairs
from sizes import Size

KINDS = 1_000
ADDED_NS_MAX = 20.0  # by 300 rules, to an event whose kind was seen before

pytestmark = pytest.mark.benchmark(group="patterns", timer=time.thread_time, warmup=False)


def rules(count: int) -> parts.EventRules:
    """Of one source each looks for its own id, and for one of five kinds of further condition."""
    further = [
        {"state": ["running", "stopped"]},
        {"state": [{"prefix": "run"}, {"suffix": "ed"}]},
        {"load": [{"numeric": [">=", 0, "<", 0.5]}]},
        {"address": [{"cidr": "10.0.0.0/24"}]},
        {"state": [{"anything-but": {"wildcard": "s*d"}}], "zone": [{"exists": False}]},
    ]
    return parts.EventRules(
        {
            f"rule {number}": {
                "source": ["shop"],
                "detail": {"id": [number], **further[number % len(further)]},
            }
            for number in range(count)
        }
    )


def event(number: int) -> str:
    detail = {"id": number % 400, "state": "running", "load": number / KINDS, "address": "10.0.0.7"}
    return json.dumps({"source": "shop", "detail-type": "order", "detail": detail})


def test_known_kinds(benchmark: BenchmarkFixture, size: Size) -> None:
    """300 rules beside none, an event of a kind that is known."""
    few, many = rules(0), rules(300)
    kinds = [[it.intern(event(number)) for number in range(KINDS)] for it in (few, many)]
    order = np.random.default_rng(1).integers(0, KINDS, size.of(5_000_000))
    sequences = [np.array(known, dtype=np.uint32)[order] for known in kinds]
    pairs = Pairs("known")
    seconds: list[float] = []

    def without() -> None:
        start = time.thread_time()
        few.count(sequences[0])
        seconds.append(time.thread_time() - start)

    def timed() -> None:
        start = time.thread_time()
        counts = many.count(sequences[1])
        elapsed = time.thread_time() - start
        pairs.add(elapsed / len(order) * 1e9, seconds[-1] / len(order) * 1e9)
        assert len(order) / 4 < counts.sum() < len(order)

    benchmark.pedantic(timed, setup=without, rounds=size.rounds, iterations=1)
    benchmark.extra_info.update(pairs.summary())
    added = pairs.summary()["subject_ns"] - pairs.summary()["reference_ns"]
    benchmark.extra_info["added_ns"] = added
    if size.full:
        assert added <= ADDED_NS_MAX


@pytest.mark.parametrize("count", [1, 30, 300, 3000])
def test_new_events(benchmark: BenchmarkFixture, size: Size, count: int) -> None:
    """Every event is read and matched anew."""
    bus = rules(count)
    events = [event(number) for number in range(KINDS if size.full else 100)]

    def match() -> int:
        return sum(len(bus.matches(it)) for it in events)

    assert benchmark.pedantic(match, rounds=size.rounds, iterations=1) > 0
