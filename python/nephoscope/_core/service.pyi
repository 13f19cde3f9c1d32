"""Services and fleets in the specification of a world: structs of plain data."""

import enum
from typing import final

@final
class AdmissionRules:
    def __init__(self) -> None: ...
    burst: int
    refill: int
    queue_delay_ns: int
    in_flight: int
    limits_checks: bool
    sheds_checks: bool

class ProtectedOnes(enum.Enum):
    refresh = 0
    ignore = 1
    wait = 2

class StandbyOnes(enum.Enum):
    terminate = 0
    ignore = 1
    wait = 2

@final
class RefreshSpec:
    def __init__(self) -> None: ...
    at_ns: int
    min_healthy: int
    max_healthy: int
    warmup_ns: int
    checkpoints: list[int]
    checkpoint_delay_ns: int
    make: int
    protected_ones: ProtectedOnes
    standby_ones: StandbyOnes
    skip_matching: bool
    rollback: bool
    alarms: list[int]
