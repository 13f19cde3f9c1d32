"""Fleets of instances."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    Strict,
    ValidationInfo,
    field_validator,
    model_validator,
)

from nephoscope import catalog
from nephoscope.catalog.buckets import leaving_region
from nephoscope.errors import CatalogError
from nephoscope.scenario.language.allocation import FIELDS_OF_TYPES, refuse_beside_types
from nephoscope.scenario.language.arrivals import NoOptions
from nephoscope.scenario.language.cpu_credits import CpuCredits
from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.language.fields import (
    AnyDuration,
    Name,
    PositiveBandwidth,
    PositiveDuration,
    not_empty,
    number,
    refusal,
    whole,
)
from nephoscope.scenario.language.instance_type import InstanceType
from nephoscope.scenario.language.life import Durations, Purchase
from nephoscope.scenario.language.membership import (
    Health,
    Hooks,
    Lifetime,
    Protection,
    Replacement,
    TerminationPolicy,
    WarmPool,
    ZoneBalance,
)
from nephoscope.scenario.language.model import Model
from nephoscope.scenario.language.refresh import NewInstances, Refresh
from nephoscope.scenario.language.scaling import Alarm, Bounds, Count, Metrics, Policy
from nephoscope.scenario.language.system_name import SystemName
from nephoscope.scenario.language.volume import ElasticAddress, Volume
from nephoscope.scenario.units import Duration


class Cap(Model):
    """What an instance may use of its vCPUs: a bucket that is filled anew every period."""

    vcpus: Annotated[float, number(0.0, 4096.0, open_low=True)] | None = None
    quota: PositiveDuration | None = None
    """vCPU time a period; in place of `vcpus`, which is the same divided by the period."""
    period: PositiveDuration = Duration(100_000_000)

    bare = "vcpus"

    @model_validator(mode="after")
    def _period_is_usual(self) -> Self:
        if not 1_000_000 <= int(self.period) <= 1_000_000_000:
            raise refusal(f"a period of {self.period} is out of range", "1ms to 1s")
        return self

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if (self.vcpus is None) == (self.quota is None):
            raise refusal("needs vcpus or quota", "a number of vCPUs, or {quota, period}")
        return self

    @property
    def quota_ns(self) -> int:
        """VCPU time a period."""
        if self.quota is not None:
            return int(self.quota)
        assert self.vcpus is not None
        return max(round(self.vcpus * int(self.period)), 1)


class Interference(Model):
    """What an instance does to its neighbours in caches and memory bandwidth, and they to it."""

    pressure: Annotated[float, number(0.0, 1000.0)] = 0.0
    """What one running vCPU takes of the caches and the memory bandwidth of a socket."""
    sensitivity: Annotated[float, number(0.0, 1000.0)] = 0.0
    """Where the neighbours take all, work takes 1 + sensitivity times as long."""

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.pressure == self.sensitivity == 0.0:
            raise refusal("neither pressure nor sensitivity", "one of them, or no interference")
        return self


class PlacementGroup(Model):
    """Instances that stand near to each other, or apart; fleets may share one by its name."""

    group: Name
    strategy: Literal["cluster", "partition", "spread"]
    """cluster: one zone, and racks together; partition: partitions that share no rack; spread:
    each instance on a rack of its own, at most seven a zone."""
    partitions: Annotated[int, whole(1, 7)] | None = None
    """Of a partition group."""

    @model_validator(mode="after")
    def _counts_partitions(self) -> Self:
        if (self.partitions is None) == (self.strategy == "partition"):
            raise refusal("partitions belong to the strategy partition", "1 to 7, and only there")
        return self


class Fleet(Model):
    """Instances of one type, or of several, that run one service."""

    service: Name
    instance_type: InstanceType = InstanceType()
    other_types: Annotated[tuple[InstanceType, ...], Strict(False)] = ()
    """Types that its instances are of as well, after the first in order of priority: each launch
    tries one after the other."""
    count: Count = 1
    """A number, or the bounds that scaling keeps."""
    hosts: Name | None = None
    """The hosts that its instances are placed on; without, each has capacity of its own."""
    zones: Annotated[tuple[Name, ...], Strict(False), AfterValidator(not_empty)] | None = None
    """Availability zones of the hosts that its instances may be in; by default all."""
    tenant: Name = "main"
    """The account that it belongs to."""
    tenancy: Literal["shared", "dedicated", "host"] = "shared"
    """dedicated: only with instances of the same tenant on a host; host: on hosts that are the
    tenant's own, and billed in place of its instances."""
    placement: PlacementGroup | None = None
    weight: Annotated[float, number(0.0, 65_536.0, open_low=True)] | None = None
    """Of an instance among the tenants of its host; 256 is normal."""
    reservation: Annotated[float, number(0.0, 4096.0)] | None = None
    """vCPUs that an instance gets whenever it wants them."""
    cap: Cap | None = None
    interference: Interference | None = None
    """By default it neither presses on its neighbours nor feels them."""
    os: SystemName = "linux"
    """Decides how long an instance takes to boot, and its price."""
    cpu_credits: CpuCredits | None = None
    """Of a burstable type: whether an empty balance holds it to its baseline, or is paid for."""
    volume: Volume | None = None
    """Of a type of the catalogue without local disks; by default it gives what the type can use, at
    3,000 operations a second."""
    elastic_address: ElasticAddress | None = None
    """A public IPv4 address of each instance, on the bill in every state; by default there is none
    on the bill."""
    flow_limit: PositiveBandwidth | None = None
    """Of a single transfer over the network, by default none; 5Gbps in life, 10Gbps in a
    cluster."""
    leaves_region: bool = False
    """Its transfers leave the region or pass the internet gateway: with 32 vCPUs or more they have
    half of the bandwidth of its type, else at most 5Gbps."""
    boot: Distribution | None = None
    """From the launch of an instance until it serves, in place of what its system takes."""
    durations: Durations | None = None
    initially: Literal["running", "pending"] = "running"
    """Whether the first instances have booted when the clock starts."""
    purchase: Purchase = Purchase(on_demand=NoOptions())
    allocation: Literal["prioritized", "lowest_price"] | None = None
    """Of several types: which a launch on demand tries first, by default prioritized; on spot they
    are tried by price."""
    hibernation: bool = False
    """Whether its instances may hibernate."""
    scaling: Annotated[tuple[Policy, ...], Strict(False)] = ()
    """Policies that change the number of its instances."""
    alarms: dict[Name, Alarm] = Field(default_factory=dict)
    """By name: alarms that change nothing by themselves, for its refresh to look at."""
    metrics: Metrics | None = None
    cooldown: AnyDuration | None = None
    """Of simple scaling, by default 5m: from the end of one change until the next."""
    instance_warmup: AnyDuration | None = None
    """From entering service until an instance counts for its policies; by default the cooldown."""
    refresh: Refresh | None = None
    """At a set time all its instances are replaced."""
    termination_policy: TerminationPolicy = "default"
    """Which instances leave when the fleet shrinks; zones are levelled first."""
    zone_balance: ZoneBalance | None = None
    """Whether launches go to the zone with the fewest instances, and what comes of one that is
    refused there; by default best_effort where count has bounds, else off."""
    health: Health = Health()
    replacement: Replacement | None = None
    """Whether who is replaced leaves before another is launched, or when another serves."""
    scale_in_protection: Protection = 0
    """Instances that stay when the fleet shrinks: all, or so many."""
    max_lifetime: Lifetime | None = None
    """After which an instance is replaced."""
    warm_pool: WarmPool | None = None
    hooks: Hooks | None = None

    @field_validator("other_types")
    @classmethod
    def _types_differ(
        cls, others: tuple[InstanceType, ...], known: ValidationInfo
    ) -> tuple[InstanceType, ...]:
        first = known.data.get("instance_type")
        kinds = [first, *others] if others and first is not None else list(others)
        for i, kind in enumerate(kinds):
            if kind in kinds[:i]:
                raise refusal(f"{kind.known_as or 'a type'} is there twice", "each type once")
            if kind.burstable:
                raise refusal("burstable types stay among themselves", "types without CPU credits")
        return others

    @field_validator(*FIELDS_OF_TYPES)
    @classmethod
    def _goes_with_its_types(cls, value: Any, known: ValidationInfo) -> Any:
        assert known.field_name is not None
        refuse_beside_types(known.field_name, value, known.data)
        return value

    @model_validator(mode="after")
    def _is_sold(self) -> Self:
        for make in self.makes_at_once:
            if make.instance_type.type is None:
                continue
            try:
                catalog.price(make.instance_type.type, self.os, tenancy=self.tenancy)
            except CatalogError as error:
                raise refusal(error.message, error.allowed) from None
        return self

    @model_validator(mode="after")
    def _bursts(self) -> Self:
        if self.cpu_credits is not None and not self.instance_type.burstable:
            raise refusal("cpu_credits are of burstable types", "t2, t3 and t4g, or no cpu_credits")
        mode = self.cpu_credits and self.cpu_credits.mode
        if self.tenancy == "host" and mode == "unlimited":
            raise refusal("dedicated hosts have no unlimited credits", "standard")
        if self.tenancy == "host" and self.placement is not None:
            raise refusal("dedicated hosts are in no placement group", "no placement")
        if self.tenancy == "host" and self.purchase.spot is not None:
            raise refusal("there is no spot on dedicated hosts", "purchase: on_demand")
        cluster = self.placement is not None and self.placement.strategy == "cluster"
        if cluster and self.instance_type.burstable:
            raise refusal("burstable types cannot be in a cluster", "another strategy or type")
        return self

    @model_validator(mode="after")
    def _has_a_volume(self) -> Self:
        for kind in (self.instance_type, *self.other_types):
            if self.volume is not None and (kind.type is None or kind.disk.count != 0):
                what = "its disks are local" if kind.type else "a custom type has a disk of its own"
                raise refusal(f"volume: {what}", "a type of the catalogue without local disks")
        return self

    @model_validator(mode="after")
    def _lives(self) -> Self:
        spot = self.purchase.spot
        if spot is not None and spot.behaviour == "hibernate" and not self.hibernation:
            raise refusal("its instances cannot hibernate", "hibernation: true beside it")
        priced = spot is not None and (spot.discount is not None or spot.prices is not None)
        if priced and self.instance_type.type is None:
            raise refusal("a custom type has no price to discount", "a type of the catalogue")
        told = self.durations or Durations()
        if self.boot is not None and (told.boot is not None or told.pending is not None):
            raise refusal("boot is given twice", "boot, or durations with pending and boot")
        return self

    @model_validator(mode="after")
    def _renews(self) -> Self:
        if self.refresh is not None and self.refresh.to is not None:
            self.renewed(self.refresh.to)
        return self

    def renewed(self, to: NewInstances) -> Self:
        """The same fleet of other instances, by all its rules."""
        if self.other_types:
            raise refusal("instances of several types keep them", "no to")
        if self.purchase.spot is not None and self.purchase.spot.mixed:
            raise refusal("instances that are bought both ways keep their type", "no to")
        if self.purchase.spot is not None and self.purchase.spot.prices is not None:
            raise refusal("prices are those of one type: its instances keep it", "no to")
        written = self.model_dump(exclude_unset=True)
        for key in ("refresh", *(() if to.instance_type is None else ("cpu_credits",))):
            written.pop(key, None)
        return self.model_validate(written | to.model_dump(exclude_unset=True))

    @property
    def network(self) -> catalog.BurstFacts:
        """Of an instance, each way."""
        link, vcpus = self.instance_type.network.facts, self.instance_type.vcpus
        return leaving_region(link, vcpus) if self.leaves_region else link

    @property
    def disk_bandwidth(self) -> catalog.BurstFacts:
        """Of the disks of an instance together, or its volume."""
        link = self.instance_type.disk.facts
        return link if self.volume is None else self.volume.behind(link)

    @property
    def disk_iops(self) -> int:
        """The same, operations a second."""
        return self.instance_type.disk.iops if self.volume is None else self.volume.iops

    @property
    def makes(self) -> list[Self]:
        """All that its instances may be: of each of its types, or as a refresh changes them."""
        to = None if self.refresh is None else self.refresh.to
        return self.makes_at_once if to is None else [self, self.renewed(to)]

    @property
    def makes_at_once(self) -> list[Self]:
        """As its instances are of each of its types, in order of priority."""
        return [
            self,
            *(self.model_copy(update={"instance_type": kind}) for kind in self.other_types),
        ]

    @property
    def paid(self) -> list[bool]:
        """Of a spot fleet with prices, whether each of them is no more than it pays."""
        spot = self.purchase.spot
        if spot is None or spot.prices is None:
            return []
        assert self.instance_type.type is not None
        usual = catalog.price(self.instance_type.type, self.os, tenancy=self.tenancy)
        most = spot.max_price
        if most is None:
            most = usual.usd_per_hour - usual.licence_usd_per_hour
        return [usd <= most for _, usd in spot.prices]

    @property
    def interrupted(self) -> bool:
        """Whether the provider ever takes an instance back."""
        spot = self.purchase.spot
        return spot is not None and (spot.interruption is not None or not all(self.paid))

    @property
    def first(self) -> int:
        """Instances at the start."""
        return self.count.first if isinstance(self.count, Bounds) else self.count

    @property
    def most(self) -> int:
        """Instances that there may be."""
        return self.count.max if isinstance(self.count, Bounds) else self.count

    @property
    def credit_mode(self) -> str:
        """Of a burstable type: as told, or as its family has it."""
        kind = self.instance_type.type
        assert kind is not None
        usual = "standard" if self.tenancy == "host" else catalog.cpu_credits(kind).default_mode
        return usual if self.cpu_credits is None else self.cpu_credits.mode
