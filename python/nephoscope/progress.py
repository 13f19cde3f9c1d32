"""Progress of experiments: a bar on a terminal and in a notebook, lines in a log.

    with nph.Progress(300, "runs") as progress:
        found = nph.sweep(scenario, grid, 30, progress=progress)

Shown are the runs that have ended, the time left and the widest interval so far. In a log, where
nothing can be written over, that is a line every half a minute.
"""

import time
from collections.abc import Hashable, Mapping
from datetime import timedelta
from typing import IO, Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from nephoscope.experiment.widest import Widest

LINE_EVERY_S = 30.0
LOOK_EVERY_S = 0.5


def can_redraw(console: Console) -> bool:
    """Whether what is shown can be written over: on a terminal, unless it says that it is dumb."""
    return console.is_terminal and not console.is_dumb_terminal


class Progress:
    """What `progress=` of experiments takes, and shows it."""

    def __init__(
        self,
        total: int | None,
        what: str = "runs",
        *,
        show: bool = True,
        file: IO[str] | None = None,
        every_s: float = LINE_EVERY_S,
    ) -> None:
        """`total` is how many there will be, None where nobody knows; `file` by default stderr."""
        console = Console(stderr=True) if file is None else Console(file=file)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not show or not (can_redraw(console) or console.is_jupyter),
        )
        self._console = console if show and self._bar.disable else None
        self._total, self._what = total, what
        self._every_s = every_s
        self._begun = self._last = time.monotonic()
        self._first: int | None = None  # runs that were there before
        self._widest = Widest()
        self._text: str | None = None
        self._looked = self._begun
        self._task = self._bar.add_task(what, total=total, note=self.note(0))

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, done: int) -> None:
        """So many have ended, those that were there before included."""
        if not self._bar.disable:
            self._bar.update(self._task, completed=done, note=self.note(done))
        elif self._console is not None:
            self._write(done)

    def saw(self, of: Hashable, means: Mapping[str, float]) -> None:
        """A run has ended, with these mean latencies; `of` tells what it is a replication of."""
        self._widest.saw(of, means)

    def note(self, done: int) -> str:
        """How many of how many, and the widest interval."""
        count = f"{done}" if self._total is None else f"{done} of {self._total}"
        now = time.monotonic()
        if self._text is None or now - self._looked > LOOK_EVERY_S:
            # Of many cells it takes a while to find it.
            self._text, self._looked = self._widest.text(), now
        return count if self._text is None else f"{count}  {self._text}"

    def _write(self, done: int) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = done - 1
        if now - self._last < self._every_s:
            return
        self._last = now
        left = ""
        if self._total is not None and done > self._first:
            seconds = (now - self._begun) / (done - self._first) * (self._total - done)
            left = f"  {timedelta(seconds=round(seconds))} left"
        assert self._console is not None
        self._console.print(f"{self._what}: {self.note(done)}{left}", highlight=False)
