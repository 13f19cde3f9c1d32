"""What can go wrong, as one tree.

NephoscopeError
|-- ScenarioError (also ValueError)     the scenario cannot be run; lists every mistake in it
|   |-- TraceError                      a data file that a scenario names cannot be used
|   `-- SpecError                       the core refused what the loader had let pass
|-- WordError                           a text that stands for nothing; says what would
|   |-- UnitError (also ValueError)     a quantity that cannot be read: "12 parsecs"
|   `-- CatalogError (also LookupError) a type or a family that the catalogue does not have
|-- PatternError (also ValueError)      a pattern, policy, template or schedule that is none
|-- EventError (also ValueError)        an event or the attributes of a message that are none
|-- PathError (also LookupError)        a path that a result does not have
|-- ExtraError (also ImportError)       what needs an extra that is not installed
|-- ExperimentError                     an experiment that came to no end; says what is kept
|-- PolicyError                       a routing policy of the user's own that could not choose
|-- StateError (also ValueError)        saved bytes that are not a simulation of this version
`-- InvariantError                      the engine contradicted itself; never the user's fault
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_VALUE_LENGTH_MAX = 60
_RENDERED_MAX = 50

# What a policy that numba has compiled returns if its code raises.
RAISED = -(2**31)


class NephoscopeError(Exception):
    """The base of everything this package raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a scenario: where it is, what it is, what is allowed, the nearest word."""

    path: str
    message: str
    line: int | None = None
    column: int | None = None
    value: Any = None
    allowed: str | None = None
    suggestion: str | None = None

    def render(self, source: str | None = None) -> str:
        """One line of text: `file:line:column: path: message`."""
        place = ":".join(str(p) for p in (source, self.line, self.column) if p is not None)
        text = ": ".join(part for part in (place, self.path, self.message) if part)
        if self.suggestion is not None:
            text += f"; did you mean {self.suggestion}?"
        if self.allowed is not None:
            text += f" (allowed: {self.allowed})"
        return text


class ScenarioError(NephoscopeError, ValueError):
    """A scenario that cannot be run, with every mistake that was found in it."""

    def __init__(self, problems: Sequence[Problem] | str, source: str | None = None) -> None:
        if isinstance(problems, str):
            problems = [Problem("", problems)]
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.source = source
        # All arguments go to the base, so that the error survives pickling between processes.
        super().__init__(self.problems, source)

    def __str__(self) -> str:
        lines = [problem.render(self.source) for problem in self.problems[:_RENDERED_MAX]]
        if len(self.problems) > _RENDERED_MAX:
            lines.append(f"and {len(self.problems) - _RENDERED_MAX} more")
        return "\n".join(lines)


class TraceError(ScenarioError):
    """A data file that a scenario names is missing, or its columns cannot be used."""


class SpecError(ScenarioError):
    """The core refused a specification; `path` is the field in the core's own words."""

    path: str = ""


class WordError(NephoscopeError):
    """A text that stands for nothing, with what is allowed and the nearest right word."""

    def __init__(
        self, message: str, allowed: str | None = None, suggestion: str | None = None
    ) -> None:
        self.message = message
        self.allowed = allowed
        self.suggestion = suggestion
        super().__init__(message, allowed, suggestion)

    def __str__(self) -> str:
        return Problem("", self.message, None, None, None, self.allowed, self.suggestion).render()


class UnitError(WordError, ValueError):
    """A quantity that cannot be read."""


class CatalogError(WordError, LookupError):
    """An instance type or a family that the catalogue does not have."""


class PatternError(NephoscopeError, ValueError):
    """A pattern that is none: what is wrong, where in it, what is allowed, the nearest word."""

    def __init__(
        self,
        message: str,
        path: str = "",
        allowed: str | None = None,
        suggestion: str | None = None,
    ) -> None:
        self.message = message
        self.path = path
        self.allowed = allowed
        self.suggestion = suggestion
        super().__init__(message, path, allowed, suggestion)

    def __str__(self) -> str:
        problem = Problem(self.path, self.message, None, None, None, self.allowed, self.suggestion)
        return problem.render()


class EventError(NephoscopeError, ValueError):
    """An event that cannot be read: what is wrong, and where in it."""

    def __init__(self, message: str, path: str = "") -> None:
        self.message = message
        self.path = path
        super().__init__(message, path)

    def __str__(self) -> str:
        return Problem(self.path, self.message).render()


class PathError(NephoscopeError, LookupError):
    """A path that leads nowhere."""


class ExperimentError(NephoscopeError):
    """An experiment that came to no end, or to none that answers: why, and what is kept of it."""


class PolicyError(NephoscopeError):
    """A compiled routing policy returned an error, or a target that is not there."""

    def __str__(self) -> str:
        told = super().__str__()
        return told.replace(f"returned the error {RAISED}", "raised an exception")


class ExtraError(NephoscopeError, ImportError):
    """A package that an extra of this one brings is not installed; says which extra."""


class StateError(NephoscopeError, ValueError):
    """Saved bytes that cannot be resumed."""


class InvariantError(NephoscopeError):
    """The engine found that it contradicts itself, and stopped; please report it with the seed."""


def shorten(value: object) -> str:
    """The value as a message shows it: on one line and never long."""
    # Cut before repr() where that is possible: the repr of a huge value is itself slow.
    if isinstance(value, str | bytes):
        value = value[: _VALUE_LENGTH_MAX + 1]
    elif isinstance(value, dict):
        return "a mapping"
    elif isinstance(value, list | tuple):
        return "a list"
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**40 else "a huge number"
    return text if len(text) <= _VALUE_LENGTH_MAX else text[: _VALUE_LENGTH_MAX - 3] + "..."
