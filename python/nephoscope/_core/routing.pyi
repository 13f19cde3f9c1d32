"""How balancers choose, in the specification of a world: structs of plain data."""

import enum
from typing import final

class RoutingKind(enum.Enum):
    round_robin = 0
    least_connections = 1
    ip_hash = 2
    least_response_time = 3
    random = 4
    power_of_two = 5
    join_idle_queue = 6
    weighted_random = 7
    mitigated_random = 8
    compiled = 9

@final
class CompiledRouting:
    def __init__(self) -> None: ...
    address: int
    words: int
    state: bytes

@final
class RoutingSpec:
    def __init__(self) -> None: ...
    kind: RoutingKind
    choices: int
    window_ns: int
    compiled: CompiledRouting
