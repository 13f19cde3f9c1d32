"""The values that a search may try: whole numbers, or quantities a little apart.

A scale is counted from 0, so a search knows nothing of what it is looking for. Whole numbers are a
step of 1 apart, quantities (durations, rates, sizes, plain numbers) a factor of 1 + tolerance.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nephoscope.errors import UnitError, WordError, shorten
from nephoscope.scenario.units import Bandwidth, Duration, Rate, Size

INTEGER_MAX = 1024

_STEPS_MAX = 100_000
_QUANTITIES: tuple[Any, ...] = (Duration, Rate, Size, Bandwidth)


@dataclass(frozen=True)
class Scale:
    """`count` values in order, by their place."""

    count: int
    at: Callable[[int], Any]
    place_of: Callable[[Any], int | None]
    """The place of the nearest value; None of what is not of this kind."""

    def reversed(self) -> "Scale":
        """The same values from the other end."""
        last = self.count - 1

        def place_of(value: Any) -> int | None:
            place = self.place_of(value)
            return None if place is None else last - place

        return Scale(self.count, lambda place: self.at(last - place), place_of)


def scale_of(between: tuple[Any, Any] | None, present: Any, tolerance: float) -> Scale:
    """The scale between two values; without them, whole numbers from 1."""
    if not 0.0 < tolerance <= 1.0:
        raise WordError(f"a tolerance of {tolerance:g} is out of range", "above 0 up to 1: 5%")
    if between is None:
        if present is not None and not _is_whole(present):
            raise WordError(
                f"the range of {shorten(present)} is not known",
                "between two values, such as 10ms,2s",
            )
        return _whole(1, max(INTEGER_MAX, 2 * (present or 1)))
    low, high = between
    if _is_whole(low) and _is_whole(high):
        if not 0 <= low < high:
            raise WordError(f"{low} to {high} is no range", "the lesser value first, from 0")
        return _whole(low, high)
    return _quantities(low, high, tolerance)


def _whole(low: int, high: int) -> Scale:
    def place_of(value: Any) -> int | None:
        return min(max(value, low), high) - low if _is_whole(value) else None

    return Scale(high - low + 1, lambda place: low + place, place_of)


def _quantities(low: Any, high: Any, tolerance: float) -> Scale:
    kind, first, last = read_range(low, high)
    if not 0.0 < first < last:
        raise WordError(f"{low} to {high} is no range", "the lesser value first, and above 0")
    ratio = 1.0 + tolerance
    # The last step is as long as is left.
    steps = math.ceil(math.log(last / first) / math.log(ratio) - 1e-9)
    if steps > _STEPS_MAX:
        raise WordError(f"{low} to {high} in {steps} steps", f"at most {_STEPS_MAX}")

    def at(place: int) -> Any:
        if place in (0, steps):
            return low if place == 0 else high
        # Six digits, as a person would write it.
        value = float(f"{first * ratio**place:.6g}")
        if kind is None:
            return value
        return str(kind(round(value)) if issubclass(kind, int) else kind(value))

    def place_of(value: Any) -> int | None:
        try:
            number = float(value) if kind is None else float(kind.parse(value))
        except (UnitError, TypeError, ValueError):
            return None
        place = math.log(max(number, first) / first) / math.log(ratio)
        return min(round(place), steps)

    return Scale(steps + 1, at, place_of)


def read_range(low: Any, high: Any) -> tuple[Any, float, float]:
    """The kind of quantity that two values are, and both as numbers."""
    if all(isinstance(it, int | float) and not isinstance(it, bool) for it in (low, high)):
        return None, float(low), float(high)
    for kind in _QUANTITIES:
        try:
            return kind, float(kind.parse(low)), float(kind.parse(high))
        except UnitError:
            continue
    raise WordError(
        f"{shorten(low)} to {shorten(high)} is no range",
        "two whole numbers, numbers, durations, rates or sizes, such as 10ms,2s",
    )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
