"""Who was on which host: the fleets there, with what they ran and what they waited for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nephoscope.report.html.tables import ROWS_MAX, Table
from nephoscope.report.terminal import count, seconds
from nephoscope.results import Result

# Fleets have letters up to here; those who took less trouble nobody.
TENANTS_MAX = 12
# Hosts are told of in sentences up to here, and fleets in a sentence.
HOSTS_TOLD_MAX = 5
_TOLD_MAX = 6
# A cell of the map has room for so many marks.
_MARKS_MAX = 3
_OTHERS = "+"

Tree = Mapping[str, Any]


@dataclass(frozen=True)
class Tenant:
    """The instances of a fleet that are on a host, or were there at last."""

    fleet: str
    mark: str
    instances: int
    gone: int
    run_s: float
    steal_s: float

    @property
    def words(self) -> str:
        """How many of which fleet."""
        gone = f" ({count(self.gone)} gone)" if self.gone else ""
        return f"{self.fleet} {count(self.instances)}{gone}"

    @property
    def deeds(self) -> str:
        """What they took there, and how long they waited."""
        waited = f", waited {seconds(self.steal_s)}" if self.steal_s else ""
        return f"{self.words}, ran {seconds(self.run_s)}{waited}"


def marks_of(fleets: Iterable[str]) -> dict[str, str]:
    """A letter for each fleet, in this order, as long as there are some."""
    return {name: chr(ord("A") + i) for i, name in enumerate(fleets) if i < TENANTS_MAX}


def tenants_of(
    result: Result, marks: Mapping[str, str], fleets: Iterable[str]
) -> dict[int, list[Tenant]]:
    """By host, those of the fleets that are there, in their order."""
    found: dict[int, list[Tenant]] = {}
    for name in fleets:
        places = result.places(name)
        hosts = places["host"]
        columns = {
            "present": np.bincount(hosts, places["present"]),
            "all": np.bincount(hosts),
            "run": np.bincount(hosts, places["run_ns"]) / 1e9,
            "steal": np.bincount(hosts, places["steal_ns"]) / 1e9,
        }
        for host in np.flatnonzero(columns["all"]):
            here = {key: values[host] for key, values in columns.items()}
            gone = int(here["all"] - here["present"])
            mark = marks.get(name, _OTHERS)
            times = float(here["run"]), float(here["steal"])
            tenant = Tenant(name, mark, int(here["present"]), gone, *times)
            found.setdefault(int(host), []).append(tenant)
    return found


def marks_text(tenants: Iterable[Tenant]) -> str:
    """What a cell of the map says of them: letters, and how many instances each."""
    there = [it for it in tenants if it.instances]
    shown = [f"{it.mark}{count(it.instances)}" for it in there[:_MARKS_MAX]]
    return " ".join([*shown, *(["…"] if len(there) > _MARKS_MAX else [])])


def words_of(tenants: Iterable[Tenant]) -> str:
    """The fleets on a host."""
    return ", ".join(it.words for it in tenants)


def sentence(host: str, part: Tree, tenants: list[Tenant]) -> str:
    """What was stolen on a host, why, and who was there."""
    steal_s = part["steal_s"]
    cause = max(steal_s, key=lambda each: steal_s[each])
    words = f"host {host}: {seconds(sum(steal_s.values()))} of vCPU time stolen"
    words += f", {seconds(steal_s[cause])} of it by {cause}"
    told = [it.deeds for it in tenants[:_TOLD_MAX]]
    if (rest := len(tenants) - _TOLD_MAX) > 0:
        told.append(f"and {count(rest)} more fleets")
    return words + (f"; there: {'; '.join(told)}" if told else "")


def instance_table(result: Result, pool: str, fleets: Iterable[str]) -> Table:
    """On which host each instance is; those that waited the most first."""
    ranked: list[tuple[int, int, str, int]] = []
    launched = 0
    for order, name in enumerate(fleets):
        stolen = result.places(name)["steal_ns"]
        launched += len(stolen)
        first = np.argsort(-stolen, kind="stable")[:ROWS_MAX]
        ranked += [(-int(stolen[i]), order, name, int(i)) for i in first]
    rows = [_row(result, name, i) for _, _, name, i in sorted(ranked)[:ROWS_MAX]]
    rows += [("",)] * (launched - len(rows))  # no page shows them, but it says how many there are
    caption = f"Instances on hosts of {pool}, those that waited the most first"
    return Table(caption, ("instance", "host", "at the end", "ran", "steal"), rows)


def _row(result: Result, fleet: str, i: int) -> tuple[str, ...]:
    part = result[f"fleets.{fleet}.by_instance.{i}"]
    stolen = ", ".join(_causes(part["steal_s"])) or "-"
    there = "there" if part["present"] else "gone"
    host = part["host"].rpartition("/")[2]
    return f"{fleet} {i}", f"host {host}", there, seconds(part["run_s"]), stolen


def _causes(steal_s: Tree) -> Iterator[str]:
    for cause, value in steal_s.items():
        if value:
            yield f"{seconds(value)} by {cause}"
