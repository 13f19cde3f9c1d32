"""The rules of FIFO queues and of message groups, one by one."""

import pytest

from nephoscope import ScenarioError, parts
from nephoscope.parts.messages import SENDS

SECOND = 10**9
FIFO = {"type": "fifo", "deduplication": "content", "throughput": "unlimited"}


def bodies(messages) -> list[int]:
    return messages.bodies.tolist()


def take(queue, at, **options) -> list[int]:
    return bodies(queue.receive(at=at, **options).messages)


def grouped(**options) -> parts.Queue:
    """Messages 1 2 3 of group 7, then 4 5 of group 8, then 6 of group 7."""
    queue = parts.Queue(**FIFO, **options)
    queue.send([1, 2, 3, 4, 5, 6], at=0, group=[7, 7, 7, 8, 8, 7])
    return queue


# --- order and locks --------------------------------------------------------------------------


def test_a_receive_holds_many_of_one_group_then_of_others():
    assert take(grouped(), 0, most=10) == [1, 2, 3, 6, 4, 5]
    assert take(grouped(), 0, most=5) == [1, 2, 3, 6, 4]


def test_a_group_in_flight_is_locked():
    queue = grouped()
    first = queue.receive(at=0, most=2).messages
    assert bodies(first) == [1, 2]
    assert take(queue, "1s", most=1) == [4]  # of the other group
    assert take(queue, "1s", most=10) == []
    queue.delete(first.receipts[:1], at="2s")
    assert take(queue, "2s", most=10) == []  # 2 is in flight
    queue.delete(first.receipts[1:], at="3s")
    assert take(queue, "3s", most=10) == [3, 6]


def test_a_timeout_opens_the_group_from_its_first_message_on():
    queue = grouped(visibility_timeout="10s")
    assert take(queue, 0, most=2) == [1, 2]
    assert take(queue, "10s", most=3) == [1, 2, 3]


def test_order_is_kept_when_some_come_back_and_some_do_not():
    queue = grouped(visibility_timeout="10s")
    first = queue.receive(at=0, most=3).messages
    queue.change_visibility(int(first.receipts[2]), "60s", at="1s")
    queue.delete(first.receipts[:1], at="1s")
    assert take(queue, "10s", most=10) == [4, 5]  # 2 is visible, its group locked by 3
    queue.delete(first.receipts[2:], at="11s")
    assert take(queue, "11s", most=10) == [2, 6]


def test_the_group_with_the_oldest_message_comes_first():
    queue = parts.Queue(**FIFO)
    queue.send([1, 2, 3, 4], at=0, group=[5, 4, 3, 5])
    assert [take(queue, 0) for _ in range(4)] == [[1], [2], [3], []]


def test_a_queue_of_groups_that_come_and_go():
    queue = parts.Queue(**FIFO)
    for k in range(1000):
        queue.send([k], at=k, group=k)
        queue.delete(queue.receive(at=k).messages.receipts, at=k)
    queue.check()
    assert queue.counts()["deleted"] == 1000


# --- receipts ---------------------------------------------------------------------------------


def test_a_delete_after_the_timeout_is_an_error():
    queue = grouped(visibility_timeout="10s")
    receipt = queue.receive(at=0).messages.receipts
    assert queue.delete(receipt, at=10 * SECOND) == ["late"]
    again = queue.receive(at="11s").messages
    assert bodies(again) == [1]
    assert queue.delete(receipt, at="12s") == ["late"]  # received again: the old receipt
    assert queue.delete(again.receipts, at="12s") == ["done"]
    assert queue.delete(again.receipts, at="13s") == ["stale"]  # gone: nothing to do


def test_a_full_fifo_queue_is_just_empty():
    queue = parts.Queue(**FIFO, in_flight=1)
    queue.send([1, 2], at=0, group=[1, 2])
    assert take(queue, 0, most=10) == [1]
    received = queue.receive(at=0)
    assert (received.status, len(received.messages)) == ("done", 0)


# --- deduplication ----------------------------------------------------------------------------


def test_a_duplicate_send_succeeds_and_is_dropped():
    queue = parts.Queue(**FIFO)
    first = queue.send([1], at=0, group=1)
    again = queue.send([1], at="10s", group=1)
    assert SENDS[again.statuses[0]] == "duplicate"
    assert again.numbers[0] == first.numbers[0]
    it = queue.counts()
    assert (it["sent"], it["deduplicated"], it["visible"]) == (1, 1, 1)


def test_the_window_is_five_minutes_and_is_not_extended():
    queue = parts.Queue(**FIFO)
    queue.send([1], at=0, group=1)
    queue.send([1], at="4m", group=1)
    queue.send([1], at=300 * SECOND - 1, group=1)
    assert queue.counts()["sent"] == 1
    queue.send([1], at="5m", group=1)
    assert queue.counts()["sent"] == 2


def test_the_window_outlives_the_message():
    queue = parts.Queue(**FIFO)
    queue.send([1], at=0, group=1)
    queue.delete(queue.receive(at=0).messages.receipts, at=0)
    queue.send([1], at="1m", group=1)
    assert queue.counts()["visible"] == 0


def test_an_id_wins_over_the_content():
    queue = parts.Queue(**FIFO)
    queue.send([1, 1, 2], at=0, group=1, deduplication_id=[10, 11, 10])
    assert take(queue, 0, most=10) == [1, 1]


def test_ids_of_a_queue_and_of_a_group():
    for scope, expected in [("queue", [1]), ("group", [1, 2])]:
        queue = parts.Queue(
            type="fifo", deduplication={"by": "id", "scope": scope}, throughput="unlimited"
        )
        queue.send([1, 2], at=0, group=[1, 2], deduplication_id=[5, 5])
        assert take(queue, 0, most=10) == expected


def test_what_a_fifo_queue_needs():
    queue = parts.Queue(type="fifo")
    with pytest.raises(ScenarioError, match="group"):
        queue.send([1], at=0, deduplication_id=1)
    with pytest.raises(ScenarioError, match="deduplication_id"):
        queue.send([1], at=0, group=1)
    with pytest.raises(ScenarioError, match="delay"):
        queue.send([1], at=0, group=1, deduplication_id=1, delay="1s")


# --- delay ------------------------------------------------------------------------------------


def test_a_changed_delay_is_for_delayed_messages_too():
    queue = parts.Queue(**FIFO, delay="60s")
    queue.send([1, 2], at=0, group=1)
    queue.set(at="1s", delay="5s")
    queue.send([3], at="2s", group=1)
    assert take(queue, 5 * SECOND - 1, most=10) == []
    assert take(queue, "7s", most=10) == [1, 2, 3]


def test_a_delay_that_is_lifted_keeps_the_order():
    queue = parts.Queue(**FIFO, delay="60s")
    queue.send([1, 2], at=0, group=1)
    queue.set(at="1s", delay="0s")
    queue.send([3], at="1s", group=1)
    assert take(queue, "1s", most=10) == [1, 2, 3]


# --- throughput -------------------------------------------------------------------------------


def test_three_hundred_calls_a_second_of_an_action():
    queue = parts.Queue(type="fifo")
    sent = queue.send(range(3_010), at="1s", group=1, deduplication_id=range(3_010))
    words = [SENDS[it] for it in sent.statuses]
    assert words == ["sent"] * 3_000 + ["throttled"] * 10  # ten messages a call
    assert queue.receive(at=1_500_000_000).status == "done"  # another action
    queue.send([9_999], at="2s", group=1, deduplication_id=9_999)
    assert queue.counts()["sent"] == 3_001
    statuses = [queue.receive(at="3s").status for _ in range(301)]
    assert statuses == ["done"] * 300 + ["throttled"]


def test_high_throughput_is_by_group():
    queue = parts.Queue(type="fifo", throughput="high")

    def sent(group: int, at: str, start: int) -> int:
        ids = range(start, start + 301)
        calls = [queue.send([k], at=at, group=group, deduplication_id=k).statuses[0] for k in ids]
        return calls.count(0)

    assert sent(1, "1s", 0) == 300
    assert sent(2, "1s", 1000) == 300
    assert sent(1, "2s", 2000) == 300
    assert queue.counts()["throttled"] == 3


def test_a_throttled_delete_leaves_the_message():
    queue = parts.Queue(type="fifo")
    queue.send([1], at=0, group=1, deduplication_id=1)
    receipt = queue.receive(at=0).messages.receipts
    assert [queue.delete([1], at=0)[0] for _ in range(300)] == ["stale"] * 300
    assert queue.delete(receipt, at=0) == ["throttled"]
    assert queue.delete(receipt, at="1s") == ["done"]


# --- fair queues ------------------------------------------------------------------------------


def test_groups_of_a_standard_queue_are_not_locked():
    queue = parts.Queue()
    queue.send([1, 2, 3], at=0, group=[7, 7, 8])
    assert [take(queue, 0) for _ in range(4)] == [[1], [2], [3], []]


def test_messages_tell_their_group():
    queue = parts.Queue()
    queue.send([1], at=0, group=7)
    queue.send([2], at=0)
    assert queue.receive(at=0, most=10).messages.groups.tolist() == [7, -1]
    with pytest.raises(ScenarioError, match="group"):
        queue.send([1], at=0, group=-1)


def test_a_noisy_neighbour_waits_for_the_others():
    queue = parts.Queue()
    queue.send(range(100), at=0, group=1)
    queue.send([1000, 1001], at=0, group=2)
    queue.send([2000], at=0)  # without a group
    # Nobody is noisy before one group has more in flight than one receive may hold.
    first = queue.receive_many(11, at=0)
    assert bodies(first) == list(range(11))
    assert take(queue, 0, most=4) == [1000, 1001, 2000, 11]
    queue.delete(first.receipts, at=0)
    queue.send([1002], at="1s", group=2)
    assert take(queue, "1s", most=2) == [12, 13]  # it is quiet again
    queue.check()


def test_a_group_alone_is_not_noisy():
    queue = parts.Queue()
    queue.send(range(50), at=0, group=1)
    queue.send([100], at="1s")
    assert bodies(queue.receive_many(51, at="1s")) == [*range(50), 100]


def test_messages_of_a_group_that_come_back_come_first():
    queue = parts.Queue(visibility_timeout="10s")
    queue.send([1, 2, 3, 4], at=0, group=5)
    take(queue, 0, most=2)
    assert take(queue, "10s", most=10) == [1, 2, 3, 4]


def test_a_grouped_message_with_a_delay_and_an_end():
    queue = parts.Queue(retention="60s")
    queue.send([1, 2], at=0, group=1, delay=[10 * SECOND, 70 * SECOND])
    queue.send([3], at="1s", group=1)
    assert take(queue, "1s", most=10) == [3]
    assert take(queue, "10s", most=10) == [1]
    queue.advance("2m")
    queue.check()
    assert queue.counts()["expired"] == 3
