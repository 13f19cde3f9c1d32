"""Message queues, alone. Times are integer nanoseconds or texts like `1m30s`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nephoscope import _core
from nephoscope.errors import Problem, ScenarioError, UnitError
from nephoscope.nearest import listing, nearest
from nephoscope.parts.buckets import instant
from nephoscope.parts.dead_letters import read_sources
from nephoscope.parts.messages import RECEIPTS, RECEIVES, Answer, Messages, Received, Sending
from nephoscope.scenario.language.queue import Queue as QueueModel
from nephoscope.scenario.specs.queue import queue_rules
from nephoscope.scenario.steering import read_part
from nephoscope.scenario.units import Duration

Time = int | str
Integers = npt.ArrayLike


def _ns(value: Time, path: str) -> int:
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return int(value)
    try:
        return int(Duration.parse(value))
    except UnitError as error:
        raise ScenarioError([Problem(path, error.message, allowed=error.allowed)]) from None


def _column(values: Integers | None, dtype: type[np.generic]) -> npt.NDArray[Any]:
    return np.zeros(0, dtype) if values is None else np.atleast_1d(np.asarray(values, dtype))


class Queue:
    """A queue by the rules of SQS: standard or FIFO, with time moved by hand.

    A message that was received is hidden until its visibility timeout is over; who deletes it by
    its latest receipt in time has done its work, else it is seen again. Every call says at what
    time it is made, not before the call before; what is due by then happens first. The numbers
    are those of the provider's documentation: messages are kept 4 days unless told (60 s to
    14 days), hidden for 30 s (at most 12 h), delayed by up to 15 min; a receive holds at most 10
    messages and waits at most 20 s; 120,000 may be in flight.

    >>> from nephoscope import parts
    >>> lost = parts.Queue()
    >>> board = parts.Queue(dead_letter={"queue": lost, "max_receives": 1})
    >>> board.send([5, 7], at="0s").numbers.tolist()
    [0, 1]
    >>> first = board.receive(at="1s", most=10).messages
    >>> board.delete(first.receipts[:1], at="2s")
    ['done']
    >>> len(board.receive(at="31s").messages), lost.counts()["visible"]
    (0, 1)
    """

    def __init__(
        self,
        *,
        dead_letter: Mapping[str, Any] | None = None,
        redrive_allow: str | Sequence[str] = "all",
        seed: int = 0,
        name: str = "queue",
        **options: Any,
    ) -> None:
        """In the words of the language; `dead_letter` has a `queue` and `max_receives` (10).

        `throughput` of a FIFO queue: `standard` lets through 300 calls a second of each action
        (a call holds up to 10 messages), `high` 70,000 and 300 for each message group, `unlimited`
        all. `redrive_allow` tells whose dead letters this queue takes: `all`, `none` or the names
        of up to ten queues. `name` is also of the streams of random numbers: `NAME/duplicates`,
        `NAME/short_polls`, `NAME/order`.
        """
        self._dead_letter_queue: Queue | None = None
        if dead_letter is not None:
            options["max_receives"] = dead_letter.get("max_receives", 10)
            type_ = options.get("type", "standard")
            self._dead_letter_queue = self._checked(dead_letter, type_, name)
        elif "max_receives" in options:
            raise ScenarioError([Problem("max_receives", "belongs into dead_letter")])
        model = _read(options)
        self._wait = int(model.wait)
        self.type: str = model.type
        self._settings = [
            int(it) for it in (model.visibility_timeout, model.delay, model.retention)
        ]
        self._core = _core.queues.MessageQueue(_spec(model), seed, 0, name)
        self._takes_all, self._takes_of = read_sources(redrive_allow)
        self._is_dead_letter_queue = False
        self._destination: Queue | None = None
        self._answers: list[Answer] = []
        if self._dead_letter_queue is not None:
            self._dead_letter_queue.become_dead_letter_queue()

    @staticmethod
    def _checked(dead_letter: Mapping[str, Any], type_: Any, name: str) -> Queue:
        queue = dead_letter.get("queue")
        if not isinstance(queue, Queue):
            raise ScenarioError([Problem("dead_letter.queue", "is not a queue")])
        unknown = set(dead_letter) - {"queue", "max_receives"}
        if unknown:
            raise ScenarioError(
                [Problem(f"dead_letter.{min(unknown)}", "is no key", allowed="queue, max_receives")]
            )
        if queue.type != type_:
            raise ScenarioError([Problem("dead_letter.queue", f"is not of the same type, {type_}")])
        if not queue.takes_dead_letters_of(name):
            raise ScenarioError(
                [Problem("dead_letter.queue", f"takes no dead letters of a queue named {name!r}")]
            )
        return queue

    def takes_dead_letters_of(self, name: str) -> bool:
        """Whether a queue of this name may name this one for its dead letters."""
        return self._takes_all or name in self._takes_of

    def become_dead_letter_queue(self) -> None:
        """Another queue names this one for its dead letters, so that it may be redriven."""
        self._is_dead_letter_queue = True

    # --- calls ----------------------------------------------------------------------------------

    def send(
        self,
        bodies: Integers,
        *,
        at: Time,
        group: Integers | None = None,
        delay: Time | Integers | None = None,
        deduplication_id: Integers | None = None,
    ) -> Sending:
        """Send messages, up to ten a call.

        `group`, `delay` (ns) and `deduplication_id` are one for all or one each. A FIFO queue needs
        a group, and an id unless it goes by content; it has no delay but its own. In a standard
        queue a group makes it a fair queue.
        """
        delays = None if delay is None else _ns(delay, "delay") if isinstance(delay, str) else delay
        sent = self._core.send(
            _ns(at, "at"),
            _column(bodies, np.uint64),
            _column(group, np.int64),
            _column(delays, np.int64),
            _column(deduplication_id, np.uint64),
        )
        self._settle()
        return Sending(*sent)

    def receive(
        self,
        *,
        at: Time,
        most: int = 1,
        visibility_timeout: Time | None = None,
        wait: Time | None = None,
        attempt_id: int | None = None,
    ) -> Received:
        """Receive up to ten messages; hidden for the queue's timeout unless told.

        With a `wait` (the queue's unless told) it is a long poll: where there is no message, the
        ticket names the receiver, and the answer will be among `answers()`.

        In a FIFO queue a receive may have an id. For five minutes another one with it has the same
        messages by the same receipts, hidden anew, as long as none was deleted, had its visibility
        changed, or is visible again; after that it is a receive like others.
        """
        hidden = -1 if visibility_timeout is None else _ns(visibility_timeout, "visibility_timeout")
        waits = self._wait if wait is None else _ns(wait, "wait")
        if not 1 <= most <= 10:
            raise ScenarioError([Problem("most", f"{most} is out of range", allowed="1 to 10")])
        ticket = 0
        if waits:
            status, ticket, columns = self._core.poll(
                _ns(at, "at"), most, hidden, waits, attempt_id
            )
        else:
            status, columns = self._core.receive(_ns(at, "at"), most, hidden, attempt_id)
        self._settle()
        return Received(RECEIVES[status], Messages(*columns), ticket or None)

    def receive_many(self, count: int, *, at: Time) -> Messages:
        """Short polls of ten until there are so many messages or one is not full."""
        _, columns = self._core.receive(_ns(at, "at"), count, -1)
        self._settle()
        return Messages(*columns)

    def delete(self, receipts: Integers, *, at: Time) -> list[str]:
        """Delete by receipts, up to ten a call; a word of `RECEIPTS` for each.

        `stale` is a success without effect: the message is gone, or (standard) was received again.
        `late` is an error of FIFO queues: the timeout was over.
        """
        statuses = self.delete_many(receipts, at=at)
        return [RECEIPTS[status] for status in statuses.tolist()]

    def delete_many(self, receipts: Integers, *, at: Time) -> npt.NDArray[np.uint8]:
        """The same with indices into `RECEIPTS`."""
        statuses = self._core.delete(_ns(at, "at"), _column(receipts, np.uint64))
        self._settle()
        return statuses

    def change_visibility(self, receipt: int, timeout: Time, *, at: Time) -> str:
        """Hide a message for so long from now on: a heartbeat, or, by 0, an end.

        `too_long` if that is more than 12 h after it was received.
        """
        status = self._core.change_visibility(
            _ns(at, "at"), int(receipt), _ns(timeout, "visibility_timeout")
        )
        self._settle()
        return RECEIPTS[status]

    def cancel(self, ticket: int, *, at: Time) -> bool:
        """A receiver that waits is gone. False when it did not wait any more."""
        cancelled = self._core.cancel(_ns(at, "at"), ticket)
        self._settle()
        return cancelled

    def purge(self, *, at: Time) -> int:
        """Delete all messages, those in flight too; returns how many."""
        count = self._core.purge(_ns(at, "at"))
        self._settle()
        return count

    def redrive(self, to: Queue, *, at: Time, rate: int | None = None) -> None:
        """Begin to move the messages of a dead-letter queue to another, where they are new.

        At most 500 messages a second, which is also the rate of the provider's choice.
        """
        if not self._is_dead_letter_queue:
            raise ScenarioError([Problem("redrive", "only a dead-letter queue can be redriven")])
        if to.type != self.type or to is self:
            raise ScenarioError([Problem("to", f"is not another queue of the type {self.type}")])
        if self._core.redriving:
            raise ScenarioError([Problem("redrive", "is under way already")])
        self._destination = to
        self._core.start_redrive(_ns(at, "at"), 500 if rate is None else rate)
        self._settle()

    def cancel_redrive(self) -> None:
        """Move no more."""
        self._core.cancel_redrive()

    def set(
        self,
        *,
        at: Time,
        visibility_timeout: Time | None = None,
        delay: Time | None = None,
        retention: Time | None = None,
    ) -> None:
        """Change settings.

        Retention is for all messages, the timeout for receives to come, the delay for messages to
        come and, in a FIFO queue, for those that are delayed.
        """
        given = (visibility_timeout, delay, retention)
        names = ("visibility_timeout", "delay", "retention")
        settings = [
            old if new is None else _ns(new, name)
            for old, new, name in zip(self._settings, given, names, strict=True)
        ]
        self._core.change_settings(_ns(at, "at"), *settings)
        self._settings = settings
        self._settle()

    def arrive(self, number: int, body: int, sent_ns: int, group: int = -1, *, at: Time) -> None:
        """A dead letter of another queue comes, not before what has happened here."""
        self._core.arrive(max(_ns(at, "at"), self.now_ns), number, body, sent_ns, group)
        self._settle()

    def admit(self, body: int, group: int = -1, *, at: Time) -> None:
        """A redriven message comes, and is new here."""
        self._core.admit(max(_ns(at, "at"), self.now_ns), body, group)
        self._settle()

    # --- time and what comes of it ----------------------------------------------------------------

    def advance(self, at: Time) -> None:
        """Let happen what is due by then."""
        self._core.advance(_ns(at, "at"))
        self._settle()

    def answers(self) -> list[Answer]:
        """What receivers that waited were told since the last time this was asked."""
        answers, self._answers = self._answers, []
        return answers

    @property
    def next_event_ns(self) -> int | None:
        """When something will happen by itself, if ever."""
        return instant(self._core.next_event())

    @property
    def now_ns(self) -> int:
        """The time of the last call."""
        return self._core.now_ns

    @property
    def redriving(self) -> bool:
        """Whether messages are being moved out."""
        return self._core.redriving

    @property
    def waiting_receivers(self) -> int:
        """How many receivers wait."""
        return self._core.waiting_receivers

    def counts(self) -> dict[str, int]:
        """All that is counted.

        Always sent + duplicated = deleted + visible + delayed + in_flight + dead_lettered +
        expired. `arrived` is part of sent; `purged` and `redriven` are part of deleted.
        """
        return self._core.counts()

    @property
    def oldest_age_ns(self) -> int | None:
        """The age of the oldest message that is not deleted."""
        sent = instant(self._core.oldest())
        return None if sent is None else self._core.now_ns - sent

    def check(self) -> None:
        """See whether all is in order; raises an InternalError if not. Looks at every message."""
        self._core.check()

    def _settle(self) -> None:
        """Fetch what has come out, and bring what has left to where it goes."""
        if not self._core.has_outcomes:
            return
        answers, answered, dead, redriven = self._core.outcomes()
        for ticket, at_ns, first, count in answers:
            messages = Messages(*answered).rows(first, first + count)
            self._answers.append(Answer(ticket, at_ns, messages))
        for number, body, sent_ns, _, group, at_ns in zip(*(c.tolist() for c in dead), strict=True):
            assert self._dead_letter_queue is not None
            self._dead_letter_queue.arrive(number, body, sent_ns, group, at=at_ns)
        for _, body, _, _, group, at_ns in zip(*(c.tolist() for c in redriven), strict=True):
            assert self._destination is not None
            self._destination.admit(body, group, at=at_ns)


def _read(options: dict[str, Any]) -> QueueModel:
    fields = QueueModel.keys()
    words = [word for word in (*fields, "dead_letter") if word != "max_receives"]
    for option, value in options.items():
        if option not in fields:
            raise ScenarioError(
                [
                    Problem(
                        option,
                        "is no option of a queue",
                        allowed=listing(words),
                        suggestion=nearest(option, words),
                    )
                ]
            )
        # Each by itself first, for the path of what is wrong.
        read_part(option, QueueModel, {option: value, **_needs(option, options)})
    read: QueueModel = read_part("queue", QueueModel, options)
    return read


def _needs(option: str, options: dict[str, Any]) -> dict[str, Any]:
    """What an option is read with, because it is of one type of queues only."""
    return {"type": options["type"]} if option != "type" and "type" in options else {}


def _spec(model: QueueModel) -> _core.queues.QueueSpec:
    spec = queue_rules(model)
    spec.max_receives = model.max_receives or 0
    return spec
