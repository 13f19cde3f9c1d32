"""`nephoscope size`."""

from pathlib import Path
from typing import Any

import click

from nephoscope.commands.common import (
    CONFIDENCE,
    FILE,
    JSON,
    QUIET,
    REPORT,
    SEED,
    SET,
    THREADS,
    Watch,
    check_outputs,
    console_of,
    guarded,
    scenario_of,
    write_json,
    write_text,
)
from nephoscope.commands.vary import list_of
from nephoscope.errors import ScenarioError, UnitError
from nephoscope.experiment import size
from nephoscope.report.html import check_extra
from nephoscope.report.size import print_size
from nephoscope.scenario.files.yaml_reader import read_value
from nephoscope.scenario.units import parse_share


def _tolerance(_: click.Context, __: click.Parameter, text: str) -> float:
    try:
        return parse_share(read_value(text))
    except (UnitError, ScenarioError) as error:
        raise click.BadParameter(str(error)) from None


def _range(_: click.Context, __: click.Parameter, text: str | None) -> tuple[Any, Any] | None:
    if text is None:
        return None
    values = list_of("--between", text, text)
    if len(values) != 2:
        raise click.UsageError(f"--between {text}: LOW,HIGH is needed")
    low, high = values
    return low, high


@click.command(name="size")
@FILE
@click.option("--vary", "path", required=True, metavar="PATH", help="What is to be found.")
@click.option(
    "--until",
    required=True,
    metavar="CONDITION",
    help="Such as 'latency_s.p99 < 200ms', or a whole path; several are joined by and.",
)
@click.option(
    "--between",
    metavar="LOW,HIGH",
    callback=_range,
    help="Where to look; by default whole numbers from 1.",
)
@click.option(
    "--tolerance",
    default="5%",
    show_default=True,
    callback=_tolerance,
    help="Of durations, rates and sizes.",
)
@click.option("--greatest", is_flag=True, help="Find the greatest value instead of the least.")
@CONFIDENCE
@click.option("--replications", type=click.IntRange(2), default=20, show_default=True)
@SET
@SEED
@THREADS
@JSON
@REPORT
@QUIET
def size_command(
    file: Path,
    path: str,
    until: str,
    between: tuple[Any, Any] | None,
    tolerance: float,
    greatest: bool,
    confidence: float,
    replications: int,
    overrides: tuple[str, ...],
    seed: int | None,
    threads: int | None,
    json_file: str | None,
    report_file: str | None,
    quiet: bool,
) -> None:
    """Find the least value of a path in FILE for which a condition on the results holds."""

    def simulate() -> None:
        check_outputs(json=json_file, report=report_file)
        if report_file is not None:
            check_extra()
        scenario = scenario_of(file, overrides)
        watch = Watch(show=not quiet)
        with watch:
            found = size(
                scenario,
                path,
                until,
                between=between,
                tolerance=tolerance,
                greatest=greatest,
                confidence=confidence,
                replications=replications,
                rng=seed,
                threads=threads,
                progress=watch.of_many(None, "runs"),
            )
        if json_file is not None:
            write_json(found.to_dict(), json_file)
        if report_file is not None:
            write_text(found.to_html(scenario), report_file, "--report")
        if not quiet and "-" not in (json_file, report_file):
            print_size(found, console_of(width_min=100))

    guarded(simulate)
