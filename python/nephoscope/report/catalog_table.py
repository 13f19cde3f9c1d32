"""The catalogue for a terminal: a table for each family."""

from collections.abc import Iterable
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from nephoscope.catalog import PRICES, HostTypeFacts, InstanceTypeFacts
from nephoscope.catalog.devices import accelerator_speed
from nephoscope.report.terminal import plain_table

_COLUMNS = ("vCPUs", "GiB", "GHz", "speed", "Gbit/s")
_PRICES = ("Linux $/h", "Windows $/h")


def print_types(types: Iterable[InstanceTypeFacts], console: Console) -> None:
    """The types with what a person compares; the tables of a family stay together."""
    types = list(types)
    for family, members in groupby(types, key=lambda facts: facts.family):
        console.print(_family(family, list(members)))
        console.print()
    for note in _notes(types):
        console.print(Text(note, style="dim"))


def print_hosts(hosts: Iterable[HostTypeFacts], console: Console) -> None:
    """The host types, each a whole machine."""
    hosts = list(hosts)
    columns = ("sockets", "cores", "threads", "GiB", "GHz", "speed", "Gbit/s", "disks")
    table = plain_table("hosts", [*columns, "accelerators"])
    for facts in hosts:
        table.add_row(
            facts.name,
            str(facts.sockets),
            str(facts.sockets * facts.cores),
            str(facts.threads),
            f"{facts.memory_gib:g}",
            f"{facts.clock_ghz:g}",
            f"{facts.speed:.2f}",
            f"{facts.network_gbps:g}",
            f"{facts.disks} x {facts.disk_gb} GB {facts.disk_kind}" if facts.disks else "-",
            f"{facts.accelerators} x {facts.accelerator}" if facts.accelerators else "-",
        )
    console.print(Padding(table, (0, 0, 0, 2), expand=False))
    note = "  speed: of a thread, in vCPUs of m5" if hosts else "no host has as much"
    console.print(Text(note, style="dim"))


def _family(family: str, types: list[InstanceTypeFacts]) -> Padding:
    # Most families have no disks or no accelerators, and a terminal is narrow.
    disks = ["disks"] * any(facts.disks for facts in types)
    accelerators = ["accelerators"] * any(facts.accelerators for facts in types)
    table = plain_table(family, [*_COLUMNS, *disks, *accelerators, *_PRICES])
    for facts in types:
        table.add_row(
            facts.name,
            str(facts.vcpus),
            f"{facts.memory_gib:g}",
            f"{facts.clock_ghz:g}",
            f"{facts.speed:.2f}",
            _network(facts),
            *[_disks(facts) for _ in disks],
            *[_accelerators(facts) for _ in accelerators],
            _price(facts.linux_usd_per_hour),
            _price(facts.windows_usd_per_hour),
        )
    return Padding(table, (0, 0, 0, 2), expand=False)


def _network(facts: InstanceTypeFacts) -> str:
    peak = f"{facts.network_peak_gbps:g}"
    if facts.network_baseline_gbps is None:
        return f"up to {peak}"
    baseline = f"{facts.network_baseline_gbps:g}"
    return peak if baseline == peak else f"{baseline} to {peak}"


def _disks(facts: InstanceTypeFacts) -> str:
    return f"{facts.disks} x {facts.disk_gb} GB {facts.disk_kind}" if facts.disks else "-"


def _accelerators(facts: InstanceTypeFacts) -> str:
    if not facts.accelerators:
        return "-"
    memory = f" {facts.accelerator_memory_gib} GiB" if facts.accelerator_memory_gib else ""
    return f"{facts.accelerators} x {facts.accelerator}{memory} ({accelerator_speed(facts):.2f})"


def _price(usd_per_hour: float | None) -> str:
    return "-" if usd_per_hour is None else f"{usd_per_hour:.4f}"


def _notes(types: list[InstanceTypeFacts]) -> Iterable[str]:
    if not types:
        yield "no type has as much"
        return
    yield f"  speed: of a vCPU, in vCPUs of m5; prices: {PRICES}"
    if any(facts.accelerators for facts in types):
        yield "  accelerators: in brackets the speed of one, in T4s"
    if any(facts.burstable for facts in types):
        yield "  burstable types run at full speed while they have CPU credits"
