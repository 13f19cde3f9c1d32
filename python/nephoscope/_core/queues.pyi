from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nephoscope._core import Destination

# Numbers, bodies, sent, receives, groups, and receipts or times.
Columns = tuple[
    NDArray[np.uint64],
    NDArray[np.uint64],
    NDArray[np.int64],
    NDArray[np.uint32],
    NDArray[np.int64],
    NDArray[np.uint64],
]
MovedColumns = tuple[
    NDArray[np.uint64],
    NDArray[np.uint64],
    NDArray[np.int64],
    NDArray[np.uint32],
    NDArray[np.int64],
    NDArray[np.int64],
]

@final
class RingQueue:
    def __init__(self, capacity: int) -> None: ...
    def push(self, values: ArrayLike) -> int: ...
    def pop(self, count: int) -> NDArray[np.int64]: ...
    def __len__(self) -> int: ...
    @property
    def capacity(self) -> int: ...

class QueueSpec:
    def __init__(self) -> None: ...
    fifo: bool
    max_receives: int
    in_flight_max: int
    calls_per_second: int
    group_calls_per_second: int
    content_deduplication: int
    group_deduplication: int
    message_bytes: int
    visibility_ns: int
    delay_ns: int
    retention_ns: int
    duplicates: float
    sampled: float
    disorder: float

@final
class WorldQueueSpec:
    def __init__(self) -> None: ...
    name: str
    rules: QueueSpec
    dead_letter: int

@final
class QueueActionSpec:
    def __init__(self) -> None: ...
    at_ns: int
    queue: int
    to: int
    per_second: int
    lasts_ns: int
    visibility_ns: int
    delay_ns: int
    retention_ns: int

@final
class ConsumeSpec:
    def __init__(self) -> None: ...
    queue: int
    batch: int
    wait_ns: int
    heartbeat_ns: int
    abandons: bool

@final
class PipeSpec:
    def __init__(self) -> None: ...
    name: str
    source: ConsumeSpec
    pollers: int
    to: Destination
    timeout_ns: int
    group: int
    takes: list[int]
    becomes: list[int]

@final
class MessageQueue:
    def __init__(self, spec: QueueSpec, seed: int, replication: int, name: str) -> None: ...
    def advance(self, now_ns: int) -> None: ...
    def next_event(self) -> int: ...
    def send(
        self,
        now_ns: int,
        bodies: ArrayLike,
        groups: ArrayLike,
        delays: ArrayLike,
        ids: ArrayLike,
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]: ...
    def arrive(self, now_ns: int, number: int, body: int, sent_ns: int, group: int) -> None: ...
    def admit(self, now_ns: int, body: int, group: int) -> None: ...
    def receive(
        self, now_ns: int, count: int, visibility_ns: int, attempt: int | None = None
    ) -> tuple[int, Columns]: ...
    def poll(
        self,
        now_ns: int,
        max: int,
        visibility_ns: int,
        wait_ns: int,
        attempt: int | None = None,
    ) -> tuple[int, int, Columns]: ...
    def cancel(self, now_ns: int, ticket: int) -> bool: ...
    def delete(self, now_ns: int, receipts: ArrayLike) -> NDArray[np.uint8]: ...
    def change_visibility(self, now_ns: int, receipt: int, timeout_ns: int) -> int: ...
    def change_settings(
        self, now_ns: int, visibility_ns: int, delay_ns: int, retention_ns: int
    ) -> None: ...
    def purge(self, now_ns: int) -> int: ...
    def start_redrive(self, now_ns: int, per_second: int) -> bool: ...
    def cancel_redrive(self) -> None: ...
    @property
    def redriving(self) -> bool: ...
    @property
    def has_outcomes(self) -> bool: ...
    def churn(self, now_ns: int, gap_ns: int, batch: int, rounds: int) -> int: ...
    def outcomes(
        self,
    ) -> tuple[list[tuple[int, int, int, int]], Columns, MovedColumns, MovedColumns]: ...
    def counts(self) -> dict[str, int]: ...
    def oldest(self) -> int: ...
    def check(self) -> None: ...
    @property
    def waiting_receivers(self) -> int: ...
    @property
    def now_ns(self) -> int: ...
