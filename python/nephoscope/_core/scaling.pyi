"""Scaling: policies in the specification of a world, and what they are made of as parts."""

import enum
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

class Metric(enum.Enum):
    cpu = 0
    requests_per_target = 1
    network = 2
    backlog_per_instance = 3
    network_in = 4
    network_out = 5

class PolicyKind(enum.Enum):
    target_tracking = 0
    step = 1
    simple = 2
    alarm = 3

class Adjustment(enum.Enum):
    change = 0
    percent = 1
    exact = 2

@final
class StepAdjustment:
    def __init__(self) -> None: ...
    lower: float
    upper: float
    change: float

@final
class ScalingPolicySpec:
    def __init__(self) -> None: ...
    kind: PolicyKind
    metric: Metric
    queue: int
    target: float
    low: float
    scales_in: bool
    low_periods: int
    threshold: float
    above: bool
    adjustment: Adjustment
    steps: list[StepAdjustment]
    least_change: int
    periods: int
    datapoints: int
    warmup_ns: int
    cooldown_ns: int
    name: str

@final
class PredictiveSpec:
    def __init__(self) -> None: ...
    metric: Metric
    target: float
    acts: bool
    lifts_max: bool
    max_buffer: float
    buffer_ns: int
    history: list[float]

@final
class ScheduledChange:
    def __init__(self) -> None: ...
    at_ns: int
    min: int
    max: int
    desired: int

@final
class ScalingSpec:
    def __init__(self) -> None: ...
    active: bool
    min: int
    max: int
    period_ns: int
    delay_ns: int
    policies: list[ScalingPolicySpec]
    predictive: list[PredictiveSpec]
    schedule: list[ScheduledChange]

@final
class ScalingGroup:
    def __init__(self, spec: ScalingSpec) -> None: ...
    def observe(self, policy: int, value: float | None) -> None: ...
    def decide(
        self,
        desired: int,
        warm: int,
        warming: int,
        changing: bool,
        settled_ns: int,
        now_ns: int,
    ) -> int: ...
    @property
    def min(self) -> int: ...
    @property
    def max(self) -> int: ...

@final
class Forecast:
    def __init__(self) -> None: ...
    def add_hours(self, loads: ArrayLike) -> None: ...
    def next(self, hours: int) -> NDArray[np.float64]: ...
    @property
    def ready(self) -> bool: ...
    @property
    def season(self) -> int: ...
    @property
    def hours(self) -> int: ...
