"""The table of host types: whole machines, by the names under which they are rented bare.

The facts in `host_types.csv` are the provider's public specifications.
"""

import csv
import functools
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Any

from nephoscope.catalog.instance_types import REFERENCE_CLOCK_GHZ, or_none
from nephoscope.errors import CatalogError, shorten
from nephoscope.nearest import listing, nearest


@dataclass(frozen=True, slots=True)
class HostTypeFacts:
    """What is published of a host type; cores are of a socket, rates in bits."""

    name: str
    sockets: int
    cores: int
    threads_per_core: int
    clock_ghz: float
    memory_gib: float
    network_gbps: float
    disks: int
    disk_gb: int | None
    disk_kind: str | None
    accelerators: int
    accelerator: str | None

    @property
    def threads(self) -> int:
        """Hardware threads of the whole host, each of which can be a vCPU."""
        return self.sockets * self.cores * self.threads_per_core

    def to_dict(self) -> dict[str, Any]:
        """Every fact with the unit in its key, for programs."""
        return {**asdict(self), "threads": self.threads, "speed": self.speed}

    @property
    def speed(self) -> float:
        """Of one thread, in vCPUs of m5: its clock over m5's."""
        return self.clock_ghz / REFERENCE_CLOCK_GHZ


def hosts() -> tuple[HostTypeFacts, ...]:
    """Every host type, by family."""
    return tuple(_by_name().values())


def select_hosts(family: str | None = None) -> tuple[HostTypeFacts, ...]:
    """The host types of a prefix such as `m5`, of a name, or all; CatalogError if none fits."""
    if family is None:
        return hosts()
    found = tuple(it for it in hosts() if family in (it.name, it.name.partition(".")[0]))
    if not found:
        prefixes = [it.name.partition(".")[0] for it in hosts()]
        message = f"no host type of {shorten(family)} in the catalogue"
        raise CatalogError(message, listing(prefixes, 20), nearest(family, prefixes))
    return found


def find_host(name: str) -> HostTypeFacts:
    """The host type of that name; raises CatalogError, with the nearest, where there is none."""
    known = _by_name()
    if name in known:
        return known[name]
    message = f"no host type {shorten(name)} in the catalogue"
    raise CatalogError(message, listing(known, 20), nearest(name, known))


@functools.cache
def _by_name() -> dict[str, HostTypeFacts]:
    table = resources.files("nephoscope.catalog").joinpath("host_types.csv")
    rows = csv.DictReader(table.read_text(encoding="utf-8").splitlines(), strict=True)
    return {row["name"]: _facts(row) for row in rows}


def _facts(row: dict[str, str]) -> HostTypeFacts:
    return HostTypeFacts(
        name=row["name"],
        sockets=int(row["sockets"]),
        cores=int(row["cores"]),
        threads_per_core=int(row["threads_per_core"]),
        clock_ghz=float(row["clock_ghz"]),
        memory_gib=float(row["memory_gib"]),
        network_gbps=float(row["network_gbps"]),
        disks=int(row["disks"]),
        disk_gb=or_none(int, row["disk_gb"]),
        disk_kind=or_none(str, row["disk_kind"]),
        accelerators=int(row["accelerators"]),
        accelerator=or_none(str, row["accelerator"]),
    )
