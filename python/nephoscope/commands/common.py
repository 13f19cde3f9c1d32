"""What all commands have in common: files, overrides, output, errors, the progress bar."""

import errno
import io
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from nephoscope.errors import (
    CatalogError,
    ExperimentError,
    ExtraError,
    NephoscopeError,
    PathError,
    Problem,
    ScenarioError,
    UnitError,
    WordError,
)
from nephoscope.progress import Progress as Many
from nephoscope.progress import can_redraw
from nephoscope.scenario import Scenario
from nephoscope.scenario.files.yaml_reader import read_value
from nephoscope.scenario.units import Duration, Size

EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

# A disk without room, a share of it that is used up, a file that may not be longer, a broken disk.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

FILE = click.argument("file", type=click.Path(path_type=Path))
SET = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="PATH=VALUE",
    help="Set a value by its path, such as load_balancers.front-door.routing=round_robin.",
)
SEED = click.option("--seed", type=click.IntRange(0, 2**64 - 1), help="By default the scenario's.")
JSON = click.option(
    "--json", "json_file", metavar="FILE", help="Write the results as JSON; - for standard output."
)
REPORT = click.option(
    "--report", "report_file", metavar="FILE.html", help="Write a report for a browser."
)
METRIC = click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="PATH",
    help="A number by its path in the results; by default latency, losses and the bill.",
)
CONFIDENCE = click.option(
    "--confidence",
    type=click.FloatRange(0.0, 1.0, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
)
THREADS = click.option("--threads", type=click.IntRange(1), help="By default one for each CPU.")
QUIET = click.option("--quiet", is_flag=True, help="No progress and no summary.")


def scenario_of(file: Path, overrides: tuple[str, ...]) -> Scenario:
    """The scenario in a file with the values of `--set`."""
    scenario = Scenario.load(file)
    if not overrides:
        return scenario
    values: dict[str, Any] = {}
    for override in overrides:
        path, equals, text = override.partition("=")
        if not equals:
            raise click.UsageError(f"--set {override}: PATH=VALUE is needed")
        value = read_value(text)
        if value is None and not text.strip():
            message = "no value given; null removes the key"
            raise ScenarioError([Problem(path, message)], f"--set {override}")
        values[path.strip()] = value
    return scenario.replace(values)


def size_of(text: str, option: str) -> Size:
    """A size that an option gives."""
    try:
        return Size.parse(text)
    except UnitError as error:
        raise click.UsageError(f"{option}: {error}") from None


def console_of(width_min: int = 0) -> Console:
    """Standard output; on a terminal narrower than `width_min` lines are wrapped, not cut.

    What its encoding does not have is written as a question mark.
    """
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.width = max(console.width, width_min)
    if console.options.ascii_only and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    return console


def check_outputs(**files: str | None) -> None:
    """Refuse more than one thing on standard output; the names are those of the options."""
    both = [f"--{name}" for name, file in files.items() if file == "-"]
    if len(both) > 1:
        raise click.UsageError(f"{' and '.join(both)} cannot both go to standard output")


def write_json(tree: dict[str, Any], file: str) -> None:
    """Write plain data to a file or, for `-`, to standard output."""
    write_text(json.dumps(tree, indent=2, allow_nan=False) + "\n", file, "--json")


def write_text(text: str, file: str, option: str) -> None:
    """Write a text to the file that an option names or, for `-`, to standard output."""
    if file == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{option} {file}: {error.strerror}") from None


def guarded(action: Callable[[], None]) -> None:
    """Run a command; what goes wrong becomes a message and an exit code, never a traceback."""
    try:
        action()
    except (ScenarioError, CatalogError, PathError, WordError, ExtraError) as error:
        _fail(str(error), EXIT_USAGE)
    except ExperimentError as error:
        _fail(str(error), EXIT_ERROR)
    except NephoscopeError as error:
        _fail(f"internal error: {error}", EXIT_ERROR)
    except KeyboardInterrupt:
        _fail("interrupted", EXIT_INTERRUPTED)
    except OSError as error:
        # Files by name are told of where they are written; what is left is standard output.
        if error.filename is not None or error.errno not in _FULL:
            raise
        # What is still in the buffer would be written once more at the end, and fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _fail(f"standard output cannot be written: {error.strerror}", EXIT_ERROR)


def _fail(message: str, code: int) -> NoReturn:
    for line in message.splitlines():
        click.echo(f"error: {line}", err=True)
    sys.exit(code)


class Watch:
    """How far a command is; of a single run on a terminal only."""

    def __init__(self, *, show: bool) -> None:
        console = Console(stderr=True)
        self._show = show
        self._many: Many | None = None
        self._start = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not show or not can_redraw(console),
        )

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
        if self._many is not None:
            self._many.__exit__()

    def of_run(self, scenario: Scenario) -> Callable[[int, int], None]:
        """Progress of one run."""
        task = self._bar.add_task(scenario.name, total=int(scenario.duration), note="")
        self._bar.start()

        def show(now_ns: int, events: int) -> None:
            rate = events / max(time.monotonic() - self._start, 1e-3) / 1e6
            note = f"{Duration(now_ns // 10**9 * 10**9)}  {rate:.1f} M events/s"
            self._bar.update(task, completed=now_ns, note=note)

        return show

    def of_many(self, total: int | None, what: str = "replications") -> Many:
        """Progress of many runs; None where nobody knows how many."""
        self._many = Many(total, what, show=self._show).__enter__()
        return self._many
