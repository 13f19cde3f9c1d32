"""Which instances a fleet keeps, in the specification of a world: structs of plain data."""

import enum
from typing import final

class TerminationPolicy(enum.Enum):
    default = 0
    oldest = 1
    newest = 2
    closest_to_next_hour = 3

class ZoneBalance(enum.Enum):
    off = 0
    best_effort = 1
    only = 2

@final
class MembershipSpec:
    def __init__(self) -> None: ...
    termination: TerminationPolicy
    balance: ZoneBalance
    asks_balancers: bool
    grace_ns: int
    launches_first: bool
    protect: int
    lifetime_ns: int
