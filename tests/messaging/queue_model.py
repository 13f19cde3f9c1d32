"""Queues as a reader of the documentation would write them down: lists, and no thought of speed."""

from __future__ import annotations

from dataclasses import dataclass, field

SECOND = 10**9
WINDOW = 300 * SECOND


@dataclass
class Kept:
    """A message that is somewhere in the queue."""

    number: int
    body: int
    sent: int
    group: int = -1
    receives: int = 0
    until: int = 0  # hidden, by a delay or because it was received
    in_flight: bool = False
    received: int = 0
    receipts: list[object] = field(default_factory=list)
    changed: bool = False  # its visibility was, since it was received


@dataclass
class Waiting:
    max: int
    visibility: int | None
    until: int
    attempt: int | None = None
    ticket: object = None


@dataclass
class QueueModel:
    """All times in ns. What leaves for the dead-letter queue goes to `lost`, if there is one."""

    fifo: bool = False
    visibility: int = 30 * SECOND
    delay: int = 0
    retention: int = 345_600 * SECOND
    max_receives: int | None = None
    lost: QueueModel | None = None
    in_flight_max: int = 120_000
    now: int = 0
    next_number: int = 0
    kept: list[Kept] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    answers: list[tuple[object, int, list[Kept]]] = field(default_factory=list)
    known: dict[int, tuple[int, int]] = field(default_factory=dict)
    attempts: dict[int, tuple[int, list[tuple[Kept, object]]]] = field(default_factory=dict)
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("sent", "deduplicated", "received", "deleted", "dead_lettered", "expired"), 0
        )
    )

    # --- time ---------------------------------------------------------------------------------

    def advance(self, now: int) -> None:
        while True:
            times = [it.sent + self.retention for it in self.kept]
            times += [it.until for it in self.kept if it.until > self.now or it.in_flight]
            times += [it.until for it in self.waiting]
            due = min((t for t in times if t <= now), default=None)
            if due is None:
                break
            self.now = max(self.now, due)
            self._happen()
        self.now = now

    def _happen(self) -> None:
        old = [it for it in self.kept if it.sent + self.retention <= self.now]
        self.kept = [it for it in self.kept if it not in old]
        self.counts["expired"] += len(old)
        for it in self.kept:
            if it.in_flight and it.until <= self.now:
                it.in_flight = False
        self._serve()
        ended = [it for it in self.waiting if it.until <= self.now]
        self.waiting = [it for it in self.waiting if it not in ended]
        self.answers += [(it.ticket, self.now, []) for it in ended]

    def _serve(self) -> None:
        while self.waiting:
            first = self.waiting[0]
            taken = self._hand_out(first.max, first.visibility)
            if not taken:
                return
            self._remember(first.attempt, taken)
            self.waiting.pop(0)
            self.answers.append((first.ticket, self.now, taken))

    # --- states -------------------------------------------------------------------------------

    def visible(self) -> list[Kept]:
        shown = [it for it in self.kept if not it.in_flight and it.until <= self.now]
        return sorted(shown, key=lambda it: (it.sent, it.number))

    def in_flight(self) -> list[Kept]:
        return [it for it in self.kept if it.in_flight]

    def delayed(self) -> list[Kept]:
        return [it for it in self.kept if not it.in_flight and it.until > self.now]

    # --- calls --------------------------------------------------------------------------------

    def send(
        self, body: int, now: int, group: int = -1, delay: int | None = None, key: int = 0
    ) -> int:
        self.advance(now)
        if self.fifo:
            at, number = self.known.get(key, (-WINDOW, -1))
            if at + WINDOW > now:
                self.counts["deduplicated"] += 1
                return number
            self.known[key] = (now, self.next_number)
        hidden = now + (self.delay if delay is None else delay)
        self.kept.append(Kept(self.next_number, body, now, group, until=hidden))
        self.next_number += 1
        self.counts["sent"] += 1
        return self.next_number - 1

    def sent_all(self) -> None:
        """The end of a call that sent messages."""
        self._serve()

    def _bury(self, it: Kept) -> None:
        self.kept.remove(it)
        self.counts["dead_lettered"] += 1
        lost = self.lost
        assert lost is not None
        lost.advance(max(lost.now, self.now))
        sent = lost.now if lost.fifo else it.sent
        lost.kept.append(Kept(it.number, it.body, sent, it.group))
        lost.counts["sent"] += 1
        lost.advance(lost.now)
        lost._serve()

    def _hand_out(self, most: int, visibility: int | None) -> list[Kept]:
        taken: list[Kept] = []
        while (it := self._next(taken)) is not None:
            if len(taken) == most or len(self.in_flight()) >= self.in_flight_max:
                break
            if self.max_receives is not None and it.receives >= self.max_receives:
                self._bury(it)
                continue
            it.receives += 1
            it.in_flight = True
            it.changed = False
            it.received = self.now
            it.until = self.now + (self.visibility if visibility is None else visibility)
            it.receipts.append(object())
            self.counts["received"] += 1
            taken.append(it)
        return taken

    def _next(self, taken: list[Kept]) -> Kept | None:
        """The message that a receive which holds these takes next."""
        shown = self.visible()
        if not self.fifo:
            return shown[0] if shown else None
        if taken:
            rest = [it for it in shown if it.group == taken[-1].group]
            if rest:
                return rest[0]
        locked = {it.group for it in self.in_flight()}
        return next((it for it in shown if it.group not in locked), None)

    def _remember(self, attempt: int | None, taken: list[Kept]) -> None:
        if attempt is not None and taken:
            self.attempts[attempt] = (self.now, [(it, it.receipts[-1]) for it in taken])

    def _repeat(self, attempt: int | None, most: int, visibility: int | None) -> list[Kept]:
        """What an earlier receive had under this id, if nothing has been done to it."""
        at, pairs = self.attempts.get(attempt, (0, [])) if attempt is not None else (0, [])
        if at + WINDOW <= self.now or len(pairs) > most:
            return []
        for it, receipt in pairs:
            if it not in self.kept or not it.in_flight or it.changed:
                return []
            if it.receipts[-1] is not receipt:
                return []
        for it, _ in pairs:
            hidden = self.visibility if visibility is None else visibility
            it.until = min(self.now + hidden, it.received + 43_200 * SECOND)
        return [it for it, _ in pairs]

    def receive(
        self,
        most: int,
        visibility: int | None,
        now: int,
        wait: int = 0,
        attempt: int | None = None,
    ):
        """The messages, and who waits if there are none."""
        self.advance(now)
        if not wait and not self.fifo and len(self.in_flight()) >= self.in_flight_max:
            return "over_limit", [], None
        taken = self._repeat(attempt, most, visibility)
        if not taken:
            taken = self._hand_out(most, visibility)
            self._remember(attempt, taken)
        if taken or not wait:
            return "done", taken, None
        waiting = Waiting(most, visibility, now + wait, attempt)
        self.waiting.append(waiting)
        return "done", [], waiting

    def delete(self, receipt: object, now: int) -> str:
        self.advance(now)
        status = self._delete(receipt)
        self._serve()
        return status

    def _delete(self, receipt: object) -> str:
        for it in self.kept:
            if receipt not in it.receipts:
                continue
            if self.fifo and (receipt is not it.receipts[-1] or not it.in_flight):
                return "late"
            if receipt is not it.receipts[-1]:
                return "stale"
            self.kept.remove(it)
            self.counts["deleted"] += 1
            return "done"
        return "stale"

    def change_visibility(self, receipt: object, timeout: int, now: int) -> str:
        self.advance(now)
        for it in self.kept:
            if it.in_flight and receipt is it.receipts[-1]:
                if now + timeout > it.received + 43_200 * SECOND:
                    return "too_long"
                it.until = now + timeout
                it.changed = True
                self.advance(now)
                return "done"
        return "not_in_flight"

    def purge(self, now: int) -> int:
        self.advance(now)
        count = len(self.kept)
        self.kept = []
        self.counts["deleted"] += count
        return count
