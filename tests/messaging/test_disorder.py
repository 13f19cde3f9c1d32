"""Standard queues out of order: who receives may get the message behind the oldest."""

from collections import Counter

import pytest

from nephoscope import ScenarioError, parts
from nephoscope.report.description import describe
from nephoscope.scenario import Scenario

MANY = 20_000
SHARE = 0.3


def received(queue: parts.Queue, count: int, most: int = 1, **keys: str) -> list[int]:
    """The bodies of so many receives, in the order in which they are handed out."""
    found: list[int] = []
    for _ in range(count):
        found += queue.receive(at="1s", most=most, **keys).messages.bodies.tolist()
    queue.check()
    return found


def overtaken(order: list[int]) -> Counter[int]:
    """How many younger ones went before each that was the oldest; others were the second."""
    passed, waiting = Counter[int](), 0
    first, second = 0, 1
    for body in order:
        if body == first:
            passed[waiting] += 1
            first, waiting = second, 0
        else:
            assert body == second
            waiting += 1
        second += 1
    return passed


def test_unless_told_the_order_is_kept():
    queue = parts.Queue()
    queue.send(range(100), at=0)
    assert received(queue, 10, most=10) == list(range(100))


@pytest.mark.parametrize("most", [1, 10])
def test_the_oldest_is_passed_over_by_chance(most):
    """At each of 20,000 picks with probability 0.3: so it is overtaken by k with 0.3^k x 0.7.

    Bounds of 4.9 standard deviations, beyond which one of six figures is once in 170,000 seeds.
    """
    queue = parts.Queue(disorder=SHARE, visibility_timeout="12h", seed=3)
    queue.send(range(MANY), at=0)
    order = received(queue, MANY // most, most=most)
    assert sorted(order) == list(range(MANY))
    passed = overtaken(order)
    oldest = sum(passed.values())
    sigma = (MANY * SHARE * (1 - SHARE)) ** 0.5
    assert oldest == pytest.approx(MANY * (1 - SHARE), abs=4.9 * sigma)
    for k in range(5):
        share = SHARE**k * (1 - SHARE)
        sigma = (oldest * share * (1 - share)) ** 0.5
        assert passed[k] == pytest.approx(oldest * share, abs=4.9 * sigma + 1)


def test_the_last_one_is_received_all_the_same():
    queue = parts.Queue(disorder=1.0)
    queue.send([7], at=0)
    assert received(queue, 1) == [7]


def test_with_certainty_the_oldest_comes_last():
    queue = parts.Queue(disorder=1.0)
    queue.send(range(4), at=0)
    assert received(queue, 4) == [1, 2, 3, 0]


def test_who_waits_is_served_out_of_order_too():
    """Three come at once to one who waits for two."""
    queue = parts.Queue(disorder=1.0)
    queue.receive(at=0, wait="20s", most=2)
    queue.send(range(3), at="1s")
    (answer,) = queue.answers()
    assert answer.messages.bodies.tolist() == [1, 2]
    assert received(queue, 1) == [0]


def test_a_message_that_came_back_may_be_overtaken():
    """Seen again after 5 s, it is the oldest, and the two behind it go first."""
    queue = parts.Queue(disorder=1.0, visibility_timeout="5s")
    queue.send([0], at=0)
    assert queue.receive(at=0).messages.bodies.tolist() == [0]
    queue.send([1, 2], at="1s")
    order = [queue.receive(at="6s").messages.bodies.tolist() for _ in range(3)]
    assert order == [[1], [2], [0]]


def test_dead_letters_are_counted_by_receives_whatever_the_order():
    lost = parts.Queue()
    queue = parts.Queue(
        disorder=0.5, visibility_timeout="1s", dead_letter={"queue": lost, "max_receives": 2}
    )
    queue.send(range(50), at=0)
    for at in range(1, 40):
        queue.receive_many(50, at=f"{2 * at}s")
        queue.check()
    assert (queue.counts()["received"], lost.counts()["visible"]) == (100, 50)


def test_groups_of_a_fair_queue_keep_their_order():
    queue = parts.Queue(disorder=1.0)
    queue.send(range(4), at=0, group=1)
    assert received(queue, 4) == [0, 1, 2, 3]


def test_a_fifo_queue_keeps_the_order():
    with pytest.raises(ScenarioError, match="a FIFO queue keeps the order"):
        parts.Queue(type="fifo", disorder=0.1)
    with pytest.raises(ScenarioError, match="disorder"):
        parts.Queue(disorder=1.5)


def test_a_run_says_so_and_loses_nothing():
    tree = {
        "nephoscope": 1,
        "name": "shuffled",
        "duration": "10m",
        "queues": {"board": {"disorder": 0.5}},
        "services": {"work": {"consumes": {"queue": "board", "wait": "20s"}, "steps": WORK}},
        "fleets": {"web": {"service": "work", "instance_type": {"vcpus": 1, "memory": "1GiB"}}},
        "traffic": {"all": {"to": "board", "rate": "9/s"}},
    }
    scenario = Scenario.model_validate(tree)
    assert any("out of order with probability 0.5" in line for line in describe(scenario))
    kept = Scenario.model_validate(tree | {"queues": {"board": {}}}).run(rng=5)
    result = scenario.run(rng=5)
    path = "queues.board."
    assert result[path + "sent"] == kept[path + "sent"]
    assert result[path + "age_s.mean"] == pytest.approx(kept[path + "age_s.mean"], rel=0.1)
    assert result[path + "age_s.std"] > kept[path + "age_s.std"]


WORK = [{"compute": {"exponential": "100ms"}}]
