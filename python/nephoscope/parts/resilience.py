"""Backoff, retry budgets and circuit breakers, alone. Times are integer nanoseconds."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nephoscope import _core
from nephoscope.scenario.compile import backoff_spec
from nephoscope.scenario.data_files import DataFiles
from nephoscope.scenario.files.tables import Tables
from nephoscope.scenario.language.resilience import Budget, Retry
from nephoscope.scenario.language.resilience import CircuitBreaker as BreakerModel
from nephoscope.scenario.specs.clients import breaker_spec, budget_spec
from nephoscope.scenario.steering import read_part


class Backoff:
    """How long a caller waits before it tries again.

    >>> from nephoscope import parts
    >>> backoff = parts.Backoff({"exponential": {"base": "100ms", "cap": "1s"}})
    >>> backoff.waits(requests=1, retries=5)[0].tolist()
    [100000000, 200000000, 400000000, 800000000, 1000000000]
    """

    def __init__(
        self, backoff: Any, jitter: str = "none", *, seed: int = 0, name: str = "backoff"
    ) -> None:
        """In the words of the key `retry`; `name` is of the stream of random numbers."""
        retry = read_part("retry", Retry, {"attempts": 1, "backoff": backoff, "jitter": jitter})
        self._core = _core.resilience.Backoff(
            backoff_spec(retry, DataFiles(Path(), Tables())), seed, 0, name
        )

    def waits(self, requests: int, retries: int) -> npt.NDArray[np.int64]:
        """Waits before each of so many retries, a row for each of so many requests."""
        return self._core.waits(requests, retries)


class RetryBudget:
    """What a caller may spend on further attempts.

    >>> from nephoscope import parts
    >>> budget = parts.RetryBudget({"share": "10%", "reserve": 2})
    >>> budget.spend(0), budget.spend(0), budget.spend(0)
    (True, True, False)
    >>> for _ in range(10): budget.earn(0)
    >>> budget.spend(0)
    True
    """

    def __init__(self, budget: Any) -> None:
        """In the words of the key `budget`."""
        self._core = _core.resilience.RetryBudget(budget_spec(read_part("budget", Budget, budget)))

    def earn(self, now_ns: int) -> None:
        """A request is sent for the first time."""
        self._core.earn(now_ns)

    def spend(self, now_ns: int) -> bool:
        """Take a token for a further attempt; False when there is none."""
        return self._core.spend(now_ns)

    def tokens(self, now_ns: int) -> float:
        """How many tokens there are."""
        return self._core.tokens(now_ns)


class CircuitBreaker:
    """Whether a caller asks at all.

    >>> from nephoscope import parts
    >>> breaker = parts.CircuitBreaker({"failures": 2, "open": "1s"})
    >>> for _ in range(2): breaker.record(False, sent_ns=0, now_ns=0)
    >>> breaker.state, breaker.lets_through(999_999_999), breaker.lets_through(1_000_000_000)
    ('open', False, True)
    """

    def __init__(self, circuit_breaker: Any) -> None:
        """In the words of the key `circuit_breaker`."""
        model = read_part("circuit_breaker", BreakerModel, circuit_breaker)
        self._core = _core.resilience.CircuitBreaker(breaker_spec(model))

    def lets_through(self, now_ns: int) -> bool:
        """Whether an attempt may be made now; if so, it is one."""
        return self._core.lets_through(now_ns)

    def record(self, success: bool, sent_ns: int, now_ns: int) -> None:
        """An attempt that was made at `sent_ns` has ended."""
        self._core.record(success, sent_ns, now_ns)

    def forget(self, sent_ns: int) -> None:
        """Nobody will know how an attempt would have ended."""
        self._core.forget(sent_ns)

    @property
    def state(self) -> str:
        """`closed`, `open` or `half_open`; it is half open from the first probe on."""
        return self._core.state.name

    @property
    def opened(self) -> int:
        """How often it has opened."""
        return self._core.opened
