"""Routing policies of the user's own, compiled: by whatever calls like C, or by numba.

A `RoutingPolicy` stands where a scenario built in Python has the word of a policy. In C it is a
function as `nephoscope/routing_policy.h` in `include()` has them. With numba, `compiled` makes one
of a function that takes a `View`:

    @nephoscope.routing.compiled(words=2)
    def two_choices(view):
        count = len(view.in_flight)
        a, b = below(view.words[0], count), below(view.words[1], count)
        return b if view.in_flight[b] < view.in_flight[a] else a
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, overload

import numpy as np

from nephoscope import _core
from nephoscope.errors import RAISED, Problem, ScenarioError
from nephoscope.extras import need
from nephoscope.scenario.language.compiled_policy import VERSION, RoutingPolicy

__all__ = ["VERSION", "RoutingPolicy", "View", "compiled", "include"]


class View(NamedTuple):
    """What a policy written for numba is shown: arrays by position, and numbers of the request."""

    numbers: Any
    """Of the target at its balancer, in the order of joining."""
    in_flight: Any
    weights: Any
    latency_ns: Any
    """Mean of its response times, 1/8 for the newest; 0 before any."""
    zones: Any
    client: Any
    hash: Any
    """Of the client, mixed."""
    now_ns: Any
    source: Any
    """Of traffic, in the order of the scenario."""
    event: Any
    """Of the message that it is sent for, from 1; 0: what its source says."""
    words: Any
    """Random 64-bit words, as many as were asked for."""
    state: Any
    """The policy's own, of the type that it was given with; what is written stays."""


def include() -> Path:
    """The folder for a compiler's `-I`: `#include <nephoscope/routing_policy.h>`."""
    return Path(str(_core.__file__)).parent / "include"


Function = Callable[[View], int]


@overload
def compiled(function: Function, /) -> RoutingPolicy: ...


@overload
def compiled(
    *, words: int = 1, state: Any = 0, name: str | None = None
) -> Callable[[Function], RoutingPolicy]: ...


def compiled(
    function: Function | None = None,
    /,
    *,
    words: int = 1,
    state: Any = 0,
    name: str | None = None,
) -> RoutingPolicy | Callable[[Function], RoutingPolicy]:
    """Have numba make a policy of a function that takes a `View` and returns a position.

    `state` is a number of bytes or an array, whose type and length the policy sees. What raises
    ends the run as an error; a function that returns anything but whole numbers is refused. Stands
    above a function with options in brackets, or without any. Needs `pip install
    'nephoscope[numba]'`.
    """
    numba = need("numba", "numba")
    begin = np.zeros(state, np.uint8) if isinstance(state, int) else np.ascontiguousarray(state)

    def decorate(function: Function) -> RoutingPolicy:
        policy = numba.njit(function)
        known = function.__name__ if name is None else name
        try:
            made = numba.cfunc("int64(voidptr)")(_adapter(numba, policy, begin.shape, begin.dtype))
        except numba.errors.TypingError:
            _check_returned(numba, policy, known)  # who may return None is told in our words
            raise
        _check_returned(numba, policy, known)
        return RoutingPolicy(made, name=known, words=words, state=begin)

    return decorate if function is None else decorate(function)


def _check_returned(numba: Any, policy: Any, name: str) -> None:
    """Refuse what is no position: the half of 1.5 would go without a word."""
    for signature in policy.nopython_signatures:
        kind = signature.return_type
        if not isinstance(kind, numba.types.Integer | numba.types.Boolean):
            message = f"{name} returns {kind}, which is no position of a target"
            allowed = "whole numbers on every way, from 0; a negative one is an error"
            raise ScenarioError([Problem("function", message, allowed=allowed)])


def _adapter(numba: Any, policy: Any, shape: Any, dtype: Any) -> Callable[[Any], int]:
    """From the struct of the header, which is fourteen words of 64 bits, to a view."""
    at = _pointer_of(numba)
    carray, u32, u64, f64 = numba.carray, np.uint32, np.uint64, np.float64

    def adapter(view: Any) -> int:
        whole = carray(view, 14, u64)
        halves = carray(view, 28, u32)
        count = halves[1]
        shown = View(
            carray(at(whole[1]), count, u32),
            carray(at(whole[2]), count, u32),
            carray(at(whole[3]), count, f64),
            carray(at(whole[4]), count, f64),
            carray(at(whole[5]), count, u32),
            whole[6],
            whole[7],
            np.int64(whole[8]),
            halves[18],
            halves[19],
            carray(at(whole[10]), whole[11], u64),
            carray(at(whole[12]), shape, dtype),
        )
        try:
            return np.int64(policy(shown))  # type: ignore[return-value]
        except Exception:
            return RAISED

    return adapter


def _pointer_of(numba: Any) -> Any:
    """What makes a pointer of an address."""
    cgutils = need("numba.core.cgutils", "numba")
    extending = need("numba.extending", "numba")

    def at(context: Any, address: Any) -> Any:
        del context

        def code(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], cgutils.voidptr_t)

        return numba.types.voidptr(address), code

    return extending.intrinsic(at)
