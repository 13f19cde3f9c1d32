import enum
from typing import final

import numpy as np
from numpy.typing import NDArray

from nephoscope._core import Destination, Distribution

class DeliveryCurve(enum.Enum):
    linear = 0
    arithmetic = 1
    geometric = 2
    exponential = 3

class DeliveryJitter(enum.Enum):
    none = 0
    full = 1
    equal = 2

@final
class DeliveryRules:
    def __init__(self) -> None: ...
    immediate: int
    pre_backoff: int
    backoff: int
    post_backoff: int
    curve: DeliveryCurve
    jitter: DeliveryJitter
    min_ns: int
    max_ns: int
    age_ns: int
    def retries(self) -> int: ...
    def waits(self) -> NDArray[np.int64]: ...

@final
class EventChoice:
    def __init__(self) -> None: ...
    kinds: list[int]
    weights: list[float]
    by_serial: list[int]

@final
class FilterChange:
    def __init__(self) -> None: ...
    at_ns: int
    takes: list[int]

@final
class SubscriptionSpec:
    def __init__(self) -> None: ...
    to: Destination
    outside: bool
    client_errors: float
    server_errors: float
    duplicates: float
    timeout_ns: int
    retry: DeliveryRules
    receives_per_second: int
    group: int
    rule: int
    dead_letter: int
    becomes: list[int]
    letters: list[int]
    by_retries: list[int]
    takes: list[int]
    changes: list[FilterChange]
    confirmed_ns: int

@final
class TopicSpec:
    def __init__(self) -> None: ...
    name: str
    fifo: bool
    group_deduplication: bool
    publishes_per_second: int
    group_publishes_per_second: int
    latency: Distribution
    subscriptions: list[SubscriptionSpec]

@final
class ReplaySpec:
    def __init__(self) -> None: ...
    bus: int
    at_ns: int
    since_ns: int
    until_ns: int
    rules: list[int]
    becomes: list[int]

@final
class BusSpec:
    def __init__(self) -> None: ...
    name: str
    archives: bool
    retention_ns: int
    archive_lag_ns: int
    archive_takes: list[int]
    puts_per_second: int
    invocations_per_second: int
    latency: Distribution
    sizes: list[int]
    malformed: list[int]
    rules: list[str]
    targets: list[SubscriptionSpec]

@final
class MessageQuotas:
    def __init__(self) -> None: ...
    publishes_per_second: int
    puts_per_second: int
    invocations_per_second: int
