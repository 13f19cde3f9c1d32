"""The table of instance types and its reader.

The facts in `instance_types.csv` are the provider's public specifications and its list prices as
`PRICES` says; docs/models.md has the rows that come from elsewhere. An empty cell is something that
the type does not have, that is not sold, or that is not published.
"""

import csv
import functools
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Any, TypeVar

from nephoscope.errors import CatalogError, shorten
from nephoscope.nearest import listing, nearest

T = TypeVar("T")

# By the letters that a name begins with.
FAMILIES = {
    "m": "general purpose",
    "c": "compute optimised",
    "r": "memory optimised",
    "x": "memory optimised",
    "p": "accelerated",
    "g": "accelerated",
    "inf": "accelerated",
    "trn": "accelerated",
    "i": "storage optimised",
    "im": "storage optimised",
    "d": "storage optimised",
    "t": "burstable",
}
BURSTABLE = "burstable"

# Of T2 and of Graviton a vCPU is a core: that is in the letters after the generation.
_CORES = re.compile(r"t2|a1|[a-z]+[0-9]+g[a-z]*")

PRICES = "us-east-1, on demand, 2023-08-30"

# Of m5, whose vCPU is the reference.
REFERENCE_CLOCK_GHZ = 3.1


@dataclass(frozen=True, slots=True)
class InstanceTypeFacts:
    """What is published of an instance type; rates are in bits, prices in US dollars."""

    name: str
    vcpus: int
    memory_gib: float
    hypervisor: str
    architecture: str
    clock_ghz: float
    network_baseline_gbps: float | None
    network_peak_gbps: float
    disks: int
    disk_gb: int | None
    disk_kind: str | None
    accelerators: int
    accelerator: str | None
    accelerator_memory_gib: int | None
    ebs_baseline_mbps: int | None
    ebs_peak_mbps: int | None
    linux_usd_per_hour: float
    windows_usd_per_hour: float | None

    @property
    def prefix(self) -> str:
        """The name without the size: `m5` of `m5.large`."""
        return self.name.partition(".")[0]

    @property
    def family(self) -> str:
        """What the type is made for, by the letters that its name begins with."""
        letters = len(self.name) - len(self.name.lstrip("abcdefghijklmnopqrstuvwxyz"))
        return FAMILIES[self.name[:letters]]

    @property
    def burstable(self) -> bool:
        """Whether full use of the vCPUs spends CPU credits."""
        return self.family == BURSTABLE

    @property
    def speed(self) -> float:
        """Of one vCPU, in vCPUs of m5: its clock over m5's clock of 3.1 GHz, and nothing else.

        A newer core does more in a cycle, but no published figure says how much more for every
        load, so there is no factor for the generation or the architecture.
        """
        return self.clock_ghz / REFERENCE_CLOCK_GHZ

    def to_dict(self) -> dict[str, Any]:
        """Every fact with the unit in its key, for programs; an empty cell is None."""
        derived = {"name": self.name, "family": self.family}
        return {**derived, **asdict(self), "speed": self.speed}


def types() -> tuple[InstanceTypeFacts, ...]:
    """Every type, by family and size."""
    return tuple(_by_name().values())


def find(name: str) -> InstanceTypeFacts:
    """The type of that name; raises CatalogError, with the nearest name, where there is none."""
    known = _by_name()
    if name in known:
        return known[name]
    sizes = [other for other in known if other.startswith(f"{name.partition('.')[0]}.")]
    allowed = listing(sizes) or "a name that `nephoscope catalog` lists"
    message = f"no instance type {shorten(name)} in the catalogue"
    raise CatalogError(message, allowed, nearest(name, sizes) or nearest(name, known))


def select(family: str) -> tuple[InstanceTypeFacts, ...]:
    """The types of a family (`memory optimised`, or its first word), a prefix (`m5`) or a name.

    Raises CatalogError, with the nearest word, where there are none.
    """
    words = {facts: _words(facts) for facts in types()}
    found = tuple(facts for facts in words if family in words[facts])
    if found:
        return found
    known = dict.fromkeys(word for each in words.values() for word in each)
    allowed = f"{', '.join(dict.fromkeys(FAMILIES.values()))}, or a prefix such as m5"
    raise CatalogError(f"no family {shorten(family)}", allowed, nearest(family, known))


def vcpus_are_cores(name: str) -> bool:
    """Whether a vCPU of the type is a core and no thread: of T2 and of Graviton."""
    return _CORES.fullmatch(name.partition(".")[0]) is not None


def _words(facts: InstanceTypeFacts) -> tuple[str, ...]:
    return facts.family, facts.family.split()[0], facts.prefix, facts.name


@functools.cache
def _by_name() -> dict[str, InstanceTypeFacts]:
    table = resources.files("nephoscope.catalog").joinpath("instance_types.csv")
    rows = csv.DictReader(table.read_text(encoding="utf-8").splitlines(), strict=True)
    return {row["name"]: _facts(row) for row in rows}


def _facts(row: dict[str, str]) -> InstanceTypeFacts:
    return InstanceTypeFacts(
        name=row["name"],
        vcpus=int(row["vcpus"]),
        memory_gib=float(row["memory_gib"]),
        hypervisor=row["hypervisor"],
        architecture=row["architecture"],
        clock_ghz=float(row["clock_ghz"]),
        network_baseline_gbps=or_none(float, row["network_baseline_gbps"]),
        network_peak_gbps=float(row["network_peak_gbps"]),
        disks=int(row["disks"]),
        disk_gb=or_none(int, row["disk_gb"]),
        disk_kind=or_none(str, row["disk_kind"]),
        accelerators=int(row["accelerators"]),
        accelerator=or_none(str, row["accelerator"]),
        accelerator_memory_gib=or_none(int, row["accelerator_memory_gib"]),
        ebs_baseline_mbps=or_none(int, row["ebs_baseline_mbps"]),
        ebs_peak_mbps=or_none(int, row["ebs_peak_mbps"]),
        linux_usd_per_hour=float(row["linux_usd_per_hour"]),
        windows_usd_per_hour=or_none(float, row["windows_usd_per_hour"]),
    )


def or_none(read: Callable[[str], T], cell: str) -> T | None:
    """What a cell says; an empty one says nothing."""
    return read(cell) if cell else None
