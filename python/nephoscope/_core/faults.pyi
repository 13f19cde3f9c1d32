"""Faults and health checks in the specification of a world: structs of plain data."""

import enum
from typing import final

from nephoscope._core import Distribution

class FaultKind(enum.Enum):
    kill = 0
    fail = 1
    lose_health_checks = 2
    slow = 3
    maintain = 4
    hang = 5

class MoveBy(enum.Enum):
    drain = 0
    stop_start = 1
    migrate = 2
    stay = 3

class FaultScope(enum.Enum):
    fleet = 0
    host = 1
    rack = 2
    zone = 3

@final
class FaultSpec:
    def __init__(self) -> None: ...
    kind: FaultKind
    scope: FaultScope
    index: int
    unit: int
    count: int
    random: bool
    at_ns: int
    every: Distribution
    ends: bool
    lasts: Distribution
    node: int
    code: int
    factor: float
    notice_ns: int
    by: MoveBy
    otherwise: MoveBy
    pause: Distribution

@final
class HealthSpec:
    def __init__(self) -> None: ...
    interval_ns: int
    timeout_ns: int
    work_ns: int
    healthy_threshold: int
    unhealthy_threshold: int
    minimum_healthy: int
    minimum_share: float
    dns_healthy: int
    dns_share: float
    first_code: int
    last_code: int
    sends_to_new: bool
    resets: bool
