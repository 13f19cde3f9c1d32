"""Random programs of producers, consumers and crashes, against the model, call by call."""

import copy
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from messaging.queue_model import SECOND, QueueModel
from nephoscope import parts

# Few values, so that instants and groups meet.
SPANS = st.sampled_from([0, 1, SECOND, 2 * SECOND, 5 * SECOND, 7 * SECOND, 30 * SECOND])
GAPS = st.sampled_from([0, 0, 0, 1, SECOND, 2 * SECOND, 5 * SECOND, 40 * SECOND, 300 * SECOND])
MAYBE = st.one_of(st.none(), SPANS)
ATTEMPTS = st.sampled_from([None, None, 0, 1])


class Programs(RuleBasedStateMachine):
    """Both queues are told the same; every outcome must be the same."""

    fifo = False
    receipts = Bundle("receipts")

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.made = 0
        self.hidden: dict[int, tuple[int, int]] = {}  # by number: until when, and its receives
        kind = {"type": "fifo", "throughput": "unlimited"} if self.fifo else {}
        self.lost = parts.Queue(**kind, retention="80s")
        self.queue = parts.Queue(
            **kind,
            visibility_timeout="5s",
            delay="2s" if self.fifo else "0s",
            retention="60s",
            in_flight=6,
            dead_letter={"queue": self.lost, "max_receives": 2},
        )
        self.lost_model = QueueModel(fifo=self.fifo, retention=80 * SECOND)
        self.model = QueueModel(
            fifo=self.fifo,
            visibility=5 * SECOND,
            delay=2 * SECOND if self.fifo else 0,
            retention=60 * SECOND,
            max_receives=2,
            lost=self.lost_model,
            in_flight_max=6,
        )

    def _same(self, messages, kept):
        assert messages.numbers.tolist() == [it.number for it in kept]
        assert messages.bodies.tolist() == [it.body for it in kept]
        assert messages.receives.tolist() == [it.receives for it in kept]
        assert messages.sent_ns.tolist() == [it.sent for it in kept]
        return list(zip(messages.receipts.tolist(), [it.receipts[-1] for it in kept], strict=True))

    @rule(gap=GAPS)
    def time_passes(self, gap):
        self.now += gap
        self.queue.advance(self.now)
        self.lost.advance(self.now)
        self.model.advance(self.now)
        self.lost_model.advance(self.now)

    @rule(
        count=st.integers(1, 4),
        group=st.integers(0, 2),
        delay=MAYBE,
        repeat=st.sampled_from([0, 0, 0, 1]),
    )
    def a_producer_sends(self, count, group, delay, repeat):
        self.made = max(0, self.made - repeat)
        bodies = list(range(self.made, self.made + count))
        self.made += count
        if self.fifo:
            sent = self.queue.send(bodies, at=self.now, group=group, deduplication_id=bodies)
            numbers = [self.model.send(it, self.now, group, key=it) for it in bodies]
        else:
            sent = self.queue.send(bodies, at=self.now, delay=delay)
            numbers = [self.model.send(it, self.now, delay=delay) for it in bodies]
        self.model.sent_all()
        assert sent.numbers.tolist() == numbers

    @rule(target=receipts, most=st.integers(1, 10), visibility=MAYBE, attempt=ATTEMPTS)
    def a_consumer_receives(self, most, visibility, attempt):
        attempt = attempt if self.fifo else None
        received = self.queue.receive(
            at=self.now, most=most, visibility_timeout=visibility, attempt_id=attempt
        )
        status, kept, _ = self.model.receive(most, visibility, self.now, attempt=attempt)
        assert received.status == status
        return self._same(received.messages, kept)

    @rule(
        target=receipts,
        most=st.integers(1, 3),
        wait=st.sampled_from([1, SECOND, 20 * SECOND]),
        attempt=ATTEMPTS,
    )
    def a_consumer_waits(self, most, wait, attempt):
        attempt = attempt if self.fifo else None
        received = self.queue.receive(at=self.now, most=most, wait=wait, attempt_id=attempt)
        _, kept, waiting = self.model.receive(most, None, self.now, wait, attempt)
        assert (received.ticket is None) == (waiting is None)
        if waiting is not None:
            waiting.ticket = received.ticket
        return self._same(received.messages, kept)

    @rule(target=receipts)
    def answers_are_fetched(self):
        ours, theirs = self.queue.answers(), self.model.answers
        self.model.answers = []
        assert [(it.ticket, it.at_ns) for it in ours] == [(it[0], it[1]) for it in theirs]
        pairs = []
        for answer, (_, _, kept) in zip(ours, theirs, strict=True):
            # What was received since then has other receives by now.
            assert answer.messages.numbers.tolist() == [it.number for it in kept]
            latest = [
                (ours_, it.receipts[seen - 1])
                for ours_, seen, it in zip(
                    answer.messages.receipts.tolist(),
                    answer.messages.receives.tolist(),
                    kept,
                    strict=True,
                )
            ]
            pairs += latest
        return pairs

    @rule(held=receipts)
    def a_consumer_deletes(self, held):
        for ours, theirs in held:
            assert self.queue.delete([ours], at=self.now) == [self.model.delete(theirs, self.now)]

    @rule(held=receipts, timeout=SPANS)
    def a_consumer_beats(self, held, timeout):
        for ours, theirs in held:
            changed = self.queue.change_visibility(ours, timeout, at=self.now)
            assert changed == self.model.change_visibility(theirs, timeout, self.now)

    @rule(held=consumes(receipts))
    def a_consumer_crashes(self, held):
        """Its receipts are lost; the messages come back by themselves."""

    @rule()
    def the_world_forks(self):
        """From here on a copy is used."""
        self.queue = copy.deepcopy(self.queue)
        dead = self.queue._dead_letter_queue
        assert dead is not None
        self.lost = dead

    @rule(most=st.integers(1, 10))
    def someone_looks_at_dead_letters(self, most):
        received = self.lost.receive(at=self.now, most=most, visibility_timeout=0)
        _, kept, _ = self.lost_model.receive(most, 0, self.now)
        self._same(received.messages, kept)

    @rule()
    def everything_is_purged(self):
        assert self.queue.purge(at=self.now) == self.model.purge(self.now)

    @invariant()
    def nothing_is_lost(self):
        for queue, model in ((self.queue, self.model), (self.lost, self.lost_model)):
            queue.check()
            counts = queue.counts()
            assert counts["visible"] == len(model.visible())
            assert counts["delayed"] == len(model.delayed())
            assert counts["in_flight"] == len(model.in_flight())
            for name, value in model.counts.items():
                assert counts[name] == value, name
            left = counts["visible"] + counts["delayed"] + counts["in_flight"]
            ended = counts["deleted"] + counts["dead_lettered"] + counts["expired"]
            assert counts["sent"] == left + ended


class FifoPrograms(Programs):
    fifo = True


def configured(machine, steps: int):
    case = machine.TestCase
    case.settings = settings(max_examples=40, stateful_step_count=steps, deadline=None)
    return case


TestStandardPrograms = configured(Programs, 40)
TestFifoPrograms = configured(FifoPrograms, 40)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["send", "send", "receive", "delete", "change", "wait", "fork"]),
        st.integers(0, 30),
        st.integers(-1, 2),
        SPANS,
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_fair_queues_lose_nothing_and_hand_out_nothing_twice(steps):
    """Groups, delays, duplicates of the store and dead letters together, without a model."""
    lost = parts.Queue(retention="70s")
    queue = parts.Queue(
        visibility_timeout="5s",
        retention="60s",
        duplicates=0.2,
        dead_letter={"queue": lost, "max_receives": 2},
    )
    now, hidden, held, copies = 0, {}, [], Counter()
    for step, count, group, span in steps:
        if step == "send":
            delays = {"delay": span} if span < 6 * SECOND else {}
            groups = {} if group < 0 else {"group": group}
            sent = queue.send(range(count), at=now, **groups, **delays)
            copies.update(sent.numbers.tolist())
        elif step == "receive":
            messages = queue.receive_many(count + 1, at=now)
            for number, receipt in zip(messages.numbers, messages.receipts, strict=True):
                flying = [until for until in hidden.get(number, []) if until > now]
                assert len(flying) < 2  # a message and its copy
                hidden[number] = [*flying, now + 5 * SECOND]
                held.append((number, receipt))
        elif step == "delete" and held:
            number, receipt = held.pop(count % len(held))
            if queue.delete([receipt], at=now) == ["done"]:
                hidden.pop(number, None)
        elif step == "change" and held:
            number, receipt = held[count % len(held)]
            queue.change_visibility(receipt, 0, at=now)
            hidden.pop(number, None)
        elif step == "wait":
            now += span
        else:
            queue = copy.deepcopy(queue)
        queue.check()
        counts = queue.counts()
        left = counts["visible"] + counts["delayed"] + counts["in_flight"]
        ended = counts["deleted"] + counts["dead_lettered"] + counts["expired"]
        assert counts["sent"] + counts["duplicated"] == left + ended
        assert counts["sent"] == copies.total()
    queue.advance(now + 61 * SECOND)
    queue.check()
    counts = queue.counts()
    assert counts["visible"] + counts["delayed"] + counts["in_flight"] == 0


@pytest.mark.slow
class TestManyStandardPrograms(Programs.TestCase):
    settings = settings(max_examples=800, stateful_step_count=60, deadline=None)


@pytest.mark.slow
class TestManyFifoPrograms(FifoPrograms.TestCase):
    settings = settings(max_examples=800, stateful_step_count=60, deadline=None)
