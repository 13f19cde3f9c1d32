"""Which instances a fleet keeps, in the specification of a world: structs of plain data."""

import enum
from typing import final

from nephoscope._core import Distribution

class TerminationPolicy(enum.Enum):
    default = 0
    oldest = 1
    newest = 2
    closest_to_next_hour = 3
    allocation_strategy = 4

class ZoneBalance(enum.Enum):
    off = 0
    best_effort = 1
    only = 2

class WarmState(enum.Enum):
    stopped = 0
    running = 1
    hibernated = 2

@final
class WarmPoolSpec:
    def __init__(self) -> None: ...
    active: bool
    state: WarmState
    reuse: bool
    min: int
    prepared: int

@final
class HookSpec:
    def __init__(self) -> None: ...
    active: bool
    continues: bool
    duration: Distribution
    timeout_ns: int
    heartbeat_ns: int

@final
class MembershipSpec:
    def __init__(self) -> None: ...
    termination: TerminationPolicy
    balance: ZoneBalance
    asks_balancers: bool
    impaired_ns: int
    grace_ns: int
    launches_first: bool
    protect: int
    lifetime_ns: int
    pool: WarmPoolSpec
    launch: HookSpec
    terminate: HookSpec
