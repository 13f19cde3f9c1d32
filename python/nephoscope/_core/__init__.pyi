"""The compiled core of nephoscope."""

import enum
from typing import Any, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nephoscope._core import balancers as balancers
from nephoscope._core import buckets as buckets
from nephoscope._core import devices as devices
from nephoscope._core import faults as faults
from nephoscope._core import hosts as hosts
from nephoscope._core import hypervisor as hypervisor
from nephoscope._core import life as life
from nephoscope._core import lifecycle as lifecycle
from nephoscope._core import math as math
from nephoscope._core import membership as membership
from nephoscope._core import patterns as patterns
from nephoscope._core import placement as placement
from nephoscope._core import queues as queues
from nephoscope._core import resilience as resilience
from nephoscope._core import routing as routing
from nephoscope._core import scaling as scaling
from nephoscope._core import service as service
from nephoscope._core import topics as topics
from nephoscope._core.hosts import BillingRule, BurstFacts, GroupSpec, InterferenceFacts
from nephoscope._core.life import ActionKind, ActionSpec, LaunchLimits, LifeSpec, QuotaSpec
from nephoscope._core.membership import MembershipSpec
from nephoscope._core.service import AdmissionRules, RefreshSpec

def span_names() -> list[str]: ...
def stream_key(seed: int, replication: int, name: str) -> tuple[int, int]: ...
def random_words(
    seed: int, replication: int, name: str, n: int, start: int = 0
) -> NDArray[np.uint64]: ...
def random_below(
    bound: int, seed: int, replication: int, name: str, n: int
) -> NDArray[np.uint32]: ...

class DistributionKind(enum.Enum):
    constant = 0
    exponential = 1
    lognormal = 2
    gamma = 3
    erlang = 4
    weibull = 5
    pareto = 6
    uniform = 7
    normal = 8
    hyperexponential = 9
    empirical = 10
    replay = 11

@final
class Distribution:
    def __init__(self) -> None: ...
    kind: DistributionKind
    mean: float
    shape: float
    @property
    def values(self) -> NDArray[np.float64]: ...
    @values.setter
    def values(self, values: ArrayLike) -> None: ...
    @property
    def weights(self) -> NDArray[np.float64]: ...
    @weights.setter
    def weights(self, values: ArrayLike) -> None: ...

def sample(
    distribution: Distribution,
    seed: int,
    replication: int,
    name: str,
    n: int,
    start: int = 0,
    visit: int = 0,
) -> NDArray[np.float64]: ...
def sample_at(
    distribution: Distribution,
    seed: int,
    replication: int,
    name: str,
    serials: ArrayLike,
    visit: int = 0,
    in_blocks: bool = False,
) -> NDArray[np.float64]: ...
def drawn_mean(distribution: Distribution) -> float: ...
def arrivals(
    spec: ArrivalSpec, seed: int, replication: int, name: str, n: int
) -> NDArray[np.int64]: ...

@final
class Histogram:
    def __init__(self) -> None: ...
    def record(self, value: int) -> None: ...
    def record_many(self, values: ArrayLike) -> None: ...
    def merge(self, other: Histogram) -> None: ...
    def quantile(self, p: float) -> int: ...
    def up_to(self, value: int) -> int: ...
    def pack(self) -> bytes: ...
    @staticmethod
    def unpack(data: bytes) -> Histogram: ...
    def summary(self) -> dict[str, float]: ...
    def buckets(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64]]: ...
    def copy(self) -> Self: ...
    @property
    def count(self) -> int: ...
    @property
    def sum(self) -> int: ...
    @property
    def sum_of_squares(self) -> int: ...
    @property
    def min(self) -> int: ...
    @property
    def max(self) -> int: ...
    @property
    def mean(self) -> float: ...
    @property
    def std(self) -> float: ...
    def __len__(self) -> int: ...

@final
class Series:
    def __init__(self, interval_ns: int) -> None: ...
    def add(self, time_ns: int, amount: int = 1) -> None: ...
    def add_many(self, times_ns: ArrayLike, amounts: ArrayLike) -> None: ...
    def push(self, value: int) -> None: ...
    def extend_to(self, time_ns: int) -> None: ...
    def merge(self, other: Series) -> None: ...
    def values(self) -> NDArray[np.int64]: ...
    def copy(self) -> Self: ...
    @property
    def interval_ns(self) -> int: ...
    def __len__(self) -> int: ...

# The specification of a world: structs of plain data. Vectors are assigned whole.

class ArrivalKind(enum.Enum):
    poisson = 0
    constant = 1
    mmpp = 2
    profile = 3
    instants = 4
    counts = 5
    closed = 6

@final
class ArrivalSpec:
    def __init__(self) -> None: ...
    kind: ArrivalKind
    rate: float
    users: int
    think: Distribution
    give_up: int
    @property
    def rates(self) -> NDArray[np.float64]: ...
    @rates.setter
    def rates(self, values: ArrayLike) -> None: ...
    @property
    def mean_stay_ns(self) -> NDArray[np.float64]: ...
    @mean_stay_ns.setter
    def mean_stay_ns(self, values: ArrayLike) -> None: ...
    @property
    def times_ns(self) -> NDArray[np.int64]: ...
    @times_ns.setter
    def times_ns(self, values: ArrayLike) -> None: ...
    @property
    def counts(self) -> NDArray[np.int64]: ...
    @counts.setter
    def counts(self, values: ArrayLike) -> None: ...

@final
class ClientSpec:
    def __init__(self) -> None: ...
    count: int
    zipf: float

class DestinationKind(enum.Enum):
    balancer = 0
    fleet = 1
    queue = 2
    topic = 3
    bus = 4

@final
class Destination:
    def __init__(self) -> None: ...
    kind: DestinationKind
    index: int

class StepKind(enum.Enum):
    compute = 0
    sleep = 1
    call = 2
    choose = 3
    fail = 4
    send = 5
    network = 6
    disk = 7
    memory = 8
    gpu = 9

@final
class StepSpec:
    def __init__(self) -> None: ...
    kind: StepKind
    demand: Distribution
    to: Destination
    timeout_ns: int
    resilience: int
    delay_ns: int
    group: int
    says: topics.EventChoice
    probability: float
    bytes: int
    ops: int
    inward: bool
    batch: int
    marginal: float
    branches: list[list[StepSpec]]
    @property
    def weights(self) -> NDArray[np.float64]: ...
    @weights.setter
    def weights(self, values: ArrayLike) -> None: ...

@final
class ServiceSpec:
    def __init__(self) -> None: ...
    name: str
    processor_sharing: bool
    concurrency: int
    backlog: int
    admission: AdmissionRules
    consumes: queues.ConsumeSpec
    steps: list[StepSpec]

class OnTimeout(enum.Enum):
    finish = 0
    abandon = 1

@final
class TrafficSpec:
    def __init__(self) -> None: ...
    name: str
    to: Destination
    arrivals: ArrivalSpec
    clients: ClientSpec
    timeout_ns: int
    on_timeout: OnTimeout
    resilience: int
    group: int
    says: topics.EventChoice
    rule: int

@final
class FreshSpec:
    def __init__(self) -> None: ...
    bytes: int
    rate: int
    loaded: int

@final
class AllocationSpec:
    def __init__(self) -> None: ...
    on_demand: list[int]
    spot: list[int]
    pools: int

@final
class FleetSpec:
    def __init__(self) -> None: ...
    name: str
    service: int
    count: int
    vcpus: int
    vcpus_are_cores: bool
    speed: float
    hosts: int
    memory: int
    accelerators: int
    disks: int
    counts_lives: bool
    network: devices.BurstRate
    flow_limit: int
    disk_bytes: devices.BurstRate
    disk_ops: devices.BurstRate
    fresh: FreshSpec
    accelerator_speed: float
    zones: int
    account: int
    tenancy: placement.Tenancy
    group: int
    weight: float
    reservation: float
    quota_ns: int
    period_ns: int
    pending: Distribution
    boot: Distribution
    burst: BurstFacts
    interference: InterferenceFacts
    initially: bool
    billing: BillingRule
    life: LifeSpec
    scaling: scaling.ScalingSpec
    refresh: RefreshSpec
    membership: MembershipSpec
    makes: list[FleetSpec]
    allocation: AllocationSpec

@final
class WorldSpec:
    def __init__(self) -> None: ...
    seed: int
    replication: int
    duration_ns: int
    warmup_ns: int
    series_ns: int
    traces: int
    traffic: list[TrafficSpec]
    resilience: list[resilience.ResilienceSpec]
    services: list[ServiceSpec]
    hosts: list[hosts.HostPoolSpec]
    groups: list[GroupSpec]
    fleets: list[FleetSpec]
    balancers: list[balancers.BalancerSpec]
    pipes: list[queues.PipeSpec]
    queue_actions: list[queues.QueueActionSpec]
    queues: list[queues.WorldQueueSpec]
    buses: list[topics.BusSpec]
    message_quotas: topics.MessageQuotas
    replays: list[topics.ReplaySpec]
    topics: list[topics.TopicSpec]
    quotas: list[QuotaSpec]
    apis: list[LaunchLimits]
    actions: list[ActionSpec]
    faults: list[faults.FaultSpec]

@final
class World:
    def __init__(self, spec: WorldSpec) -> None: ...
    def advance(self, until_ns: int) -> None: ...
    def advance_checked(self, until_ns: int) -> None: ...
    def check(self) -> None: ...
    @property
    def now_ns(self) -> int: ...
    @property
    def duration_ns(self) -> int: ...
    @property
    def events(self) -> int: ...
    def results(self) -> dict[str, Any]: ...
    def state(self) -> dict[str, Any]: ...
    def copy(self) -> World: ...
    def save(self) -> bytes: ...
    @staticmethod
    def restore(spec: WorldSpec, state: bytes, makes: list[Any] = ...) -> World: ...
    def set_rate(self, traffic: int, per_second: float) -> None: ...
    def set_count(self, fleet: int, count: int) -> None: ...
    def act(self, kind: ActionKind, fleet: int, count: int, replaced: bool = False) -> int: ...
    def migrate(self, instance: int, host: int, pause_ns: int) -> int: ...
    def protect(self, instance: int, on: bool) -> int: ...
    def add_make(self, fleet: int, make: FleetSpec) -> int: ...
    def begin_refresh(self, fleet: int, refresh: RefreshSpec) -> None: ...
    def set_routing(self, balancer: int, routing: routing.RoutingSpec) -> None: ...
    def set_weight(self, balancer: int, fleet: int, weight: float) -> None: ...
    def set_group_weight(self, balancer: int, group: int, weight: int) -> None: ...

@final
class EventQueue:
    def __init__(self) -> None: ...
    def push(self, times: ArrayLike, payloads: ArrayLike) -> None: ...
    def pop_before(self, time: int) -> tuple[NDArray[np.int64], NDArray[np.uint32]]: ...
    def hold(self, gaps: ArrayLike) -> int: ...
    def __len__(self) -> int: ...
