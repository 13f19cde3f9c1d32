"""Alternatives: one scenario with other values at some of its paths."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from nephoscope.errors import Problem, ScenarioError, shorten
from nephoscope.scenario import Scenario
from nephoscope.scenario.files.document import from_values
from nephoscope.scenario.language.compiled_policy import RoutingPolicy

Values = Mapping[str, Sequence[Any]]

# Scenarios at hand; those of more alternatives are made again when they are needed.
SCENARIOS_HELD = 1024


@dataclass(frozen=True)
class Alternative:
    """A scenario under other values, and its name among the alternatives."""

    label: str
    values: dict[str, Any]
    base: Scenario
    held: Scenario | None = field(repr=False)
    """The scenario with these values; None where it is one of too many to be held."""

    @property
    def scenario(self) -> Scenario:
        """The scenario with these values."""
        return self.base.replace(self.values) if self.held is None else self.held


def in_step(scenario: Scenario, vary: Values) -> list[Alternative]:
    """An alternative for each position in the lists of values: the first of all, the second of all.

    What is compared are designs, and a design seldom differs from another by one value: a bigger
    machine comes in a smaller number, a queue with its consumers. So lists go in step and must be
    of the same length. Every combination of values is what a sweep has.
    """
    lengths = {path: len(_listed(path, values)) for path, values in vary.items()}
    if not lengths:
        raise ScenarioError("nothing is varied: a path with at least two values is needed")
    first, *others = lengths
    for path in others:
        if lengths[path] != lengths[first]:
            message = (
                f"{lengths[path]} values beside {lengths[first]} of {first}: lists go in step, the "
                "first value of each together, then the second (every combination is a sweep)"
            )
            raise ScenarioError([Problem(path, message, allowed=f"{lengths[first]} values")])
    if lengths[first] < 2:
        raise ScenarioError(
            [Problem(first, "one value is no comparison", allowed="at least two values")]
        )
    return _made(
        scenario, [dict(zip(vary, row, strict=True)) for row in zip(*vary.values(), strict=True)]
    )


def crossed(scenario: Scenario, grid: Values) -> list[Alternative]:
    """An alternative for each combination of values, the last path changing fastest."""
    for path, values in grid.items():
        if not len(_listed(path, values)):
            raise ScenarioError([Problem(path, "no values given", allowed="at least one value")])
    if not grid:
        raise ScenarioError("nothing is varied: a path with its values is needed")
    return _made(scenario, [dict(zip(grid, row, strict=True)) for row in product(*grid.values())])


def listed(scenario: Scenario, points: Sequence[Mapping[str, Any]]) -> list[Alternative]:
    """An alternative for each point, which has a value for the same paths as all others."""
    rows = [dict(point) for point in points]
    if not rows or not rows[0]:
        raise ScenarioError("nothing is varied: a point with a value for a path is needed")
    for number, row in enumerate(rows):
        for path in rows[0].keys() ^ row.keys():
            message = f"point {number} and the first do not have the same paths"
            raise ScenarioError([Problem(path, message, allowed="a value in every point")])
    return _made(scenario, [{path: row[path] for path in rows[0]} for row in rows])


def text_of(value: Any) -> str:
    """A value as it would be written in a file, on one line."""
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case Mapping():
            return "{" + ", ".join(f"{key}: {text_of(inner)}" for key, inner in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(text_of, value)) + "]"
    return str(value)


def json_of(value: Any) -> Any:
    """A value as JSON has it, in which no number is infinite."""
    match value:
        case Mapping():
            return {key: json_of(inner) for key, inner in value.items()}
        case list() | tuple():
            return [json_of(inner) for inner in value]
        case float() if not math.isfinite(value):
            return text_of(value)
        case RoutingPolicy():
            return value.name
    return value


def refuse_seed(paths: Iterable[str]) -> None:
    """Refuse to vary the seed, which would do nothing."""
    if "seed" in paths:
        message = "all alternatives have one seed, so that their random numbers are the same"
        raise ScenarioError([Problem("seed", message, allowed="other replications")])


def _listed(path: str, values: Any) -> Sequence[Any]:
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__len__"):
        message = f"{shorten(values)} is not a list of values"
        raise ScenarioError([Problem(path, message, allowed="a list, such as [1, 2]")])
    listed: Sequence[Any] = values
    return listed


def _made(scenario: Scenario, rows: Sequence[dict[str, Any]]) -> list[Alternative]:
    alternatives: list[Alternative] = []
    labels: set[str] = set()
    if rows:
        refuse_seed(rows[0])
    for values in rows:
        row = {path: from_values({"value": it}).tree.get("value") for path, it in values.items()}
        names = short_names(list(row))
        label = ", ".join(
            text_of(value) if len(row) == 1 else f"{names[path]}={text_of(value)}"
            for path, value in row.items()
        )
        if label in labels:
            path = next(iter(row))
            raise ScenarioError([Problem(path, f"{label} is given twice")])
        labels.add(label)
        # Made in any case: a value that is wrong should be told before anything is run.
        made = _replaced(scenario, row)
        held = made if len(alternatives) < SCENARIOS_HELD else None
        alternatives.append(Alternative(label, row, scenario, held))
    return alternatives


def _replaced(scenario: Scenario, row: Mapping[str, Any]) -> Scenario:
    """The scenario with the values; what is wrong elsewhere for their sake is told with them."""
    try:
        return scenario.replace(row)
    except ScenarioError as error:
        under = ", ".join(f"{path}={text_of(value)}" for path, value in row.items())
        problems = [
            problem
            if any(f"{problem.path}.".startswith(f"{path}.") for path in row)
            else replace(problem, message=f"{problem.message}, with {under}")
            for problem in error.problems
        ]
        # A TraceError stays one.
        raise type(error)(problems, error.source) from None


def short_names(paths: Sequence[str], least: int = 1) -> dict[str, str]:
    """Each path by as many of its last parts, at least so many, as tell it from the others."""
    names = {}
    for path in paths:
        parts = path.split(".")
        for length in range(least, len(parts) + 1):
            names[path] = ".".join(parts[-length:])
            if sum(f".{other}".endswith(f".{names[path]}") for other in paths) == 1:
                break
    return names
