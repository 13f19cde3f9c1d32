"""The commands: `run`, `check`, `explain`, `catalog`, `schema`, and those of experiments."""

import json
from pathlib import Path

import click

from nephoscope import catalog
from nephoscope.commands.common import (
    FILE,
    JSON,
    QUIET,
    REPORT,
    SEED,
    SET,
    Watch,
    check_outputs,
    console_of,
    guarded,
    scenario_of,
    size_of,
    write_json,
    write_text,
)
from nephoscope.commands.compare import compare_command
from nephoscope.commands.explain import explain_command
from nephoscope.commands.size import size_command
from nephoscope.commands.sweep import sweep_command
from nephoscope.commands.vary import shares_of
from nephoscope.commands.watching import WATCH, check_watch, run_watched
from nephoscope.experiment import Replications, replicate
from nephoscope.experiment.precision import REPLICATIONS_MAX
from nephoscope.report.catalog_table import print_hosts, print_types
from nephoscope.report.cautions import warnings
from nephoscope.report.description import describe
from nephoscope.report.html import check_extra
from nephoscope.report.sparkline import over_time
from nephoscope.report.terminal import print_replications, print_result
from nephoscope.report.theory_words import LINES_MAX, first_of, theory_text
from nephoscope.results import Result, engine_version
from nephoscope.run import run
from nephoscope.scenario import Scenario
from nephoscope.scenario.schema import json_schema
from nephoscope.theory import explain

# Requests of each traffic that are followed for a report, if the scenario does not say how many.
TRACES_OF_REPORTS = 5_000


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(engine_version(), message="%(version)s")
def main() -> None:
    """Simulate clouds, request by request."""


@main.command(name="run")
@FILE
@SET
@SEED
@click.option(
    "--replications", type=click.IntRange(1), help="Run this often, with intervals on everything."
)
@click.option(
    "--until-precision",
    "precision",
    multiple=True,
    metavar="PATH=SHARE",
    help="Replicate until a number is known this well, such as latency_s.p99=2%.",
)
@click.option(
    "--replications-max", type=click.IntRange(2), default=REPLICATIONS_MAX, show_default=True
)
@click.option("--threads", type=click.IntRange(1), help="For replications; default: every CPU.")
@JSON
@REPORT
@WATCH
@QUIET
def run_command(
    file: Path,
    overrides: tuple[str, ...],
    seed: int | None,
    replications: int | None,
    precision: tuple[str, ...],
    replications_max: int,
    threads: int | None,
    json_file: str | None,
    report_file: str | None,
    watched: bool,
    quiet: bool,
) -> None:
    """Simulate the scenario in FILE and tell what its users felt."""

    def simulate() -> None:
        check_outputs(json=json_file, report=report_file)
        wanted = shares_of("--until-precision", precision)
        if wanted and replications is not None and replications > replications_max:
            raise click.UsageError("--replications is more than --replications-max")
        if report_file is not None:
            check_extra()
        if watched:
            check_watch(quiet=quiet, several=bool(replications is not None or wanted))
        scenario = scenario_of(file, overrides)
        if report_file is not None and scenario.traces == 0:
            scenario = scenario.replace({"traces": TRACES_OF_REPORTS})
        watch = Watch(show=not quiet and not watched)
        with watch:
            outcome: Result | Replications
            if watched:
                outcome = run_watched(scenario, seed)
            elif replications is None and not wanted:
                outcome = run(scenario, rng=seed, progress=watch.of_run(scenario))
            else:
                outcome = replicate(
                    scenario,
                    replications,
                    until_precision=wanted,
                    replications_max=max(replications_max, replications or 0),
                    rng=seed,
                    threads=threads,
                    progress=watch.of_many(replications_max if wanted else replications or 0),
                )
        if json_file is not None:
            write_json(outcome.to_dict(), json_file)
        if report_file is not None:
            write_text(outcome.to_html(), report_file, "--report")
        # Where a file goes to standard output nothing else may.
        if not quiet and "-" not in (json_file, report_file):
            _print(outcome, scenario)

    guarded(simulate)


def _print(outcome: Result | Replications, scenario: Scenario) -> None:
    console = console_of()
    theory = theory_text(scenario, outcome.to_dict())
    if isinstance(outcome, Result):
        print_result(outcome, console, courses=over_time(outcome, console), theory=theory)
    else:
        print_replications(outcome, console, theory)


@main.command()
@FILE
@SET
def check(file: Path, overrides: tuple[str, ...]) -> None:
    """Report every mistake in FILE, or describe what would run."""

    def inspect() -> None:
        scenario = scenario_of(file, overrides)
        for line in describe(scenario):
            click.echo(line)
        for line in first_of(warnings(scenario, explain(scenario)), LINES_MAX):
            click.echo(f"  ! {line}")

    guarded(inspect)


@main.command(name="catalog")
@click.argument("family", required=False)
@click.option("--vcpus-min", type=click.IntRange(1), default=1, help="As many vCPUs or more.")
@click.option("--memory-min", metavar="SIZE", default="0B", help="Such as 16GiB.")
@click.option("--hosts", is_flag=True, help="List the types of hosts instead.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def catalog_command(
    family: str | None, vcpus_min: int, memory_min: str, hosts: bool, as_json: bool
) -> None:
    """List the instance types, or those of FAMILY: memory, "memory optimised", m5 or m5.large."""

    def show() -> None:
        memory_gib = size_of(memory_min, "--memory-min") / 2**30
        if hosts:
            machines = [
                facts
                for facts in catalog.select_hosts(family)
                if facts.threads >= vcpus_min and facts.memory_gib >= memory_gib
            ]
            if as_json:
                click.echo(json.dumps([facts.to_dict() for facts in machines], indent=2))
            else:
                print_hosts(machines, console_of(width_min=120))
            return
        types = [
            facts
            for facts in (catalog.types() if family is None else catalog.select(family))
            if facts.vcpus >= vcpus_min and facts.memory_gib >= memory_gib
        ]
        if as_json:
            found = [{**facts.to_dict(), **catalog.device_rates(facts)} for facts in types]
            click.echo(json.dumps(found, indent=2))
        else:
            # A cut price or name is worse than a line that goes on below.
            print_types(types, console_of(width_min=120))

    guarded(show)


@main.command()
def schema() -> None:
    """Print the JSON Schema of scenario files."""
    guarded(lambda: click.echo(json.dumps(json_schema(), indent=2)))


main.add_command(explain_command)
main.add_command(compare_command)
main.add_command(sweep_command)
main.add_command(size_command)
