"""The paths of input transformers: `$.detail.state`, `$.resources[0]`, `$.detail.items[*].id`."""

import re
from dataclasses import dataclass
from typing import Any

from nephoscope.errors import PatternError, shorten
from nephoscope.patterns.json_value import Members

LENGTH_MAX = 256

_STEP = re.compile(r"\.(?P<key>\*|[\w/-]+)|\[(?P<index>\d{1,9}|\*)\]")
_ALLOWED = "$ and steps such as .key, .* , [0] and [*]; keys of letters, digits, _, - and /"

# Every member of an object, or every element of an array.
_ALL = None


@dataclass(frozen=True, slots=True)
class JsonPath:
    """Keys (texts), indices (numbers) and, for all of them, None."""

    steps: tuple[str | int | None, ...]

    def find(self, value: Any) -> list[Any]:
        """The value it leads to, if there is one; with a `*`, the list of all, if there are any."""
        found = [value]
        for step in self.steps:
            found = [inner for outer in found for inner in _follow(outer, step)]
        return [found] if _ALL in self.steps and found else found


def _follow(value: Any, step: str | int | None) -> list[Any]:
    if isinstance(value, Members):
        members = value.last()
        if step is _ALL:
            return list(members.values())
        return [members[step]] if isinstance(step, str) and step in members else []
    if isinstance(value, list):
        if step is _ALL:
            return value
        return [value[step]] if isinstance(step, int) and step < len(value) else []
    return []


def read_path(source: Any, where: str) -> JsonPath:
    """Raises PatternError where the text is no path."""
    if not isinstance(source, str) or not source.startswith("$"):
        raise PatternError(f"{shorten(source)} is no path", where, _ALLOWED)
    if len(source) > LENGTH_MAX:
        raise PatternError(f"a path of {len(source)} letters", where, f"at most {LENGTH_MAX}")
    steps: list[str | int | None] = []
    at = 1
    while at < len(source):
        step = _STEP.match(source, at)
        if step is None:
            raise PatternError(f"no step at letter {at + 1} of {source!r}", where, _ALLOWED)
        if "*" in step.group("key", "index"):
            steps.append(_ALL)
        else:
            steps.append(int(step["index"]) if step["index"] else step["key"])
        at = step.end()
    return JsonPath(tuple(steps))
