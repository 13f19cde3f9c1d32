"""The rules of standard queues, one by one, with times by hand."""

import copy
import pickle

import numpy as np
import pytest

from nephoscope import ScenarioError, parts

SECOND = 10**9
HOUR = 3600 * SECOND


def bodies(messages) -> list[int]:
    return messages.bodies.tolist()


def take(queue, at, **options) -> list[int]:
    return bodies(queue.receive(at=at, **options).messages)


def one(queue, at, **options):
    """The receipt of the one message there is."""
    messages = queue.receive(at=at, **options).messages
    assert len(messages) == 1
    return messages.receipts[0]


def balanced(queue) -> dict[str, int]:
    queue.check()
    it = queue.counts()
    left = it["visible"] + it["delayed"] + it["in_flight"]
    ended = it["deleted"] + it["dead_lettered"] + it["expired"]
    assert it["sent"] + it["duplicated"] == ended + left
    return it


# --- receive and visibility -------------------------------------------------------------------


def test_messages_come_in_the_order_of_sending():
    queue = parts.Queue()
    queue.send([1, 2, 3], at=0)
    queue.send([4], at="1s")
    assert take(queue, "1s", most=3) == [1, 2, 3]
    assert take(queue, "1s", most=10) == [4]
    assert balanced(queue)["in_flight"] == 4


def test_one_receive_holds_ten_messages_at_most():
    queue = parts.Queue()
    queue.send(range(25), at=0)
    assert take(queue, 0) == [0]
    assert take(queue, 0, most=10) == list(range(1, 11))
    for wrong in (0, 11):
        with pytest.raises(ScenarioError, match="1 to 10"):
            queue.receive(at=0, most=wrong)


def test_a_received_message_is_hidden_until_its_timeout():
    queue = parts.Queue(visibility_timeout="30s")
    queue.send([1], at=0)
    assert take(queue, "5s") == [1]
    assert take(queue, 35 * SECOND - 1) == []
    assert take(queue, "35s") == [1]
    assert balanced(queue)["timed_out"] == 1


def test_a_receive_may_bring_its_own_timeout():
    queue = parts.Queue(visibility_timeout="30s")
    queue.send([1, 2], at=0)
    take(queue, 0)
    take(queue, 0, visibility_timeout="10s")
    assert take(queue, "10s") == [2]
    assert take(queue, "30s") == [1]


def test_with_a_timeout_of_nothing_a_message_is_not_hidden():
    queue = parts.Queue(visibility_timeout="0s")
    queue.send([1], at=0)
    assert [take(queue, 0) for _ in range(3)] == [[1], [1], [1]]


def test_messages_seen_again_come_before_younger_ones():
    queue = parts.Queue(visibility_timeout="10s")
    queue.send([1, 2], at=0)
    take(queue, 0, most=2)
    queue.send([3], at="1s")
    assert take(queue, "10s", most=10) == [1, 2, 3]


def test_every_receive_counts_and_gives_a_new_receipt():
    queue = parts.Queue(visibility_timeout="1s")
    queue.send([7], at=0)
    seen = [queue.receive(at=k * SECOND).messages for k in range(4)]
    assert [int(it.receives[0]) for it in seen] == [1, 2, 3, 4]
    assert len({int(it.receipts[0]) for it in seen}) == 4
    assert len({int(it.numbers[0]) for it in seen}) == 1


# --- deletes ----------------------------------------------------------------------------------


def test_delete_by_the_latest_receipt():
    queue = parts.Queue()
    queue.send([1], at=0)
    receipt = one(queue, 0)
    assert queue.delete([receipt], at="29s") == ["done"]
    assert take(queue, "1h") == []
    assert balanced(queue)["deleted"] == 1


def test_delete_by_an_old_receipt_succeeds_without_effect():
    queue = parts.Queue(visibility_timeout="10s")
    queue.send([1], at=0)
    old = one(queue, 0)
    new = one(queue, "10s")
    assert queue.delete([old], at="11s") == ["stale"]
    assert take(queue, "20s") == [1]
    assert queue.delete([new], at="21s") == ["stale"]
    assert balanced(queue)["deleted"] == 0


def test_delete_after_the_timeout_works_while_nobody_received_the_message_again():
    queue = parts.Queue(visibility_timeout="10s")
    queue.send([1], at=0)
    receipt = one(queue, 0)
    assert queue.delete([receipt], at="15s") == ["done"]
    assert take(queue, "15s") == []


def test_a_second_delete_has_no_effect_even_when_the_place_is_taken_again():
    queue = parts.Queue()
    queue.send([1], at=0)
    receipt = one(queue, 0)
    queue.delete([receipt], at=0)
    assert queue.delete([receipt], at=0) == ["stale"]
    queue.send([2], at=0)
    one(queue, 0)
    assert queue.delete([receipt], at=0) == ["stale"]
    assert queue.delete([2**64 - 1, 12345], at=0) == ["stale", "stale"]
    assert balanced(queue)["in_flight"] == 1


# --- changes of visibility --------------------------------------------------------------------


def test_a_change_of_visibility_counts_from_the_call():
    queue = parts.Queue(visibility_timeout="60s")
    queue.send([1], at=0)
    receipt = one(queue, 0)
    assert queue.change_visibility(receipt, "10s", at="15s") == "done"
    assert queue.next_event_ns == 25 * SECOND
    assert take(queue, 25 * SECOND - 1) == []
    assert take(queue, "25s") == [1]


def test_a_heartbeat_keeps_a_message_hidden():
    queue = parts.Queue(visibility_timeout="30s")
    queue.send([1], at=0)
    receipt = one(queue, 0)
    for beat in range(20, 200, 20):
        assert queue.change_visibility(receipt, "30s", at=beat * SECOND) == "done"
    assert take(queue, "209s") == []
    assert take(queue, "210s") == [1]


def test_a_change_to_nothing_shows_the_message_at_once():
    queue = parts.Queue()
    queue.send([1], at=0)
    receipt = one(queue, 0)
    assert queue.change_visibility(receipt, "0s", at="5s") == "done"
    assert take(queue, "5s") == [1]


def test_a_change_is_of_one_receipt_only():
    queue = parts.Queue(visibility_timeout="10s")
    queue.send([1], at=0)
    old = one(queue, 0)
    one(queue, "10s")
    assert queue.change_visibility(old, "1h", at="11s") == "not_in_flight"
    assert take(queue, "20s") == [1]


def test_nothing_is_hidden_for_more_than_twelve_hours():
    queue = parts.Queue()
    queue.send([1], at=0)
    receipt = one(queue, 0, visibility_timeout="12h")
    assert queue.change_visibility(receipt, "11h", at=HOUR + 1) == "too_long"
    assert queue.change_visibility(receipt, "11h", at=HOUR + 1) == "too_long"
    assert queue.change_visibility(receipt, "10h", at="2h") == "done"
    assert take(queue, 12 * HOUR - 1) == []
    assert take(queue, "12h") == [1]
    with pytest.raises(ScenarioError, match="12h"):
        queue.receive(at="12h", visibility_timeout="12h1ns")


def test_timeouts_of_all_lengths_end_in_order():
    queue = parts.Queue(visibility_timeout="50s")
    queue.send(range(100), at=0)
    rng = np.random.default_rng(1)
    ends = {}
    for k in range(100):
        span = None if k % 3 == 0 else int(rng.integers(1, 100 * SECOND))
        (body,) = take(queue, k, visibility_timeout=span)
        ends[body] = k + (50 * SECOND if span is None else span)
    for body, end in sorted(ends.items(), key=lambda item: (item[1], item[0])):
        assert take(queue, end, visibility_timeout="12h") == [body]
    balanced(queue)


# --- polls ------------------------------------------------------------------------------------


def test_a_long_poll_is_answered_when_a_message_comes():
    queue = parts.Queue()
    waiting = queue.receive(at=0, most=10, wait="20s")
    assert waiting.ticket is not None
    assert queue.waiting_receivers == 1
    queue.send([5], at="3s")  # it does not wait for more
    (answer,) = queue.answers()
    assert (answer.ticket, answer.at_ns, bodies(answer.messages)) == (
        waiting.ticket, 3 * SECOND, [5],
    )  # fmt: skip
    queue.send([6], at="4s")
    assert queue.answers() == []
    assert balanced(queue)["visible"] == 1


def test_a_long_poll_returns_at_once_with_what_is_there():
    queue = parts.Queue(wait="20s")
    queue.send([1, 2], at=0)
    received = queue.receive(at="1s", most=10)
    assert (bodies(received.messages), received.ticket) == ([1, 2], None)


def test_the_timeout_of_what_was_waited_for_begins_with_the_answer():
    queue = parts.Queue(visibility_timeout="10s")
    queue.receive(at=0, wait="20s")
    queue.send([5], at="3s")
    assert take(queue, "12999ms") == []
    assert take(queue, "13s") == [5]


def test_a_long_poll_ends_empty():
    queue = parts.Queue(wait="20s")
    ticket = queue.receive(at="1s").ticket
    queue.advance("30s")
    (answer,) = queue.answers()
    assert (answer.ticket, answer.at_ns, len(answer.messages)) == (ticket, 21 * SECOND, 0)
    assert queue.counts()["empty_receives"] == 1


def test_who_has_waited_longest_is_answered_first():
    queue = parts.Queue()
    first = queue.receive(at=0, wait="20s").ticket
    second = queue.receive(at=1, wait="5s").ticket
    third = queue.receive(at=2, wait="20s").ticket
    queue.send([1, 2], at="1s")
    assert [it.ticket for it in queue.answers()] == [first, second]
    queue.send([3], at="1s")
    assert [it.ticket for it in queue.answers()] == [third]


def test_who_waits_sees_what_becomes_visible_and_when():
    queue = parts.Queue(visibility_timeout="10s", delay="2s")
    queue.send([1], at=0)
    queue.receive(at="1s", wait="20s")
    queue.receive(at="1s", wait="20s")
    queue.advance("1m")
    assert [(it.at_ns, bodies(it.messages)) for it in queue.answers()] == [
        (2 * SECOND, [1]),  # the end of the delay
        (12 * SECOND, [1]),  # the end of the timeout
    ]


def test_a_message_that_comes_as_a_wait_ends_is_received():
    queue = parts.Queue(delay="5s")
    queue.send([1], at=0)
    queue.receive(at=0, wait="5s")
    queue.advance("5s")
    assert [bodies(it.messages) for it in queue.answers()] == [[1]]


def test_a_receiver_that_is_gone_gets_nothing():
    queue = parts.Queue()
    ticket = queue.receive(at=0, wait="20s").ticket
    assert queue.cancel(ticket, at="1s")
    assert not queue.cancel(ticket, at="1s")
    queue.send([1], at="2s")
    assert queue.answers() == []
    assert queue.counts()["visible"] == 1


def test_a_short_poll_may_miss_messages():
    queue = parts.Queue(short_poll=0.5, visibility_timeout="0s", seed=3)
    queue.send([1], at=0)
    found = sum(len(queue.receive(at=k).messages) for k in range(4000))
    assert found / 4000 == pytest.approx(0.5, abs=4.9 * 0.5 / 4000**0.5)
    assert len(queue.receive(at=4000, wait="1s").messages) == 1  # a long poll asks all servers


def test_a_short_poll_of_a_thousand_messages_misses_none():
    queue = parts.Queue(short_poll=0.001)
    queue.send(range(1009), at=0)
    assert len(queue.receive(at=0, most=10).messages) == 10
    assert sum(len(queue.receive(at=0, most=10).messages) for _ in range(50)) < 500


def test_misses_are_of_a_stream_of_their_own():
    def run(**options):
        queue = parts.Queue(short_poll=0.3, seed=5, visibility_timeout="0s", **options)
        queue.send([1, 2, 3], at=0)
        return [len(queue.receive(at=k, most=10).messages) for k in range(50)]

    assert run() == run(duplicates=0.0)
    assert run() != run(name="other")


# --- delay and retention ----------------------------------------------------------------------


def test_a_delay_hides_a_message_at_first():
    queue = parts.Queue(delay="10s")
    queue.send([1], at="1s")
    assert balanced(queue)["delayed"] == 1
    assert take(queue, 11 * SECOND - 1) == []
    assert take(queue, "11s") == [1]


def test_a_message_may_bring_its_own_delay():
    queue = parts.Queue(delay="10s")
    queue.send([1, 2, 3], at=0, delay=[15 * SECOND, 5 * SECOND, 0])
    queue.send([4], at=0)
    assert take(queue, 0, most=10) == [3]
    assert take(queue, "5s", most=10) == [2]
    assert take(queue, "10s", most=10) == [4]
    assert take(queue, "15s", most=10) == [1]
    with pytest.raises(ScenarioError, match="15m"):
        queue.send([1], at="15s", delay="16m")


def test_a_changed_delay_is_for_messages_to_come():
    queue = parts.Queue(delay="60s", visibility_timeout="1h")
    queue.send([1], at=0)
    queue.set(at="1s", delay="5s")
    queue.send([2], at="1s")
    assert take(queue, "6s", most=10) == [2]
    assert take(queue, "60s", most=10) == [1]


def test_retention_counts_from_the_send():
    queue = parts.Queue(retention="60s", visibility_timeout="10s")
    queue.send([1], at=0)
    take(queue, "45s")
    take(queue, "55s")
    assert balanced(queue)["in_flight"] == 1
    queue.advance("60s")  # while it is in flight
    it = balanced(queue)
    assert (it["in_flight"], it["visible"], it["expired"]) == (0, 0, 1)


def test_expiry_is_silent_wherever_a_message_is():
    queue = parts.Queue(retention="60s", delay="50s")
    queue.send([1], at=0)
    queue.send([2], at=0, delay="70s")
    queue.send([3, 4], at=0, delay=0)
    receipt = one(queue, "1s", visibility_timeout="2h")
    queue.advance("59s")
    assert balanced(queue)["visible"] == 2
    queue.advance("60s")
    assert balanced(queue)["expired"] == 4
    assert queue.delete([receipt], at="60s") == ["stale"]


def test_a_changed_retention_is_for_all_messages():
    queue = parts.Queue(retention="100s")
    queue.send([1], at=0)
    queue.send([2], at=0)
    take(queue, "50s", visibility_timeout="1h")
    queue.set(at="70s", retention="200s")
    queue.advance("150s")
    assert balanced(queue)["expired"] == 0
    queue.set(at="150s", retention="60s")
    assert balanced(queue)["expired"] == 2


def test_the_age_of_the_oldest_message():
    queue = parts.Queue()
    assert queue.oldest_age_ns is None
    queue.send([1], at="1s")
    queue.send([2], at="2s")
    receipt = one(queue, "5s")
    assert queue.oldest_age_ns == 4 * SECOND  # in flight is not deleted
    queue.delete([receipt], at="6s")
    assert queue.oldest_age_ns == 4 * SECOND


# --- limits -----------------------------------------------------------------------------------


def test_a_short_poll_over_the_limit_is_an_error():
    queue = parts.Queue(in_flight=3)
    queue.send(range(5), at=0)
    first = queue.receive(at=0, most=10)
    assert bodies(first.messages) == [0, 1, 2]
    assert queue.receive(at="1s").status == "over_limit"
    assert balanced(queue)["over_limit"] == 1
    queue.delete(first.messages.receipts[:1], at="1s")
    assert take(queue, "1s", most=10) == [3]


def test_a_long_poll_over_the_limit_is_just_empty():
    queue = parts.Queue(in_flight=1)
    queue.send([1, 2, 3], at=0)
    receipt = one(queue, 0)
    waiting = queue.receive(at=0, wait="5s")
    assert waiting.status == "done"
    queue.advance("5s")
    assert [len(it.messages) for it in queue.answers()] == [0]
    queue.receive(at="6s", wait="5s")
    queue.delete([receipt], at="7s")
    assert [bodies(it.messages) for it in queue.answers()] == [[2]]


def test_the_documented_limits():
    queue = parts.Queue()
    queue.send(range(120_001), at=0)
    assert len(queue.receive_many(120_001, at=0)) == 120_000
    assert queue.receive(at=0).status == "over_limit"
    balanced(queue)


# --- duplicates, purge, values ----------------------------------------------------------------


def test_duplicates_come_at_the_given_rate():
    queue = parts.Queue(duplicates=0.1, seed=2)
    queue.send(range(20_000), at=0)
    it = balanced(queue)
    assert it["duplicated"] / 20_000 == pytest.approx(0.1, abs=4.9 * 0.3 / 20_000**0.5)
    assert it["visible"] == 20_000 + it["duplicated"]


def test_a_copy_comes_back_after_the_message_is_deleted():
    queue = parts.Queue(duplicates=1.0)
    queue.send([9], at=0)
    first = queue.receive(at=0).messages
    assert queue.delete(first.receipts, at=0) == ["done"]
    again = queue.receive(at=0).messages
    assert again.numbers.tolist() == first.numbers.tolist()
    assert balanced(queue)["duplicated"] == 1


def test_what_else_happens_changes_no_copy():
    def copied(polls: int) -> list[int]:
        queue = parts.Queue(duplicates=0.5, seed=4)
        for k in range(100):
            queue.send([k], at=k)
            for _ in range(polls):
                queue.receive(at=k)
        values = queue.receive_many(1000, at="1h").bodies
        return np.flatnonzero(np.bincount(values, minlength=100) == 2).tolist()

    assert copied(0) == copied(1) != []


def test_a_purge_deletes_everything():
    queue = parts.Queue()
    queue.send(range(10), at=0)
    queue.send([1], at=0, delay="10s")
    take(queue, 0, most=3)
    assert queue.purge(at="1s") == 11
    it = balanced(queue)
    assert (it["purged"], it["deleted"], it["visible"], it["in_flight"]) == (11, 11, 0, 0)
    queue.send([5], at="2s")
    assert take(queue, "2m", most=10) == [5]


def test_calls_are_counted_as_they_are_billed():
    queue = parts.Queue()
    queue.send(range(25), at=0)  # three calls of up to ten
    queue.receive(at=0)
    queue.receive(at=0, most=10)
    queue.receive(at=0, wait="20s", most=10)
    assert queue.counts()["requests"] == 6
    queue.purge(at=0)
    queue.receive(at=0)  # empty ones too
    assert queue.counts()["requests"] == 8


def test_a_queue_is_a_value():
    queue = parts.Queue(visibility_timeout="10s", duplicates=0.2, short_poll=0.7, delay="1s")
    queue.send(range(50), at=0)
    queue.receive(at="5s", most=10)
    twins = [copy.deepcopy(queue), pickle.loads(pickle.dumps(queue))]
    for it in [queue, *twins]:
        it.send([99], at="6s")
    runs = [[take(it, f"{at}s", most=10) for at in range(7, 30)] for it in [queue, *twins]]
    assert runs[0] == runs[1] == runs[2]
    assert twins[0].counts() == queue.counts()


def test_time_does_not_go_back():
    queue = parts.Queue()
    queue.advance("5s")
    for call in (queue.receive, queue.purge):
        with pytest.raises(ScenarioError, match="before"):
            call(at="4s")


def test_wrong_options_are_refused_by_name():
    for options, word in [
        ({"typ": "fifo"}, "type"),
        ({"visibility_timeout": "13h"}, "12h"),
        ({"retention": "59s"}, "60s"),
        ({"delay": "901s"}, "15m"),
        ({"wait": "21s"}, "20s"),
        ({"duplicates": 0.1, "type": "fifo"}, "FIFO"),
        ({"deduplication": "content"}, "fifo"),
        ({"max_receives": 3}, "dead_letter"),
        ({"dead_letter": {"queue": "lost"}}, "not a queue"),
        ({"throughput": "high"}, "fifo"),
    ]:
        with pytest.raises(ScenarioError, match=word):
            parts.Queue(**options)
    with pytest.raises(ScenarioError, match="FIFO"):
        parts.Queue().send([1], at=0, deduplication_id=[1])
    with pytest.raises(ScenarioError, match="as long"):
        parts.Queue().send([1, 2, 3], at=0, group=[1, 2])
