"""`nephoscope sweep`."""

from contextlib import nullcontext
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
from nephoscope.commands.plan import plan_of
from nephoscope.errors import PathError
from nephoscope.experiment import Frontier, frontier, sweep
from nephoscope.experiment.design import KINDS, POINTS_MAX
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
    metavar="PATH=A,B,C",
    help="Values of a path; of several options every combination.",
)
@click.option(
    "--sample",
    "ranges",
    multiple=True,
    metavar="PATH=LOW,HIGH",
    help="A range of a path, in the place of --grid: --points combinations are drawn.",
)
@click.option("--points", type=click.IntRange(1, POINTS_MAX), help="Of --sample.")
@click.option(
    "--design",
    "kind",
    type=click.Choice(KINDS),
    help="How they are drawn: Sobol's sequence (the default), a Latin hypercube, at random.",
)
@click.option(
    "--plan",
    type=click.Path(path_type=Path),
    help="A YAML or JSON file with `grid`, `points` or `sample` in the place of the options.",
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
    ranges: tuple[str, ...],
    points: int | None,
    kind: str | None,
    plan: Path | None,
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
    """Run FILE under many combinations of values, each with the same random numbers."""

    def simulate() -> None:
        check_outputs(json=json_file, csv=csv_file, report=report_file)
        if report_file is not None:
            check_extra()
        wanted = plan_of(plan, texts, ranges, points, kind)
        axes, greater = _axes(plane, replications)
        scenario = scenario_of(file, overrides)
        chosen = wanted.combinations(scenario.seed if seed is None else seed)
        watch = Watch(show=not quiet)
        given = nullcontext() if executor_name is None else executor_of(executor_name, workers)
        with given as executor, watch:
            found = sweep(
                scenario,
                replications=replications,
                **chosen.arguments,
                metrics=[*dict.fromkeys((*metrics, *axes))] or None,
                executor=executor,
                workers=workers if executor is None else None,
                journal=journal,
                confidence=confidence,
                rng=seed,
                progress=watch.of_many(replications * chosen.count, "runs"),
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
