"""Clients that try again, written a second time and plainly: what the engine is compared with.

Servers of one worker each, in turn (round robin), with a bounded backlog; the work of a request is
given, and is the same in each attempt. Times are integer nanoseconds. No two events of different
kinds are expected at one instant: the callers see to that by odd numbers.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

NEVER = 2**62
TOKEN = 1000


@dataclass(frozen=True)
class Rules:
    servers: int = 2
    backlog: int = 2
    timeout: int = 0
    abandons: bool = False
    attempts: int = 1
    base: int = 1  # the backoff doubles from here
    cap: int = NEVER
    share: int | None = None  # of a token, in thousandths; None: no budget
    reserve: int = 10
    deadline: int = 0
    hedge: int = 0
    failures: int = 0  # of the breaker, in a row; 0: there is none
    open: int = 0
    probes: int = 1


@dataclass(eq=False)
class Attempt:
    request: Request
    sent: int
    server: int
    state: str = "waits"  # has a worker, over
    client: bool = True  # still waits for the answer
    late: bool = False  # its deadline has passed


@dataclass(eq=False)
class Request:
    work: int
    begun: int
    retries: int = 0
    live: list[Attempt] = field(default_factory=list)
    last: str = ""
    over: bool = False
    round: int = 0  # timers of an earlier one mean nothing


class Clients:
    """Runs requests with these arrivals and works until everything has ended."""

    def __init__(self, rules: Rules, arrivals: list[int], works: list[int]) -> None:
        self.rules = rules
        self.counts: Counter[str] = Counter()
        self.latencies: list[int] = []
        self.waiting: list[list[Attempt]] = [[] for _ in range(rules.servers)]
        self.serving: list[Attempt | None] = [None] * rules.servers
        self._turn = itertools.cycle(range(rules.servers))
        self._tokens = rules.reserve * TOKEN
        self._state, self._since, self._row, self._probes, self._good = "closed", 0, 0, 0, 0
        self._events: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._numbers = itertools.count()
        self.now = 0
        for instant, work in zip(arrivals, works, strict=True):
            self._at(instant, self._arrive, work)
        while self._events:
            self.now, _, action, what = heapq.heappop(self._events)
            action(*what)

    def _at(self, instant: int, action: Callable[..., None], *what: Any) -> None:
        heapq.heappush(self._events, (instant, next(self._numbers), action, what))

    # --- clients ------------------------------------------------------------------------------

    def _arrive(self, work: int) -> None:
        request = Request(work, self.now)
        self.counts["offered"] += 1
        if not self._let_through():
            self.counts["held_back"] += 1
            self._end(request, "rejected")
            return
        if self.rules.share is not None:
            self._tokens = min(self.rules.reserve * TOKEN, self._tokens + self.rules.share)
        if self.rules.deadline:
            self._at(self.now + self.rules.deadline, self._deadline, request)
        self._send(request)

    def _send(self, request: Request) -> None:
        server = next(self._turn)
        attempt = Attempt(request, self.now, server)
        if self.rules.hedge and not request.live:
            self._at(self.now + self.rules.hedge, self._hedge, request, request.round)
        request.live.append(attempt)
        self.counts["attempts"] += 1
        if self.serving[server] is None:
            self._serve(attempt)
        elif len(self.waiting[server]) < self.rules.backlog:
            self.waiting[server].append(attempt)
        else:
            attempt.state = "over"
            self._answered(attempt, "rejected")
            return
        if self.rules.timeout:
            self._at(self.now + self.rules.timeout, self._time_out, attempt)

    def _answered(self, attempt: Attempt, outcome: str) -> None:
        """The client knows what became of an attempt."""
        request = attempt.request
        attempt.client = False
        self.counts[f"attempts {outcome}"] += 1
        self._record(outcome == "completed", attempt.sent)
        request.live.remove(attempt)
        request.last = outcome
        if outcome != "completed":
            if request.live:
                return
            request.round += 1
            if self._again(request):
                return
        for other in request.live:
            if self._state == "half open" and other.sent >= self._since:
                self._probes += 1
            self._leave(other, takes_back=True)
        request.live = []
        self._end(request, outcome)

    def _again(self, request: Request) -> bool:
        wait = min(self.rules.cap, self.rules.base * 2**request.retries)
        if request.retries + 1 >= self.rules.attempts:
            return False
        if self.rules.deadline and self.now + wait > request.begun + self.rules.deadline:
            return False
        if not self._spend():
            return False
        self._at(self.now + wait, self._retry, request)
        return True

    def _retry(self, request: Request) -> None:
        if not self._let_through():
            self.counts["held_back"] += 1
            self._end(request, request.last)
            return
        request.retries += 1
        self.counts["retries"] += 1
        self._send(request)

    def _hedge(self, request: Request, round_: int) -> None:
        if request.over or request.round != round_ or len(request.live) != 1:
            return
        if not self._spend():
            return
        if not self._let_through():
            self.counts["held_back"] += 1
            return
        self.counts["retries"] += 1
        self.counts["hedges"] += 1
        self._send(request)

    def _deadline(self, request: Request) -> None:
        if request.over:
            return
        for attempt in request.live:
            self._record(False, attempt.sent)
            attempt.late = True
            self._leave(attempt, takes_back=self.rules.abandons)
        request.live = []
        self._end(request, "timed_out")

    def _time_out(self, attempt: Attempt) -> None:
        waits = attempt.state == "waits"
        if not attempt.client or (self.rules.abandons and not waits):
            return
        if self.rules.abandons:
            self.waiting[attempt.server].remove(attempt)
            attempt.state = "over"
        self._answered(attempt, "timed_out")

    def _leave(self, attempt: Attempt, takes_back: bool) -> None:
        attempt.client = False
        self.counts["attempts timed_out"] += 1
        if takes_back and attempt.state == "waits":
            self.waiting[attempt.server].remove(attempt)
            attempt.state = "over"

    def _end(self, request: Request, outcome: str) -> None:
        request.over = True
        self.counts[outcome] += 1
        if outcome == "completed":
            self.latencies.append(self.now - request.begun)

    # --- servers ------------------------------------------------------------------------------

    def _serve(self, attempt: Attempt) -> None:
        attempt.state = "has a worker"
        self.serving[attempt.server] = attempt
        self.counts["busy"] += attempt.request.work
        self._at(self.now + attempt.request.work, self._done, attempt)

    def _done(self, attempt: Attempt) -> None:
        attempt.state = "over"
        if attempt.client:
            self._answered(attempt, "completed")
        else:
            self.counts["wasted"] += 1
        queue = self.waiting[attempt.server]
        self.serving[attempt.server] = None
        while queue and self.serving[attempt.server] is None:
            following = queue.pop(0)
            if not following.late:
                self._serve(following)

    # --- budget and breaker -------------------------------------------------------------------

    def _spend(self) -> bool:
        if self.rules.share is None:
            return True
        if self._tokens < TOKEN:
            self.counts["out_of_budget"] += 1
            return False
        self._tokens -= TOKEN
        return True

    def _let_through(self) -> bool:
        if self._state == "open" and self.now - self._since >= self.rules.open:
            self._state, self._since = "half open", self.now
            self._probes, self._good = self.rules.probes, 0
        if self._state == "half open" and self._probes:
            self._probes -= 1
            return True
        return self._state == "closed"

    def _record(self, success: bool, sent: int) -> None:
        if not self.rules.failures or sent < self._since or self._state == "open":
            return
        self._row = 0 if success else self._row + 1
        if self._state == "half open":
            self._good += success
            if self._good == self.rules.probes:
                self._state, self._since, self._row = "closed", self.now, 0
            opens = not success
        else:
            opens = self._row >= self.rules.failures
        if opens:
            self._state, self._since = "open", self.now
            self.counts["opened"] += 1
