"""Summaries as they are put on a screen: with room between their parts where there is room."""

from collections.abc import Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

# What a summary without a terminal keeps to; one line is the prompt's.
HEIGHT = 24


def stacked(blocks: Sequence[RenderableType], console: Console) -> Group:
    """The blocks below each other; blank lines between them only if all fits on one screen."""
    height = console.height if console.is_terminal else HEIGHT
    roomy = Group(*_between(blocks))
    options = console.options.update(height=None)
    fits = len(console.render_lines(roomy, options, pad=False)) < height
    return roomy if fits else Group(*blocks)


def block(table: Table) -> RenderableType:
    """A table as a block of a summary."""
    return Padding(table, (0, 0, 0, 2), expand=False)


def fitting(tables: Iterable[Table], console: Console) -> Table:
    """The first that is no wider than the screen, or the last."""
    last = None
    for table in tables:
        last = table
        if console.measure(table).maximum + 2 <= console.width:
            break
    assert last is not None
    return last


def _between(blocks: Sequence[RenderableType]) -> Iterable[RenderableType]:
    for i, each in enumerate(blocks):
        if i > 0:
            yield Text()
        yield each
