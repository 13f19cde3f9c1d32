"""Hosts: the machines that tenants share, and who shares them out."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Strict, model_validator

from nephoscope import catalog
from nephoscope.catalog import REFERENCE_CLOCK_GHZ
from nephoscope.errors import CatalogError, shorten
from nephoscope.scenario.language.fields import (
    Name,
    PositiveBandwidth,
    PositiveSize,
    Scalar,
    not_empty,
    number,
    refusal,
    whole,
)
from nephoscope.scenario.language.model import Model
from nephoscope.scenario.language.named_type import NamedType
from nephoscope.scenario.units import Bandwidth, Size

_CUSTOM = "a custom type such as {cores: 16, threads_per_core: 2, memory: 64GiB}"
_CLOCK = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?) ?(GHz|MHz)")
_CLOCKS = "a clock such as 3.1GHz or 2500MHz"

HOSTS_MAX = 1_048_576


def _read_clock(value: Any) -> float:
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        hint = f"{shorten(value)}GHz" if plain else None
        raise refusal(f"{shorten(value)} is not a clock", _CLOCKS, hint)
    clock = float(match[1]) / (1.0 if match[2] == "GHz" else 1000.0)
    if not 0.001 <= clock <= 1000.0:
        raise refusal(f"{shorten(value)} is out of range", "a clock from 1MHz to 1000GHz")
    return clock


Clock = Annotated[
    float,
    Scalar(
        _read_clock,
        {"type": "string", "pattern": f"^{_CLOCK.pattern}$"},
        lambda ghz: f"{ghz:.12g}GHz",
    ),
]


def _facts(name: Any) -> catalog.HostTypeFacts:
    if not isinstance(name, str):
        raise refusal(f"{shorten(name)} is not a host type", f"a name, or {_CUSTOM}")
    try:
        return catalog.find_host(name)
    except CatalogError as error:
        allowed = f"{error.allowed}; or {_CUSTOM}"
        raise refusal(error.message, allowed, error.suggestion) from None


def _host_name() -> Scalar:
    names = [facts.name for facts in catalog.hosts()]
    return Scalar(lambda value: _facts(value).name, {"enum": names})


class HostType(NamedType):
    """A host type of the catalogue, or a machine in full."""

    type: Annotated[str, _host_name()] | None = None
    """Name of a host type in the catalogue, which brings all that follows."""
    sockets: Annotated[int, whole(1, 16)] = 1
    cores: Annotated[int, whole(1, 1024)] = 1
    """Of a socket."""
    threads_per_core: Annotated[int, whole(1, 8)] = 1
    clock: Clock = REFERENCE_CLOCK_GHZ
    """A thread at 3.1GHz does the work of one reference vCPU."""
    memory: PositiveSize = Size(2**40)
    network: PositiveBandwidth | None = None
    """What all instances of a host share by weight; without, each has what its type has."""
    gpu: Annotated[int, whole(0, 1024)] = 0
    """Accelerators of a host: an instance finds room where as many as it has are free."""
    disk: Annotated[int, whole(0, 1024)] = 0
    """Local disks of a host, of which instances are given whole ones."""

    custom = _CUSTOM

    @classmethod
    def brought_by(cls, name: Any) -> dict[str, Any]:
        """What a host of a type in the catalogue has."""
        facts = _facts(name)
        return {
            "sockets": facts.sockets,
            "cores": facts.cores,
            "threads_per_core": facts.threads_per_core,
            "clock": f"{facts.clock_ghz:g}GHz",
            "memory": Size(round(facts.memory_gib * 2**30)),
            "network": Bandwidth(round(facts.network_gbps * 125_000_000)),
            "gpu": facts.accelerators,
            "disk": facts.disks,
        }

    @property
    def threads(self) -> int:
        """Hardware threads of a host."""
        return self.sockets * self.cores * self.threads_per_core

    @property
    def speed(self) -> float:
        """Of one thread; the reference vCPU is 1."""
        return self.clock / REFERENCE_CLOCK_GHZ


class Hosts(Model):
    """A pool of equal hosts under one scheduler."""

    count: Annotated[int, whole(1, HOSTS_MAX)] = 1
    type: HostType
    scheduler: Literal["fluid", "fair", "credit", "pinned"] = "fluid"
    """How the CPU of a host is shared: fluid is weighted max-min fairness at every instant, fair
    gives slices by virtual deadlines, credit is Xen's by its published rules, pinned gives a thread
    of its own to every vCPU."""
    core_scheduling: bool = False
    """fair: the threads of a core run vCPUs of one tenant only."""
    cpu_overcommit: Annotated[float, number(0.01, 1000.0)] = 1.0
    """vCPUs that may be placed on a host for each of its threads."""
    smt_gain: Annotated[float, number(0.0, 1.0)] = 1.0
    """What a busy thread beyond the first adds to its core, in cores."""
    place: Literal["first_fit", "best_fit", "worst_fit", "random", "spread"] = "first_fit"
    """On which host an instance is launched: the first with room, the fullest, the emptiest, any,
    or the one with the fewest of its fleet."""
    zone: Name | None = None
    """The availability zone that all hosts are in, by default a."""
    zones: Annotated[tuple[Name, ...], Strict(False), AfterValidator(not_empty)] | None = None
    """In place of `zone`: the zones to which the hosts are dealt in turn."""
    racks: Annotated[int, whole(1, HOSTS_MAX)] = 1
    """Racks in each zone, to which its hosts are dealt in turn."""

    @model_validator(mode="after")
    def _fits_its_scheduler(self) -> Self:
        if self.core_scheduling and self.scheduler != "fair":
            raise refusal("core_scheduling is of the scheduler fair alone", "scheduler: fair")
        if self.scheduler == "pinned" and self.cpu_overcommit > 1.0:
            message = "pinned gives every vCPU a thread of its own: they cannot be overcommitted"
            raise refusal(message, "cpu_overcommit of 1 or less, or another scheduler")
        return self

    tenant: Name | None = None
    """Dedicated hosts: allocated to this tenant, whose fleets of tenancy host they take alone, and
    billed whatever runs on them."""
    usd_per_hour: Annotated[float, number(0.0, 1e6)] | None = None
    """What a dedicated host costs."""

    @model_validator(mode="after")
    def _is_paid_for(self) -> Self:
        if (self.tenant is None) != (self.usd_per_hour is None):
            message = "tenant and usd_per_hour belong together: they are of dedicated hosts"
            raise refusal(message, "both, or neither")
        return self

    @model_validator(mode="after")
    def _one_word_for_zones(self) -> Self:
        if self.zone is not None and self.zones is not None:
            raise refusal("zone beside zones", "one of the two")
        return self

    @property
    def all_zones(self) -> tuple[str, ...]:
        """The zones of its hosts."""
        return self.zones or (self.zone or "a",)
