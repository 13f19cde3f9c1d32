"""The commands: `nephoscope run`, `check`, `catalog`, `schema`."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from nephoscope import catalog
from nephoscope.errors import CatalogError, NephoscopeError, Problem, ScenarioError, UnitError
from nephoscope.experiment import Replications, replicate
from nephoscope.report.catalog_table import print_hosts, print_types
from nephoscope.report.description import describe
from nephoscope.report.terminal import print_replications, print_result
from nephoscope.results import Result, engine_version
from nephoscope.run import run
from nephoscope.scenario import Scenario
from nephoscope.scenario.problems import NOT_BUILT
from nephoscope.scenario.schema import json_schema
from nephoscope.scenario.units import Duration, Size
from nephoscope.scenario.yaml_reader import read_value

EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

_LATER = ("compare", "sweep", "size")


class _Commands(click.Group):
    """Refuses the commands that a later version brings by their names."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] in _LATER:
            ctx.fail(f"{args[0]}: {NOT_BUILT}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(engine_version(), message="%(version)s")
def main() -> None:
    """Simulate clouds, request by request."""


def _refuse_later(_: click.Context, option: click.Parameter, value: object) -> None:
    if value is not None:
        raise click.UsageError(f"--{option.name}: {NOT_BUILT}")


_FILE = click.argument("file", type=click.Path(path_type=Path))
_SET = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="PATH=VALUE",
    help="Set a value by its path, such as load_balancers.front-door.routing=round_robin.",
)


@main.command(name="run")
@_FILE
@_SET
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), help="By default the scenario's.")
@click.option(
    "--replications", type=click.IntRange(1), help="Run this often, with intervals on everything."
)
@click.option("--threads", type=click.IntRange(1), help="For replications; default: every CPU.")
@click.option(
    "--json", "json_file", metavar="FILE", help="Write the results as JSON; - for standard output."
)
@click.option("--report", hidden=True, expose_value=False, callback=_refuse_later)
@click.option("--quiet", is_flag=True, help="No progress and no summary.")
def run_command(
    file: Path,
    overrides: tuple[str, ...],
    seed: int | None,
    replications: int | None,
    threads: int | None,
    json_file: str | None,
    quiet: bool,
) -> None:
    """Simulate the scenario in FILE and tell what its users felt."""

    def simulate() -> None:
        scenario = _scenario(file, overrides)
        watch = _Watch(show=not quiet)
        with watch:
            outcome: Result | Replications
            if replications is None:
                outcome = run(scenario, rng=seed, progress=watch.of_run(scenario))
            else:
                outcome = replicate(
                    scenario,
                    replications,
                    rng=seed,
                    threads=threads,
                    progress=watch.of_replications(replications),
                )
        if json_file is not None:
            _write_json(outcome.to_dict(), json_file)
        # Where the JSON goes to standard output nothing else may.
        if not quiet and json_file != "-":
            console = _console()
            if isinstance(outcome, Result):
                print_result(outcome, console)
            else:
                print_replications(outcome, console)

    _guarded(simulate)


@main.command()
@_FILE
@_SET
def check(file: Path, overrides: tuple[str, ...]) -> None:
    """Report every mistake in FILE, or describe what would run."""

    def inspect() -> None:
        for line in describe(_scenario(file, overrides)):
            click.echo(line)

    _guarded(inspect)


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
        memory_gib = _size(memory_min, "--memory-min") / 2**30
        if hosts:
            machines = [
                facts
                for facts in catalog.select_hosts(family)
                if facts.threads >= vcpus_min and facts.memory_gib >= memory_gib
            ]
            if as_json:
                click.echo(json.dumps([facts.to_dict() for facts in machines], indent=2))
            else:
                print_hosts(machines, _console(width_min=120))
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
            print_types(types, _console(width_min=120))

    _guarded(show)


@main.command()
def schema() -> None:
    """Print the JSON Schema of scenario files."""
    click.echo(json.dumps(json_schema(), indent=2))


def _scenario(file: Path, overrides: tuple[str, ...]) -> Scenario:
    scenario = Scenario.load(file)
    if not overrides:
        return scenario
    values: dict[str, Any] = {}
    for override in overrides:
        path, equals, text = override.partition("=")
        if not equals:
            raise click.UsageError(f"--set {override}: PATH=VALUE is needed")
        value = read_value(text)
        if value is None:
            raise ScenarioError([Problem(path, "no value given")], f"--set {override}")
        values[path.strip()] = value
    return scenario.replace(values)


def _size(text: str, option: str) -> Size:
    try:
        return Size.parse(text)
    except UnitError as error:
        raise click.UsageError(f"{option}: {error}") from None


def _console(width_min: int = 0) -> Console:
    """Standard output; on a terminal narrower than `width_min` lines are wrapped, not cut."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.width = max(console.width, width_min)
    return console


def _write_json(tree: dict[str, Any], file: str) -> None:
    text = json.dumps(tree, indent=2, allow_nan=False) + "\n"
    if file == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"--json {file}: {error.strerror}") from None


def _guarded(action: Callable[[], None]) -> None:
    """Run a command; what goes wrong becomes a message and an exit code, never a traceback."""
    try:
        action()
    except (ScenarioError, CatalogError) as error:
        _fail(str(error), EXIT_USAGE)
    except NephoscopeError as error:
        _fail(f"internal error: {error}", EXIT_ERROR)
    except KeyboardInterrupt:
        _fail("interrupted", EXIT_INTERRUPTED)


def _fail(message: str, code: int) -> NoReturn:
    for line in message.splitlines():
        click.echo(f"error: {line}", err=True)
    sys.exit(code)


class _Watch:
    """The progress bar; on a terminal only, and only for runs that take a while."""

    def __init__(self, *, show: bool) -> None:
        console = Console(stderr=True)
        self._start = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not show or not console.is_terminal,
        )

    def __enter__(self) -> "_Watch":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def of_run(self, scenario: Scenario) -> Callable[[int, int], None]:
        task = self._bar.add_task(scenario.name, total=int(scenario.duration), note="")

        def show(now_ns: int, events: int) -> None:
            rate = events / max(time.monotonic() - self._start, 1e-3) / 1e6
            note = f"{Duration(now_ns // 10**9 * 10**9)}  {rate:.1f} M events/s"
            self._bar.update(task, completed=now_ns, note=note)

        return show

    def of_replications(self, total: int) -> Callable[[int], None]:
        task = self._bar.add_task("replications", total=total, note=f"0 of {total}")

        def show(done: int) -> None:
            self._bar.update(task, completed=done, note=f"{done} of {total}")

        return show
