"""The hosts of a pool as a map of how busy they were, and who took whose share."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nephoscope.report.html import svg, tenants
from nephoscope.report.html.tables import Table
from nephoscope.report.html.tenants import Tenant
from nephoscope.report.terminal import count, seconds, share
from nephoscope.results import Result
from nephoscope.scenario import Scenario

_WIDTH = 760.0
_CELL, _CELL_SMALL, _GAP = 72.0, 22.0, 4.0
# How high a cell with words is, and one with marks of tenants too.
_HIGH, _HIGH_MARKED = 0.7, 0.95
# Beyond so many hosts their cells have no room for words.
_WORDS_MAX = 100
# vCPUs that waited, on average over the measured time, from which a cell is hatched.
_STEAL_FELT = 0.05
_STEPS = 5

Tree = Mapping[str, Any]


@dataclass(frozen=True)
class Pool:
    """A pool of hosts: its picture, the same as tables, and the tenants who share it."""

    name: str
    picture: str
    table: Table
    tenants: list[str]
    stolen: list[str]
    instances: Table | None
    unused: int


def pools(result: Result, scenario: Scenario | None) -> list[Pool]:
    """All pools of which hosts were used."""
    found: list[Pool] = []
    for name, tree in result["hosts"].items() if "hosts" in result.to_dict() else ():
        listed = tree["by_host"]
        if listed:
            hatch = f"hatch-{len(found)}"
            found.append(_pool(result, scenario, name, tree["hosts"] - len(listed), hatch))
    return found


def _pool(result: Result, scenario: Scenario | None, name: str, unused: int, hatch: str) -> Pool:
    listed = result[f"hosts.{name}.by_host"]
    waited = {i: _waited(host, result.measured_s) for i, host in listed.items()}
    taken = {} if scenario is None else _all_taken(result, scenario, name)
    marks = tenants.marks_of(taken)
    placed = [fleet for fleet in taken if "by_instance" in result[f"fleets.{fleet}"]]
    found = tenants.tenants_of(result, marks, placed)
    on = {i: found.get(int(i), []) for i in listed}
    felt = sorted((i for i in listed if waited[i] >= _STEAL_FELT), key=lambda i: -waited[i])
    told = [tenants.sentence(i, listed[i], on[i]) for i in felt[: tenants.HOSTS_TOLD_MAX]]
    return Pool(
        name,
        _picture(name, listed, waited, on, hatch=hatch),
        _table(name, listed, on),
        [] if scenario is None else list(_neighbours(result, scenario, taken, marks)),
        told,
        tenants.instance_table(result, name, placed) if placed else None,
        unused,
    )


def _waited(host: Tree, measured_s: float) -> float:
    """VCPUs of the host that waited for a thread, on average."""
    steal_s: float = sum(host["steal_s"].values())
    return steal_s / measured_s if measured_s else 0.0


def _picture(
    name: str,
    listed: Tree,
    waited: Mapping[str, float],
    on: Mapping[str, list[Tenant]],
    *,
    hatch: str,
) -> str:
    wordy = len(listed) <= _WORDS_MAX
    side = _CELL if wordy else _CELL_SMALL
    columns = max(int(_WIDTH // (side + _GAP)), 1)
    marked = any(on.values())
    high = side * ((_HIGH_MARKED if marked else _HIGH) if wordy else 1.0)
    cells = []
    for place, (i, host) in enumerate(listed.items()):
        x, y = place % columns * (side + _GAP), place // columns * (high + _GAP)
        stolen = f"url(#{hatch})" if waited[i] >= _STEAL_FELT else None
        cells.append(_cell(i, host, on[i], stolen, (x, y), (side, high)))
    rows = -(-len(listed) // columns)
    busiest = max(listed, key=lambda i: listed[i]["utilization"] or 0.0)
    label = (
        f"{len(listed):,} hosts of {name} by how busy they were; the busiest is host {busiest}, "
        f"{share(listed[busiest]['utilization'])}"
    )
    width = min(len(listed), columns) * (side + _GAP)
    return svg.picture(
        max(width, _WIDTH / 2), rows * (high + _GAP), label, _hatching(hatch), *cells, class_="heat"
    )


def _cell(
    i: str,
    host: Tree,
    here: list[Tenant],
    stolen: str | None,
    at: svg.Point,
    size: svg.Point,
) -> str:
    (x, y), (width, high) = at, size
    busy = host["utilization"] or 0.0
    step = min(int(busy * _STEPS), _STEPS - 1)
    words = f"host {i}: busy {share(busy)}, instances {count(host['instances'])}"
    if stolen is not None:
        words += f", steal {seconds(sum(host['steal_s'].values()))}"
    if here:
        words += f"; {tenants.words_of(here)}"
    box = {"x": x, "y": y, "width": width, "height": high, "rx": 4}
    inside = [svg.title(words)]
    if width == _CELL:
        inside.append(svg.element("rect", **box, class_=f"h{step}"))
    else:  # filled from below, for there is no room for a number
        inside.append(svg.element("rect", **box, class_="h0"))
        filled = {"y": y + high * (1.0 - min(busy, 1.0)), "height": high * min(busy, 1.0)}
        inside.append(svg.element("rect", **box | filled, class_="h3"))
    if stolen is not None:
        inside.append(svg.element("rect", **box, class_="stolen", fill=stolen))
    if width == _CELL:
        middle = x + width / 2
        inside.append(svg.text(f"{i}", middle, y + 18, class_=f"t{step} small"))
        inside.append(svg.text(share(busy), middle, y + 38, class_=f"t{step}"))
        if marks := tenants.marks_text(here):
            inside.append(svg.text(marks, middle, y + 57, class_=f"t{step} small"))
    return svg.element("g", *inside)


def _hatching(name: str) -> str:
    stroke = svg.line((0.0, 0.0), (0.0, 8.0), class_="hatching")
    pattern = svg.element(
        "pattern",
        stroke,
        id=name,
        width=8,
        height=8,
        patternUnits="userSpaceOnUse",
        patternTransform="rotate(45)",
    )
    return svg.element("defs", pattern)


def _table(name: str, listed: Tree, on: Mapping[str, list[Tenant]]) -> Table:
    """The hosts with the most steal first, then the busiest."""
    order = sorted(
        listed.items(),
        key=lambda it: (-sum(it[1]["steal_s"].values()), -(it[1]["utilization"] or 0.0)),
    )
    causes = list(next(iter(listed.values()))["steal_s"])
    rows = [
        (
            f"host {i}",
            count(host["instances"]),
            share(host["utilization"]),
            *(seconds(host["steal_s"][cause]) for cause in causes),
            tenants.words_of(on[i]) or "-",
        )
        for i, host in order
    ]
    head = ("host", "instances", "busy", *(f"steal by {cause}" for cause in causes), "fleets")
    return Table(f"Hosts of {name}, the most steal first", head, rows)


def _all_taken(result: Result, scenario: Scenario, pool: str) -> dict[str, float]:
    """Who runs there, and what an instance took on average; who took the most comes first."""
    here = [name for name, fleet in scenario.fleets.items() if fleet.hosts == pool]
    taken = {name: _taken(result, scenario, name) for name in here}
    return dict(sorted(taken.items(), key=lambda it: -it[1]))


def _neighbours(
    result: Result, scenario: Scenario, taken: Mapping[str, float], marks: Mapping[str, str]
) -> Iterator[str]:
    """What an instance of each took on average, and how long all of its vCPUs waited."""
    for name, mark in marks.items():
        fleet = result[f"fleets.{name}"]
        wait = sum(fleet["steal_s"].values())
        words = f"{mark}: {name} (tenant {scenario.fleets[name].tenant}): an instance took "
        words += f"{taken[name]:.3g} vCPUs on average"
        words += f"; its vCPUs waited {seconds(wait)} in all" if wait else ""
        if (lost := fleet.get("interference_s")) is not None:
            words += f"; {seconds(lost)} lost to neighbours in caches and memory"
        yield words
    if (rest := len(taken) - len(marks)) > 0:
        yield f"and {rest:,} more, who took less"


def _taken(result: Result, scenario: Scenario, name: str) -> float:
    busy = result[f"fleets.{name}"]["utilization"] or 0.0
    return float(busy * scenario.fleets[name].instance_type.vcpus)
