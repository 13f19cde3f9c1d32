"""Dead-letter queues and the way back from them."""

import pytest

from nephoscope import ScenarioError, parts

SECOND = 10**9
DAY = 86_400 * SECOND
FIFO = {"type": "fifo", "deduplication": "content", "throughput": "unlimited"}


def pair(receives: int, lost=None, **options):
    lost = parts.Queue(**(lost or {}))
    queue = parts.Queue(dead_letter={"queue": lost, "max_receives": receives}, **options)
    return queue, lost


def take(queue, at, **options) -> list[int]:
    return queue.receive(at=at, **options).messages.bodies.tolist()


def test_the_move_is_on_the_receive_after_the_last():
    queue, lost = pair(3, visibility_timeout="10s")
    queue.send([1], at=0)
    assert [take(queue, f"{10 * k}s") for k in range(3)] == [[1], [1], [1]]
    queue.advance("30s")
    assert (queue.counts()["visible"], lost.counts()["visible"]) == (1, 0)  # not at the timeout
    assert take(queue, "40s") == []
    assert (queue.counts()["visible"], lost.counts()["visible"]) == (0, 1)
    assert queue.counts()["received"] == 3
    assert queue.counts()["dead_lettered"] == 1
    queue.check()


def test_a_dead_letter_takes_no_place_in_a_receive():
    queue, _ = pair(1, visibility_timeout="10s")
    queue.send([1], at=0)
    take(queue, 0)
    queue.send([2, 3], at="5s")
    assert take(queue, "10s", most=2) == [2, 3]


def test_who_waits_moves_dead_letters_too():
    queue, lost = pair(1, visibility_timeout="10s")
    queue.send([1], at=0)
    take(queue, 0)
    queue.receive(at="5s", wait="20s")
    queue.advance("10s")
    assert queue.answers() == []
    assert take(lost, "10s") == [1]


def test_a_standard_queue_keeps_the_age():
    queue, lost = pair(1, retention="4d", lost={"retention": "4d"}, visibility_timeout="1s")
    queue.send([1], at=0)
    take(queue, DAY - SECOND)
    take(queue, DAY)
    assert lost.oldest_age_ns == DAY
    lost.advance(4 * DAY - 1)
    assert lost.counts()["visible"] == 1
    lost.advance(4 * DAY)  # three days after it came
    assert lost.counts()["expired"] == 1


def test_a_fifo_queue_counts_anew():
    queue, lost = pair(1, lost={**FIFO, "retention": "4d"}, **FIFO, visibility_timeout="1s")
    queue.send([1], at=0, group=1)
    take(queue, DAY - SECOND)
    take(queue, DAY)
    assert lost.oldest_age_ns == 0
    lost.advance(5 * DAY - 1)
    assert lost.counts()["visible"] == 1
    lost.advance(5 * DAY)
    assert lost.counts()["expired"] == 1


def test_dead_letters_are_received_by_age():
    lost = parts.Queue()
    options = {"visibility_timeout": "5s", "dead_letter": {"queue": lost, "max_receives": 1}}
    early, late = parts.Queue(**options), parts.Queue(**options)
    early.send([1], at=0)
    late.send([2], at="1s")
    take(early, "2s")
    take(late, "2s")
    take(late, "10s")
    take(early, "11s")
    assert take(lost, "11s", most=2) == [1, 2]
    lost.check()


def test_a_dead_letter_that_is_too_old_is_gone():
    queue, lost = pair(1, lost={"retention": "60s"}, visibility_timeout="1s")
    queue.send([1], at=0)
    take(queue, "100s")
    take(queue, "200s")
    it = lost.counts()
    assert (it["arrived"], it["expired"], it["visible"]) == (1, 1, 0)
    lost.check()


def test_receives_start_anew_and_chains_go_on():
    last = parts.Queue()
    middle = parts.Queue(dead_letter={"queue": last, "max_receives": 2}, visibility_timeout="1s")
    queue = parts.Queue(dead_letter={"queue": middle, "max_receives": 1}, visibility_timeout="1s")
    queue.send([1], at=0)
    take(queue, 0)
    take(queue, "1s")
    received = [middle.receive(at=f"{k}s").messages for k in range(1, 4)]
    assert [it.receives.tolist() for it in received] == [[1], [2], []]
    assert last.counts()["visible"] == 1


def test_a_fifo_dead_letter_opens_its_group():
    queue, lost = pair(1, lost=FIFO, **FIFO, visibility_timeout="5s")
    queue.send([1, 2], at=0, group=1)
    assert take(queue, 0) == [1]
    assert take(queue, "5s") == [2]
    assert take(lost, "5s") == [1]
    queue.check()


def test_both_queues_are_of_one_type():
    with pytest.raises(ScenarioError, match="same type"):
        parts.Queue(dead_letter={"queue": parts.Queue(**FIFO)})
    with pytest.raises(ScenarioError, match="1000"):
        parts.Queue(dead_letter={"queue": parts.Queue(), "max_receives": 1001})
    with pytest.raises(ScenarioError, match="no key"):
        parts.Queue(dead_letter={"queue": parts.Queue(), "receives": 1})


# --- redrive ----------------------------------------------------------------------------------


def dead(count: int, **options):
    queue, lost = pair(1, visibility_timeout="1s", **options)
    queue.send(range(count), at=0)
    queue.receive_many(count, at=0)
    queue.receive_many(count, at="1s")
    assert lost.counts()["visible"] == count
    return queue, lost


def test_redriven_messages_are_new():
    queue, lost = dead(3)
    lost.redrive(queue, at="1h")
    lost.advance("2h")
    messages = queue.receive(at="2h", most=10).messages
    assert messages.bodies.tolist() == [0, 1, 2]
    assert messages.numbers.tolist() == [3, 4, 5]
    assert messages.receives.tolist() == [1, 1, 1]
    assert messages.sent_ns.tolist() == [3600 * SECOND + k * 2_000_000 for k in range(3)]
    it = lost.counts()
    assert (it["redriven"], it["deleted"], it["visible"]) == (3, 3, 0)
    assert not lost.redriving
    queue.check()
    lost.check()


def test_five_hundred_messages_a_second_at_most():
    queue, lost = dead(1_001)
    lost.redrive(queue, at="10s")
    lost.advance(11 * SECOND - 1)
    assert queue.counts()["visible"] == 500
    with pytest.raises(ScenarioError, match="under way"):
        lost.redrive(queue, at="11s")
    lost.advance("12s")
    assert queue.counts()["visible"] == 1_001
    lost.advance("13s")
    with pytest.raises(ScenarioError, match="500"):
        lost.redrive(queue, at="13s", rate=501)


def test_a_redrive_at_a_rate_and_its_end():
    _, lost = dead(10)
    elsewhere = parts.Queue()
    lost.redrive(elsewhere, at="10s", rate=2)
    lost.advance("11s")
    assert elsewhere.counts()["visible"] == 3  # at 10, 10.5 and 11 s
    lost.cancel_redrive()
    lost.advance("1h")
    assert (elsewhere.counts()["visible"], lost.counts()["visible"]) == (3, 7)


def test_a_redrive_lasts_36_hours_at_most():
    _, lost = dead(1)
    elsewhere = parts.Queue()
    for at in range(2, 37):  # there is always one more
        source = parts.Queue(dead_letter={"queue": lost, "max_receives": 1})
        source.send(range(4_000), at=f"{at}s")
        source.receive_many(
            4_000,
            at=f"{at}s",
        )
        source.receive_many(4_000, at=f"{at + 30}s")
        if at == 2:
            lost.redrive(elsewhere, at="33s", rate=1)
    lost.advance("36h33s")
    assert not lost.redriving
    assert elsewhere.counts()["visible"] == 36 * 3600
    lost.check()


def test_only_a_dead_letter_queue_is_redriven():
    queue, lost = pair(1)
    with pytest.raises(ScenarioError, match="dead-letter"):
        queue.redrive(lost, at=0)
    with pytest.raises(ScenarioError, match="type standard"):
        lost.redrive(parts.Queue(**FIFO), at=0)


def test_a_fifo_redrive_keeps_the_order_of_groups():
    queue, lost = pair(1, lost=FIFO, **FIFO, visibility_timeout="1s")
    queue.send([1, 2, 3, 4], at=0, group=[1, 2, 1, 2])
    take(queue, 0, most=10)
    take(queue, "1s", most=10)
    lost.redrive(queue, at="2s")
    lost.advance("3s")
    assert take(queue, "3s", most=10) == [1, 3, 2, 4]
