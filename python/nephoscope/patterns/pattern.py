"""A pattern as the branches of a rule: paths and their conditions.

The provider's rule engine reads a pattern from its beginning to its end, and so does this: a path
that comes again takes the place of what it had, and `$or` makes of every branch so far one for each
of its alternatives, in which they may override it.
"""

from typing import Any

from nephoscope.errors import PatternError
from nephoscope.patterns.condition import (
    EVENTS,
    RESERVED,
    Condition,
    Language,
    join,
    read_condition,
    refuse,
    shown,
)
from nephoscope.patterns.json_value import Members, read_value
from nephoscope.patterns.wildcard import check_complexity

OR = "$or"

# As many as the provider takes.
BRANCHES_MAX = 1000

Branch = dict[str, tuple[Condition, ...]]


def read_pattern(source: Any) -> list[Branch]:
    """The branches of a pattern (text, bytes or dict); raises PatternError where it is none."""
    return read_branches(read_value(source, "the pattern", PatternError), EVENTS)


def read_branches(value: Any, language: Language) -> list[Branch]:
    """The branches of a pattern that has been read from JSON."""
    if not isinstance(value, Members):
        refuse("", f"{shown(value)} is no pattern", "an object of fields")
    reader = _Reader(language)
    reader.read_object(value, (), "", alternative=False)
    return reader.branches


class _Reader:
    def __init__(self, language: Language) -> None:
        self._language = language
        self.branches: list[Branch] = []

    def read_object(
        self, value: Members, path: tuple[str, ...], place: str, *, alternative: bool
    ) -> None:
        """`path` is of the event, `place` of the pattern, which also names `$or`."""
        if not value:
            refuse(place, "an empty object", "one field or more")
        for key, item in value:
            where = join(place, key)
            if key == OR and isinstance(item, list):
                self._read_or(item, path, where)
                continue
            if alternative and key in RESERVED:
                refuse(where, f"{key} is an operator, not a field, within {OR}", "fields")
            keys = (*path, key)
            if isinstance(item, Members):
                self.read_object(item, keys, where, alternative=alternative)
            elif isinstance(item, list):
                self._read_field(item, ".".join(keys), where)
            else:
                refuse(
                    where,
                    "a field without a list",
                    "a list of values and operators, or an object of fields",
                )

    def _read_field(self, items: list[Any], path: str, place: str) -> None:
        if not items:
            refuse(place, "an empty list", "one value or operator, or more")
        conditions = tuple(
            read_condition(item, f"{place}[{index}]", self._language)
            for index, item in enumerate(items)
        )
        _check_wildcards(conditions, place)
        self.branches = self.branches or [{}]
        for branch in self.branches:
            branch[path] = conditions

    def _read_or(self, items: list[Any], path: tuple[str, ...], place: str) -> None:
        if len(items) < 2:
            refuse(place, f"{OR} of fewer than two objects", "a list of two objects or more")
        before, after = self.branches or [{}], []
        for index, item in enumerate(items):
            where = f"{place}[{index}]"
            if not isinstance(item, Members):
                refuse(where, f"{shown(item)} within {OR}", "objects of fields")
            self.branches = [dict(branch) for branch in before]
            self.read_object(item, path, where, alternative=True)
            after += self.branches
            if len(after) > BRANCHES_MAX:
                refuse(place, f"over {BRANCHES_MAX} combinations of {OR}", "fewer alternatives")
        self.branches = after


def _check_wildcards(conditions: tuple[Condition, ...], place: str) -> None:
    inner = [it for condition in conditions for it in (condition, *condition.none_of)]
    check_complexity([it.pieces for it in inner if it.kind == "wildcard"], place)
