"""`nephoscope compare`."""

from pathlib import Path

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
    THREADS,
    Watch,
    check_outputs,
    console_of,
    guarded,
    scenario_of,
    write_json,
    write_text,
)
from nephoscope.commands.vary import values_of
from nephoscope.experiment import compare
from nephoscope.report.comparison import print_comparison
from nephoscope.report.html import check_extra


@click.command(name="compare")
@FILE
@click.option(
    "--vary",
    "texts",
    multiple=True,
    required=True,
    metavar="PATH=A,B",
    help="Values of a path, the first is the base; several options go in step.",
)
@SET
@SEED
@click.option("--replications", type=click.IntRange(2), default=30, show_default=True)
@METRIC
@click.option("--all-pairs", is_flag=True, help="Compare each with all before it.")
@CONFIDENCE
@THREADS
@JSON
@REPORT
@QUIET
def compare_command(
    file: Path,
    texts: tuple[str, ...],
    overrides: tuple[str, ...],
    seed: int | None,
    replications: int,
    metrics: tuple[str, ...],
    all_pairs: bool,
    confidence: float,
    threads: int | None,
    json_file: str | None,
    report_file: str | None,
    quiet: bool,
) -> None:
    """Compare FILE with itself under other values, by differences with intervals.

    All are run with the same random numbers, replication for replication.
    """

    def simulate() -> None:
        check_outputs(json=json_file, report=report_file)
        if report_file is not None:
            check_extra()
        vary = values_of("--vary", texts)
        scenario = scenario_of(file, overrides)
        watch = Watch(show=not quiet)
        with watch:
            found = compare(
                scenario,
                vary,
                replications,
                metrics=metrics or None,
                all_pairs=all_pairs,
                confidence=confidence,
                rng=seed,
                threads=threads,
                progress=watch.of_many(replications * len(next(iter(vary.values()))), "runs"),
            )
        if json_file is not None:
            write_json(found.to_dict(), json_file)
        if report_file is not None:
            write_text(found.to_html(), report_file, "--report")
        if not quiet and "-" not in (json_file, report_file):
            print_comparison(found, console_of(width_min=100))

    guarded(simulate)
