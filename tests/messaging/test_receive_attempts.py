"""Receives of FIFO queues that are repeated under an id, with times by hand."""

import copy
import pickle

import pytest

from nephoscope import ScenarioError, parts


def filled(count=3, **options):
    queue = parts.Queue(type="fifo", deduplication="content", **options)
    queue.send(range(1, count + 1), at=0, group=7)
    return queue


def receive(queue, at, most=2, attempt_id=9, **options):
    """Bodies, receipts and receives."""
    it = queue.receive(at=at, most=most, attempt_id=attempt_id, **options).messages
    queue.check()
    return it.bodies.tolist(), it.receipts.tolist(), it.receives.tolist()


def test_a_repeated_receive_has_the_same_messages_by_the_same_receipts():
    queue = filled()
    first = receive(queue, "1s")
    assert first[0] == [1, 2]
    assert receive(queue, "5s") == first  # and it is no receive of its own
    assert queue.counts()["received"] == 2
    assert queue.counts()["requests"] == 3
    assert queue.delete(first[1], at="6s") == ["done", "done"]


def test_another_id_and_none_are_receives_like_others():
    queue = filled()
    receive(queue, "1s")
    assert receive(queue, "2s", attempt_id=10)[0] == []  # the group is locked
    assert receive(queue, "2s", attempt_id=None)[0] == []


def test_a_repetition_hides_the_messages_anew():
    queue = filled()
    receive(queue, "1s")
    receive(queue, "5s")
    assert receive(queue, "34s", most=3, attempt_id=None)[0] == []
    assert receive(queue, "35s", most=3, attempt_id=None)[2] == [2, 2, 1]


def test_a_repetition_may_bring_its_own_timeout():
    queue = filled()
    receive(queue, "1s")
    receive(queue, "5s", visibility_timeout="2s")
    assert receive(queue, "7s", most=3, attempt_id=None)[0] == [1, 2, 3]


def test_an_id_counts_for_five_minutes_which_a_repetition_does_not_extend():
    queue = filled(visibility_timeout="1h")
    first = receive(queue, "1s")
    assert receive(queue, "200s") == first
    assert receive(queue, "300999ms") == first
    assert receive(queue, "301s")[0] == []


@pytest.mark.parametrize("which", [0, 1])
def test_after_a_delete_it_is_a_receive_like_others(which):
    queue = filled()
    first = receive(queue, "1s")
    queue.delete(first[1][which : which + 1], at="2s")
    assert receive(queue, "3s")[0] == []  # the other one locks the group
    queue.delete(first[1], at="4s")
    assert receive(queue, "5s")[0] == [3]
    assert receive(queue, "6s")[0] == [3]  # the id is now of that


def test_after_a_change_of_visibility_it_is_a_receive_like_others():
    queue = filled()
    first = receive(queue, "1s")
    assert queue.change_visibility(first[1][1], "60s", at="2s") == "done"
    assert receive(queue, "3s")[0] == []


def test_after_the_timeout_it_is_a_receive_like_others():
    queue = filled(visibility_timeout="10s")
    first = receive(queue, "1s")
    again = receive(queue, "20s")
    assert again[0] == first[0]
    assert again[2] == [2, 2]
    assert receive(queue, "25s") == again
    assert queue.delete(first[1], at="26s") == ["late", "late"]


def test_an_answer_that_finds_no_room_is_not_repeated():
    queue = filled()
    receive(queue, "1s")
    assert receive(queue, "2s", most=1)[0] == []
    assert receive(queue, "3s", most=10)[0] == [1, 2]


def test_nothing_is_remembered_of_an_empty_receive():
    queue = parts.Queue(type="fifo", deduplication="content")
    assert receive(queue, 0)[0] == []
    queue.send([5], at="1s", group=1)
    assert receive(queue, "2s")[0] == [5]


def test_who_has_waited_may_ask_again():
    queue = parts.Queue(type="fifo", deduplication="content")
    assert queue.receive(at=0, wait="20s", most=2, attempt_id=4).ticket is not None
    queue.send([5], at="3s", group=1)
    (answer,) = queue.answers()
    again = queue.receive(at="4s", wait="20s", most=2, attempt_id=4)
    assert again.ticket is None
    assert again.messages.receipts.tolist() == answer.messages.receipts.tolist()


def test_twelve_hours_are_the_most_all_the_same():
    queue = filled(1, visibility_timeout="12h")
    receive(queue, 0)
    receive(queue, "4m")
    assert receive(queue, "43199s", attempt_id=None)[0] == []
    assert receive(queue, "12h", attempt_id=None)[0] == [1]


def test_a_purge_and_new_messages_in_the_same_places():
    queue = filled()
    receive(queue, "1s")
    queue.purge(at="2s")
    queue.send([11, 12, 13], at="3s", group=7)
    assert receive(queue, "4s", attempt_id=None)[0] == [11, 12]
    assert receive(queue, "5s")[0] == []


def test_many_ids_come_and_go():
    queue = parts.Queue(type="fifo", deduplication="content", throughput="unlimited")
    for k in range(2000):
        queue.send([k], at=f"{k}s", group=k)
        assert receive(queue, f"{k}s", attempt_id=k % 700, visibility_timeout="12h")[0] == [k]
        if k >= 299:
            again = receive(queue, f"{k}s", attempt_id=(k - 299) % 700, visibility_timeout="12h")
            assert again[0] == [k - 299]


def test_a_queue_with_attempts_is_a_value():
    queue = filled()
    first = receive(queue, "1s")
    for twin in (copy.deepcopy(queue), pickle.loads(pickle.dumps(queue))):
        assert receive(twin, "2s") == first


def test_only_fifo_queues_take_an_id():
    queue = parts.Queue()
    for wait in ("0s", "5s"):
        with pytest.raises(ScenarioError, match="attempt_id: is of FIFO queues only"):
            queue.receive(at=0, wait=wait, attempt_id=1)
