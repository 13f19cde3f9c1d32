"""`nephoscope sweep`."""

from contextlib import nullcontext
from math import prod
from pathlib import Path
from typing import Any

import click

from nephoscope.commands.common import (
    CONFIDENCE,
    FILE,
    JSON,
    METRIC,
    QUIET,
    REPORT,
    SEED,
    SET,
    Watch,
    check_outputs,
    console_of,
    guarded,
    scenario_of,
    write_json,
    write_text,
)
from nephoscope.commands.vary import values_of
from nephoscope.errors import PathError
from nephoscope.experiment import Frontier, frontier, sweep
from nephoscope.experiment.executors import FORMS, executor_of
from nephoscope.report.frontier import print_frontier
from nephoscope.report.html import check_extra
from nephoscope.report.sweep import print_sweep


@click.command(name="sweep")
@FILE
@click.option(
    "--grid",
    "texts",
    multiple=True,
    required=True,
    metavar="PATH=A,B,C",
    help="Values of a path; of several options every combination.",
)
@SET
@SEED
@click.option("--replications", type=click.IntRange(1), default=10, show_default=True)
@METRIC
@CONFIDENCE
@click.option(
    "--workers", type=click.IntRange(1), help="Threads or processes, by default one for each CPU."
)
@click.option(
    "--executor",
    "executor_name",
    metavar="NAME",
    help=f"Who makes the runs, instead of threads: {FORMS}.",
)
@click.option(
    "--journal",
    type=click.Path(path_type=Path),
    help="A file of all runs that have ended; a sweep that was killed goes on from there.",
)
@click.option(
    "--frontier",
    "plane",
    metavar="X,Y",
    help="Two metrics: which combinations no other beats by them; -X: more of it is better.",
)
@click.option("--csv", "csv_file", metavar="FILE", help="Write the table as CSV; - for output.")
@JSON
@REPORT
@QUIET
def sweep_command(
    file: Path,
    texts: tuple[str, ...],
    overrides: tuple[str, ...],
    seed: int | None,
    replications: int,
    metrics: tuple[str, ...],
    confidence: float,
    workers: int | None,
    executor_name: str | None,
    journal: Path | None,
    plane: str | None,
    csv_file: str | None,
    json_file: str | None,
    report_file: str | None,
    quiet: bool,
) -> None:
    """Run FILE under every combination of values, each with the same random numbers."""

    def simulate() -> None:
        check_outputs(json=json_file, csv=csv_file, report=report_file)
        if report_file is not None:
            check_extra()
        grid = values_of("--grid", texts)
        axes, greater = _axes(plane, replications)
        scenario = scenario_of(file, overrides)
        watch = Watch(show=not quiet)
        given = nullcontext() if executor_name is None else executor_of(executor_name, workers)
        with given as executor, watch:
            found = sweep(
                scenario,
                grid,
                replications,
                metrics=[*dict.fromkeys((*metrics, *axes))] or None,
                executor=executor,
                workers=workers if executor is None else None,
                journal=journal,
                confidence=confidence,
                rng=seed,
                progress=watch.of_many(replications * prod(map(len, grid.values())), "runs"),
            )
        line = frontier(found, *axes, greater=greater) if axes else None
        if json_file is not None:
            write_json(found.to_dict() | _told(line), json_file)
        if csv_file is not None:
            write_text(found.to_csv(), csv_file, "--csv")
        if report_file is not None:
            write_text(found.to_html(scenario), report_file, "--report")
        if not quiet and "-" not in (json_file, csv_file, report_file):
            print_sweep(found, console_of(width_min=100))
            if line is not None:
                print_frontier(line, console_of(width_min=100))

    guarded(simulate)


def _axes(plane: str | None, replications: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The two metrics of a frontier, and those of them of which more is better."""
    if plane is None:
        return (), ()
    words = [word.strip() for word in plane.split(",")]
    axes = tuple(word.removeprefix("-") for word in words)
    if len(axes) != 2 or not all(axes):
        raise click.UsageError(f"--frontier {plane}: two metrics are needed: X,Y")
    if axes[0] == axes[1]:
        raise click.UsageError(f"--frontier {plane}: two different metrics are needed")
    if replications < 2:
        raise PathError("--frontier needs at least two replications: one has no interval")
    return axes, tuple(word[1:] for word in words if word.startswith("-"))


def _told(line: Frontier | None) -> dict[str, Any]:
    return {} if line is None else {"frontier": line.to_dict()}
