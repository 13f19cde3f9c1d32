"""`nephoscope run --watch`: the run in slices, and a look at it after each."""

import time

import click
from rich.console import Console
from rich.live import Live

from nephoscope.progress import can_redraw
from nephoscope.report.live import view
from nephoscope.results import Result
from nephoscope.scenario import Scenario
from nephoscope.simulation import Simulation

# How long the engine runs between two looks, and how much longer than a look takes at least.
_SLICE_S = 0.2
_LOOKS_SHARE_MAX = 0.1

WATCH = click.option("--watch", "watched", is_flag=True, help="Show the run while it goes on.")


def check_watch(*, quiet: bool, several: bool) -> None:
    """Refuse what cannot be watched."""
    if quiet:
        raise click.UsageError("--watch shows what --quiet hides: give one of them")
    if several:
        raise click.UsageError("--watch shows one run, not several replications")
    if not can_redraw(Console(stderr=True)):
        message = "--watch needs a terminal that can be written over, and standard error is none"
        raise click.UsageError(message)


def run_watched(scenario: Scenario, seed: int | None) -> Result:
    """What `run` returns; where it is cut into slices makes no difference to the numbers."""
    console = Console(stderr=True)
    start = time.perf_counter()
    simulation = Simulation(scenario, rng=seed)
    slice_s = int(scenario.duration) / 1e9 / 1000
    with Live(console=console, transient=True, auto_refresh=False) as live:
        while not simulation.finished:
            before = time.perf_counter()
            simulation.advance(slice_s)
            ran = time.perf_counter()
            live.update(view(simulation, ran - start, console), refresh=True)
            looked_s = time.perf_counter() - ran
            wanted_s = max(_SLICE_S, looked_s / _LOOKS_SHARE_MAX)
            # At most double: the next slice may hold far more than this one did.
            slice_s *= min(max(wanted_s / max(ran - before, 1e-9), 0.25), 2.0)
            slice_s = max(slice_s, 1e-9)
    return simulation.result()
