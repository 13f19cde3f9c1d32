"""Parts of balancers in the specification of a world: structs of plain data."""

from typing import final

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
