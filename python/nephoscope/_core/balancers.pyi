"""Balancers and their parts in the specification of a world, and a router on its own."""

from collections.abc import Sequence
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nephoscope._core.faults import HealthSpec
from nephoscope._core.routing import RoutingSpec

@final
class TargetSpec:
    def __init__(self) -> None: ...
    fleet: int
    weight: float
    group: int

@final
class TargetGroupSpec:
    def __init__(self) -> None: ...
    name: str
    weight: int

@final
class CapacitySpec:
    def __init__(self) -> None: ...
    start: float
    minimum: float
    wait_ns: int

@final
class OwnAnswerSpec:
    def __init__(self) -> None: ...
    code: int
    share: float

@final
class ConnectionsSpec:
    def __init__(self) -> None: ...
    keep_alive_ns: int
    handshake_ns: int

@final
class SplitSpec:
    def __init__(self) -> None: ...
    share: float
    into: int

@final
class Router:
    def __init__(
        self,
        routing: RoutingSpec,
        weights: Sequence[float] = ...,
        seed: int = 0,
        replication: int = 0,
        name: str = "load_balancers/alone/routing",
    ) -> None: ...
    def add(self, count: int = 1, of_class: int = 0) -> None: ...
    def remove(self, slot: int) -> None: ...
    def route(self, clients: ArrayLike) -> NDArray[np.uint32]: ...
    def answered(self, slots: ArrayLike, response_ns: ArrayLike) -> None: ...
    @property
    def size(self) -> int: ...
    @property
    def outstanding(self) -> NDArray[np.uint32]: ...

@final
class BalancerSpec:
    def __init__(self) -> None: ...
    name: str
    targets: list[TargetSpec]
    routing: RoutingSpec
    health: HealthSpec
    drain_ns: int
    metered: bool
    groups: list[TargetGroupSpec]
    cross_zone: bool
    nodes: int
    slow_start_ns: int
    surge_queue: int
    stickiness_ns: int
    idle_timeout_ns: int
    connect_timeout_ns: int
    dns_ttl_ns: int
    capacity: CapacitySpec
    own_answers: list[OwnAnswerSpec]
    connections: ConnectionsSpec
    split: SplitSpec
    application_cookie: bool
    cookie_renewed: bool
    group_stickiness_ns: int
    listener_of: int
