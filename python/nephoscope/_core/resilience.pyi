"""How callers go about their requests, as specs, and the rules as parts that work alone."""

import enum
from typing import final

import numpy as np
from numpy.typing import NDArray

from nephoscope._core import Distribution

class BackoffKind(enum.Enum):
    drawn = 0
    exponential = 1

class Jitter(enum.Enum):
    none = 0
    full = 1
    equal = 2
    decorrelated = 3

@final
class BackoffSpec:
    def __init__(self) -> None: ...
    kind: BackoffKind
    law: Distribution
    base_ns: int
    cap_ns: int
    jitter: Jitter

@final
class BudgetSpec:
    def __init__(self) -> None: ...
    limited: bool
    share: float
    reserve: float
    per_second: float

@final
class BreakerSpec:
    def __init__(self) -> None: ...
    failures: int
    window: int
    failure_rate: float
    open_ns: int
    probes: int

@final
class ResilienceSpec:
    def __init__(self) -> None: ...
    attempts: int
    backoff: BackoffSpec
    budget: BudgetSpec
    breaker: BreakerSpec
    deadline_ns: int
    hedge_ns: int

@final
class Backoff:
    def __init__(self, spec: BackoffSpec, seed: int, replication: int, name: str) -> None: ...
    def waits(self, requests: int, retries: int) -> NDArray[np.int64]: ...

@final
class RetryBudget:
    def __init__(self, spec: BudgetSpec) -> None: ...
    def earn(self, now_ns: int) -> None: ...
    def spend(self, now_ns: int) -> bool: ...
    def tokens(self, now_ns: int) -> float: ...

class BreakerState(enum.Enum):
    closed = 0
    open = 1
    half_open = 2

@final
class CircuitBreaker:
    def __init__(self, spec: BreakerSpec) -> None: ...
    def lets_through(self, now_ns: int) -> bool: ...
    def record(self, success: bool, sent_ns: int, now_ns: int) -> None: ...
    def forget(self, sent_ns: int) -> None: ...
    @property
    def state(self) -> BreakerState: ...
    @property
    def opened(self) -> int: ...
