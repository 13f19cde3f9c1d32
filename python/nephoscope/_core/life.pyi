"""The life of instances in the specification of a world: structs of plain data."""

import enum
from typing import final

from nephoscope._core import Distribution, lifecycle

class ActionKind(enum.Enum):
    stop = 0
    start = 1
    reboot = 2
    hibernate = 3
    terminate = 4
    standby = 5
    in_service = 6
    detach = 7
    attach = 8

@final
class SpotPrice:
    def __init__(self) -> None: ...
    from_ns: int
    paid: bool

@final
class LifeSpec:
    def __init__(self) -> None: ...
    restart: Distribution
    resume: Distribution
    reboot: Distribution
    stop: Distribution
    hibernate: Distribution
    terminate: Distribution
    hibernation: bool
    spot: bool
    interrupted: bool
    interruption: Distribution
    behaviour: lifecycle.Interruption
    outage: Distribution
    rebalances: bool
    recommendation: Distribution
    on_demand_base: int
    on_demand_percent: int
    prices: list[SpotPrice]
    encryption_ns: int
    quota: int
    api: int

@final
class QuotaSpec:
    def __init__(self) -> None: ...
    name: str
    vcpus: int

@final
class LaunchLimits:
    def __init__(self) -> None: ...
    instances: int
    instances_per_s: int
    requests: int
    requests_per_s: int

@final
class ActionSpec:
    def __init__(self) -> None: ...
    at_ns: int
    kind: ActionKind
    fleet: int
    count: int
    replaced: bool
