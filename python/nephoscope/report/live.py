"""A run while it goes on: where it is, what comes in, what is in the system, p99 so far."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from nephoscope.report.screen import block
from nephoscope.report.sparkline import over_time
from nephoscope.report.terminal import count, plain_table, rate_text, seconds
from nephoscope.results import Result
from nephoscope.scenario.units import Duration
from nephoscope.simulation import Simulation

_LOST = ("rejected", "failed", "timed_out")
_ROWS_MAX = 8
_BAR_WIDTH = 60


def view(simulation: Simulation, wall_s: float, console: Console) -> RenderableType:
    """What there is to see of a simulation as it stands, after so much real time."""
    result, state = simulation.result(), simulation.state()
    blocks = [_head(simulation, result, wall_s), _traffic(result, state), _fleets(state)]
    lines = over_time(result, console)
    if lines is not None:
        blocks.append(block(lines))
    return Group(*blocks)


def _head(simulation: Simulation, result: Result, wall_s: float) -> RenderableType:
    whole = Duration(simulation.scenario.duration)
    now = Duration(int(simulation.now) * 10**9)
    head = Text()
    head.append(simulation.scenario.name, style="bold")
    head.append(f"  {now} of {whole}, seed {result.seed}")
    if simulation.now <= result.warmup_s:
        head.append(", warm-up", style="yellow")
    speed = result.events / max(wall_s, 1e-3) / 1e6
    head.append(f"  ({count(result.events)} events, {speed:.3g} M/s)", style="dim")
    share = simulation.now / (int(whole) / 1e9)
    bar = ProgressBar(total=1.0, completed=share, width=_BAR_WIDTH)
    return Group(head, Padding(bar, (0, 0, 0, 2)))


def _traffic(result: Result, state: dict[str, Any]) -> RenderableType:
    table = plain_table("traffic", ["now, a second", "in flight", "offered", "lost", "p99 so far"])
    for i, name in _first(state["traffic"], table):
        path = f"traffic.{name}"
        lost = sum(result[f"{path}.{key}"] for key in _LOST)
        table.add_row(
            name,
            _rate(result, path),
            count(int(state["in_flight"][i])),
            count(result[f"{path}.offered"]),
            Text(count(lost), style="red" if lost else ""),
            seconds(result[f"{path}.latency_s.p99"]),
        )
    return block(table)


def _fleets(state: dict[str, Any]) -> RenderableType:
    table = plain_table("fleets", ["instances", "busy workers", "waiting"])
    running = np.asarray(state["running"], dtype=bool)
    for i, name in _first(state["fleets"], table):
        own = running & (state["fleet"] == i)
        held = (int(np.sum(state[key][own])) for key in ("busy_workers", "waiting"))
        table.add_row(name, count(int(own.sum())), *map(count, held))
    return block(table)


def _first(names: list[str], table: Table) -> Iterator[tuple[int, str]]:
    yield from list(enumerate(names))[:_ROWS_MAX]
    if len(names) > _ROWS_MAX:
        table.add_row(Text(f"and {len(names) - _ROWS_MAX} more", style="dim"))


def _rate(result: Result, path: str) -> str:
    """Requests offered a second in the last whole interval, or since the warm-up."""
    if f"{path}.offered" in result.series_names:
        ends, values = result.series(f"{path}.offered")
        whole = int(np.searchsorted(ends, result.simulated_s, side="right"))
        return rate_text(float(values[whole - 1] / ends[0])) if whole else "-"
    return rate_text(result[f"{path}.offered"] / result.measured_s) if result.measured_s else "-"
