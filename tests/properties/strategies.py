"""Strategies that are made once: to make one, and to look whether it is sound, takes longer than to
draw from it, and a random system draws from some hundred of them.

Draws are the same as from `hypothesis.strategies`. A strategy is remembered only where its
arguments are plain and immutable, so that nobody shares a dictionary with somebody else.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Make = Callable[..., SearchStrategy]


def _key(value: Any) -> Hashable:
    """Equal for what is the same and of the same type; raises TypeError for what may change."""
    if isinstance(value, tuple):
        return tuple(_key(part) for part in value)
    if value is None or isinstance(value, str | int | float | SearchStrategy):
        return type(value), value
    raise TypeError


def _remembered(make: Make, key: Callable[[tuple, dict], Hashable]) -> Make:
    known: dict[Hashable, SearchStrategy] = {}

    @wraps(make)
    def made(*args: Any, **options: Any) -> SearchStrategy:
        try:
            of = key(args, options)
        except TypeError:
            return make(*args, **options)
        if of not in known:
            known[of] = make(*args, **options)
        return known[of]

    return made


def _of_all(args: tuple, options: dict) -> Hashable:
    return _key(args), tuple((name, _key(value)) for name, value in sorted(options.items()))


def _of_elements(args: tuple, options: dict) -> Hashable:
    """A list of elements is copied by who samples from it, so only they must not change."""
    (elements,) = args
    return _of_all((tuple(elements),), options)


def __getattr__(name: str) -> Any:
    """All others are as they are; some of them remember by themselves."""
    return getattr(st, name)


sampled_from = _remembered(st.sampled_from, _of_elements)
lists = _remembered(st.lists, _of_all)


def composite(draw_one: Callable[..., Any]) -> Make:
    """The decorator of that name."""
    return _remembered(st.composite(draw_one), _of_all)
