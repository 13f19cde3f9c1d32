"""On which host an instance is launched: batches on arrays."""

import enum
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

class PlacePolicy(enum.Enum):
    first_fit = 0
    best_fit = 1
    worst_fit = 2
    random = 3
    spread = 4

class Tenancy(enum.Enum):
    shared = 0
    dedicated = 1
    host = 2

class GroupStrategy(enum.Enum):
    cluster = 0
    partition = 1
    spread = 2

class Refusal(enum.Enum):
    none = 0
    capacity = 1
    zone = 2
    group_limit = 3
    rack = 4
    tenancy = 5
    burstable = 6

@final
class Placement:
    def __init__(self) -> None: ...
    def add_pool(
        self, policy: PlacePolicy, cpu_overcommit: float, seed: int, replication: int, name: str
    ) -> int: ...
    def add_hosts(self, pool: int, rows: ArrayLike) -> NDArray[np.uint32]: ...
    def add_group(self, strategy: GroupStrategy, partitions: int) -> int: ...
    def set_open(self, host: int, open: bool) -> None: ...
    def allocate_host(self, host: int, account: int, auto_placement: bool) -> bool: ...
    def release_host(self, host: int) -> bool: ...
    def place(
        self, pool: int, tenancy: Tenancy, zones: int, burstable: bool, rows: ArrayLike
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]]: ...
    def place_many(
        self,
        pool: int,
        tenancy: Tenancy,
        zones: int,
        burstable: bool,
        rows: ArrayLike,
        least: int,
        most: int,
    ) -> tuple[
        tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]],
        Refusal,
    ]: ...
    def release(self, placements: ArrayLike) -> None: ...
    def hosts(self) -> dict[str, NDArray[np.integer]]: ...
    def counters(self, pool: int) -> dict[str, int | list[int]]: ...
    @property
    def placed(self) -> int: ...
    def copy(self) -> Placement: ...
    def save(self) -> bytes: ...
    def restore(self, state: bytes) -> None: ...
