"""Which combinations a sweep has: by options, or by a file of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import click

from nephoscope.commands.vary import values_of
from nephoscope.errors import Problem, ScenarioError, shorten
from nephoscope.experiment import design
from nephoscope.experiment.design import KINDS
from nephoscope.nearest import listing, nearest
from nephoscope.scenario.files.yaml_reader import read_value

_POINTS = 64
_TEXT_MAX = 2**24


@dataclass(frozen=True)
class Combinations:
    """What `sweep` is given, and how many there are."""

    arguments: dict[str, Any]
    count: int


@dataclass(frozen=True)
class Plan:
    """One of a grid, points of one's own, or ranges with how points are drawn between them."""

    grid: dict[str, Any] | None = None
    points: list[Any] | None = None
    sample: dict[str, Any] | None = None
    count: int = _POINTS
    kind: str = KINDS[0]

    def combinations(self, seed: int) -> Combinations:
        """The combinations, those that are drawn by this seed."""
        if self.grid is not None:
            return Combinations({"grid": self.grid}, prod(map(_length, self.grid.values())))
        points = self.points
        if self.sample is not None:
            points = design(self.sample, self.count, kind=self.kind, rng=seed)
        return Combinations({"points": points}, len(points or ()))


def plan_of(
    file: Path | None,
    grid: tuple[str, ...],
    sample: tuple[str, ...],
    points: int | None,
    kind: str | None,
) -> Plan:
    """The plan that options name, or a file; more than one way, or none, is an error of usage."""
    ways = {"--grid": bool(grid), "--sample": bool(sample), "--plan": file is not None}
    given = [way for way, is_there in ways.items() if is_there]
    if len(given) != 1:
        allowed = listing(list(ways))
        raise click.UsageError(f"one of {allowed} is needed, not {listing(given) or 'none'}")
    if not sample and (points is not None or kind is not None):
        raise click.UsageError("--points and --design go with --sample")
    if file is not None:
        return _read(file)
    if grid:
        return Plan(grid=values_of("--grid", grid))
    return Plan(
        sample=values_of("--sample", sample),
        count=_POINTS if points is None else points,
        kind=kind or KINDS[0],
    )


def _read(file: Path) -> Plan:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"--plan {file}: {error}") from None
    if len(text) > _TEXT_MAX:
        raise click.UsageError(f"--plan {file}: too large")
    tree = read_value(text)
    if not isinstance(tree, Mapping):
        raise _wrong("", f"{shorten(tree)} is no plan", "grid, points or sample", file)
    known = ("grid", "points", "sample", "count", "design")
    for key in tree:
        if key not in known:
            raise _wrong(str(key), "is not known", listing(known), file, nearest(str(key), known))
    if sum(key in tree for key in known[:3]) != 1:
        raise _wrong("", "one way is needed", listing(known[:3]), file)
    if "sample" not in tree and tree.keys() & {"count", "design"}:
        raise _wrong("", "count and design go with sample", "sample beside them", file)
    for key, kind in (("grid", dict), ("points", list), ("sample", dict)):
        if key in tree and not isinstance(tree[key], kind):
            raise _wrong(key, f"{shorten(tree[key])} is none", f"a {_WORDS[kind]}", file)
    for number, point in enumerate(tree.get("points", ())):
        if not isinstance(point, dict):
            raise _wrong(f"points.{number}", f"{shorten(point)} is none", "a mapping", file)
    count = tree.get("count", _POINTS)
    if isinstance(count, bool) or not isinstance(count, int):
        raise _wrong("count", f"{shorten(count)} is none", "a whole number", file)
    return Plan(
        tree.get("grid"),
        tree.get("points"),
        tree.get("sample"),
        count,
        tree.get("design", KINDS[0]),
    )


_WORDS = {dict: "mapping of paths", list: "list of mappings"}


def _wrong(
    path: str, message: str, allowed: str, file: Path, suggestion: str | None = None
) -> ScenarioError:
    problem = Problem(path, message, allowed=allowed, suggestion=suggestion)
    return ScenarioError([problem], str(file))


def _length(values: Any) -> int:
    return len(values) if hasattr(values, "__len__") else 1
