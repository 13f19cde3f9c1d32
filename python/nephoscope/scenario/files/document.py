"""A scenario as it was written: plain values, and where in the file each of them stands."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from numbers import Integral, Real
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from nephoscope.errors import Problem, ScenarioError, shorten

# What is larger than this was not written by a person; large data belongs into a CSV file.
TEXT_LENGTH_MAX = 2 * 1024 * 1024
VALUES_MAX = 60_000
DEPTH_MAX = 64

Where = tuple[str | int, ...]


class Mark(NamedTuple):
    """A place in a text, both numbers from 1."""

    line: int
    column: int


class Place(NamedTuple):
    """Where a key (or the dash of a list) and where its value stand."""

    key: Mark
    value: Mark


@dataclass(frozen=True)
class Document:
    """Plain values with their places; `problems` are mistakes that the reader could step over."""

    tree: dict[str, Any]
    places: dict[Where, Place] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    source: str | None = None
    directory: Path = field(default_factory=Path.cwd)
    replaced: tuple[Where, ...] = ()  # what stands in no line of the file any more

    def problem(
        self,
        where: Where,
        message: str,
        *,
        value: Any = None,
        allowed: str | None = None,
        suggestion: str | None = None,
        at_key: bool = False,
    ) -> Problem:
        """A problem at the place of `where`, or of what is nearest around it."""
        line, column = self._mark(where, at_key) or (None, None)
        return Problem(dotted(where), message, line, column, value, allowed, suggestion)

    def _mark(self, where: Where, at_key: bool) -> Mark | None:
        if not self.places or any(where[: len(path)] == path for path in self.replaced):
            return None
        for length in range(len(where), 0, -1):
            place = self.places.get(where[:length])
            if place is not None:
                # A key that is missing has no place of its own: its parent's name is shown.
                return place.key if at_key or length < len(where) else place.value
        return Mark(1, 1)


def dotted(where: Where) -> str:
    """The path as `--set` takes it: `services.web.steps.0.compute`."""
    return ".".join(str(part) for part in where)


def from_values(values: Any, directory: Path | None = None) -> Document:
    """The document of a scenario that is built in Python from mappings, lists and models."""
    if not isinstance(values, dict):
        raise ScenarioError([Problem("", f"{shorten(values)} is not a scenario: not a mapping")])
    tree = _plain(values, 0)
    return Document(tree, directory=directory or Path.cwd())


def _plain(value: Any, depth: int) -> Any:
    """The value in the words of a file; None means that a key is not given."""
    if depth > DEPTH_MAX:
        raise ScenarioError([Problem("", f"nested more than {DEPTH_MAX} deep")])
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_unset=True)
    if isinstance(value, dict):
        return {k: _plain(v, depth + 1) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [_plain(v, depth + 1) for v in value]
    if isinstance(value, timedelta):
        return f"{value // timedelta(microseconds=1)}us"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool | str) or type(value) in {int, float}:
        return value
    return _plain_number(value)


def _plain_number(value: Any) -> Any:
    # Quantities print as they are written in a file, so they come back as their text; NumPy's
    # numbers become Python's.
    if type(value).__module__ == "nephoscope.scenario.units":
        return str(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, Path):
        return str(value)
    return value
