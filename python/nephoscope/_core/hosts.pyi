"""Hosts and tenants in the specification of a world: structs of plain data."""

import enum
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nephoscope._core import placement

class SchedulerKind(enum.Enum):
    fluid = 0
    fair = 1
    credit = 2
    pinned = 3

@final
class SchedulerFacts:
    def __init__(self) -> None: ...
    kind: SchedulerKind
    core_scheduling: bool

@final
class HostFacts:
    def __init__(self) -> None: ...
    cores: int
    threads_per_core: int
    smt_gain: float
    speed: float

@final
class HostPoolFacts:
    def __init__(self) -> None: ...
    scheduler: SchedulerFacts
    count: int
    host: HostFacts
    sockets: int
    memory: int
    accelerators: int
    disks: int
    cpu_overcommit: float
    place: placement.PlacePolicy
    racks: int
    account: int
    @property
    def zones(self) -> NDArray[np.uint32]: ...
    @zones.setter
    def zones(self, values: ArrayLike) -> None: ...

@final
class GroupSpec:
    def __init__(self) -> None: ...
    name: str
    strategy: placement.GroupStrategy
    partitions: int

@final
class HostPoolSpec:
    def __init__(self) -> None: ...
    name: str
    facts: HostPoolFacts
    network: int

@final
class CpuCreditFacts:
    def __init__(self) -> None: ...
    vcpus: int
    millicredits_per_hour: int
    launch_credits: int
    kept_ns: int
    lowered_over_ns: int

@final
class BurstFacts:
    def __init__(self) -> None: ...
    burstable: bool
    credits: CpuCreditFacts
    unlimited: bool

@final
class InterferenceFacts:
    def __init__(self) -> None: ...
    pressure: float
    sensitivity: float

@final
class BillingRule:
    def __init__(self) -> None: ...
    unit_ns: int
    minimum_ns: int
