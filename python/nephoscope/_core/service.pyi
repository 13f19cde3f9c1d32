"""Services and fleets in the specification of a world: structs of plain data."""

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
