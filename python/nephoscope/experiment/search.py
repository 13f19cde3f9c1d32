"""The least place from which on something holds, in few trials."""

from collections.abc import Callable


def least(holds: Callable[[int], bool], count: int, start: int) -> int | None:
    """The least of the places 0 to count - 1 where it holds, or None where it holds in none.

    What holds somewhere is taken to hold everywhere after. From `start` on steps double until both
    sides are known, then halves are taken; no place is tried twice.
    """
    if holds(start):
        good, step = start, 1
        while True:
            if good == 0:
                return 0
            bad = max(start - step, 0)
            if not holds(bad):
                break
            good, step = bad, 2 * step
    else:
        bad, step = start, 1
        while True:
            if bad == count - 1:
                return None
            good = min(start + step, count - 1)
            if holds(good):
                break
            bad, step = good, 2 * step
    while good - bad > 1:
        middle = (good + bad) // 2
        if holds(middle):
            good = middle
        else:
            bad = middle
    return good


def trials_max(count: int) -> int:
    """How many places `least` tries at most."""
    # Doubling steps reach the end in as many as the number has bits, halves take as many less one.
    bits = max(count - 1, 1).bit_length()
    return 2 * bits + 1
