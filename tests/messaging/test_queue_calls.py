"""What calls hold and are billed for, whose dead letters are taken, defaults: rules by name."""

import pytest

from nephoscope import ScenarioError, parts
from nephoscope.parts.messages import SENDS


def requests(queue) -> int:
    queue.check()
    return queue.counts()["requests"]


def test_a_call_is_billed_for_each_64_kib_begun():
    for size, billed in (("0B", 1), ("1KiB", 1), ("6553B", 1), ("6554B", 2), ("64KiB", 10)):
        queue = parts.Queue(message_size=size)
        queue.send(range(10), at=0)
        assert requests(queue) == billed, size
        queue.receive(at=0, most=10)
        assert requests(queue) == 2 * billed, size


def test_what_holds_no_message_is_one_request():
    queue = parts.Queue(message_size="1MiB")
    queue.receive(at=0)
    assert requests(queue) == 1
    queue.send([1], at=0)
    assert requests(queue) == 1 + 16
    (receipt,) = queue.receive(at=0).messages.receipts
    assert requests(queue) == 1 + 16 + 16
    queue.change_visibility(receipt, "5s", at=0)
    queue.delete([receipt], at=0)
    assert requests(queue) == 1 + 16 + 16 + 2


def test_a_receiver_that_waited_is_billed_for_what_came():
    queue = parts.Queue(message_size="100KiB")
    queue.receive(at=0, wait="20s", most=10)
    assert requests(queue) == 1
    queue.send(range(2), at="1s")  # 200 KiB are 4, received 4 in the place of 1
    assert requests(queue) == 4 + 4
    queue.receive(at="2s", wait="5s", most=10)
    queue.advance("7s")
    assert requests(queue) == 4 + 4 + 1


def test_a_call_holds_a_mebibyte_at_most():
    queue = parts.Queue(message_size="200KiB")
    queue.send(range(10), at=0)  # two calls of 1,000 KiB
    assert requests(queue) == 2 * 16
    queue = parts.Queue(message_size="1MiB")
    queue.send(range(10), at=0)
    assert requests(queue) == 10 * 16


def test_a_call_of_a_fifo_queue_counts_once_whatever_it_is_billed_for():
    queue = parts.Queue(type="fifo", deduplication="content", message_size="64KiB")
    assert (queue.send(range(3000), at=0, group=1).statuses == 0).all()  # 300 calls of ten
    assert queue.send([3000], at=0, group=1).statuses.tolist() == [2]  # throttled
    assert requests(queue) == 3001


def test_a_message_is_a_mebibyte_at_most():
    with pytest.raises(ScenarioError, match=r"message_size: .* is out of range.*0B to 1MiB"):
        parts.Queue(message_size="1048577B")
    with pytest.raises(ScenarioError, match="message_size"):
        parts.Queue(message_size="-1B")


# --- how many calls, and which entries of them -------------------------------------------------


def test_a_standard_queue_takes_any_number_of_calls():
    queue = parts.Queue()
    assert (queue.send(range(100_000), at=0).statuses == 0).all()
    assert {queue.receive(at=0).status for _ in range(1_000)} == {"done"}
    assert queue.counts()["throttled"] == 0


def test_each_entry_of_a_call_is_taken_or_dropped_by_itself():
    """Of one call the second is a repetition, which succeeds too, and the third is new."""
    queue = parts.Queue(type="fifo", deduplication="content")
    sent = queue.send([1, 1, 2], at=0, group=1)
    assert [SENDS[status] for status in sent.statuses] == ["sent", "duplicate", "sent"]
    assert requests(queue) == 1
    first, second = queue.receive(at=0, most=2).messages.receipts
    assert queue.delete([first, first, second], at=0) == ["done", "stale", "done"]


def test_high_throughput_has_70000_calls_a_second():
    """Of ten messages each, of which no two of a second are of one group."""
    queue = parts.Queue(type="fifo", throughput="high", deduplication="content")
    sent = queue.send(range(700_001), at=0, group=range(700_001))
    assert [SENDS[status] for status in sent.statuses[699_999:]] == ["sent", "throttled"]
    assert queue.counts()["sent"] == 700_000


def test_a_fifo_queue_has_120000_in_flight_unless_told():
    """Each of a group of its own, so that none locks another."""
    queue = parts.Queue(type="fifo", deduplication="content", throughput="unlimited")
    queue.send(range(120_001), at=0, group=range(120_001))
    assert len(queue.receive_many(120_001, at=0)) == 120_000
    received = queue.receive(at=0)
    assert (received.status, len(received.messages)) == ("done", 0)


# --- dead letters -----------------------------------------------------------------------------


def test_a_queue_takes_the_dead_letters_of_all_of_none_or_of_those_it_names():
    def may(allowed, name="orders") -> bool:
        lost = parts.Queue(redrive_allow=allowed)
        return lost.takes_dead_letters_of(name)

    lost = parts.Queue(redrive_allow=["payments"])
    parts.Queue(name="payments", dead_letter={"queue": lost})
    with pytest.raises(ScenarioError, match="takes no dead letters of a queue named 'orders'"):
        parts.Queue(name="orders", dead_letter={"queue": lost})

    assert may("all")
    assert not may("none")
    assert may(["payments", "orders"])
    assert not may(["payments"])
    assert not may(["payments"], name="payment")


@pytest.mark.parametrize("wrong", ["nobody", [], ["q"] * 11, [1], 5, None, {"orders": 1}])
def test_whose_dead_letters_are_taken_is_told_in_known_words(wrong):
    with pytest.raises(ScenarioError, match=r"redrive_allow.*all, none or the names of 1 to 10"):
        parts.Queue(redrive_allow=wrong)


def test_dead_letters_of_one_deduplication_id_are_two_messages():
    """In the dead-letter queue the id is that of the message, so that none is dropped."""
    lost = parts.Queue(type="fifo", deduplication="content")
    queue = parts.Queue(type="fifo", dead_letter={"queue": lost, "max_receives": 1})
    for at in (0, 300):
        numbers = queue.send([5], at=f"{at}s", group=1, deduplication_id=8).numbers
        assert numbers.tolist() == [at // 300]
        assert len(queue.receive(at=f"{at + 1}s", visibility_timeout="1s").messages) == 1
        assert len(queue.receive(at=f"{at + 2}s").messages) == 0
    assert lost.counts()["visible"] == 2
    assert lost.receive(at="400s", most=10).messages.numbers.tolist() == [0, 1]


def test_ten_receives_are_allowed_unless_told():
    lost = parts.Queue()
    queue = parts.Queue(dead_letter={"queue": lost})
    queue.send([1], at=0)
    taken = [len(queue.receive(at=f"{k}s", visibility_timeout="1s").messages) for k in range(12)]
    assert taken == [1] * 10 + [0, 0]
    assert lost.counts()["visible"] == 1


# --- defaults and ranges ----------------------------------------------------------------------


def test_a_receive_is_of_one_message_unless_told():
    queue = parts.Queue()
    queue.send(range(5), at=0)
    assert len(queue.receive(at=0).messages) == 1


def test_the_documented_defaults():
    queue = parts.Queue()
    queue.send([1, 2], at=0)  # no delay
    assert queue.receive(at=0).ticket is None
    assert queue.receive(at=0).ticket is None
    assert queue.receive(at=0).ticket is None  # empty at once: no wait
    assert len(queue.receive(at="29999ms").messages) == 0
    assert len(queue.receive(at="30s", most=10).messages) == 2
    queue.advance("345599s")
    assert queue.counts()["expired"] == 0
    queue.advance("345600s")  # 4 days
    assert queue.counts()["expired"] == 2


@pytest.mark.parametrize(
    ("option", "good", "bad"),
    [
        ("visibility_timeout", ["0s", "43200s"], ["-1s", "43201s"]),
        ("retention", ["60s", "1209600s"], ["59s", "1209601s"]),
        ("delay", ["0s", "900s"], ["-1s", "901s"]),
        ("wait", ["0s", "20s"], ["-1s", "21s"]),
    ],
)
def test_the_documented_ranges(option, good, bad):
    for value in good:
        parts.Queue(**{option: value})
    for value in bad:
        with pytest.raises(ScenarioError, match=option):
            parts.Queue(**{option: value})


@pytest.mark.parametrize("receives", [1, 1000])
def test_one_to_a_thousand_receives_before_a_dead_letter(receives):
    lost = parts.Queue()
    parts.Queue(dead_letter={"queue": lost, "max_receives": receives})
    with pytest.raises(ScenarioError, match="max_receives"):
        parts.Queue(dead_letter={"queue": lost, "max_receives": 1001 if receives > 1 else 0})


def test_a_long_poll_sees_what_a_short_one_misses():
    queue = parts.Queue(short_poll=0.001, seed=3)
    queue.send(range(10), at=0)
    assert len(queue.receive(at=0, most=10).messages) == 0
    assert len(queue.receive(at=0, most=10, wait="1s").messages) == 10
