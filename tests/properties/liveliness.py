"""Random systems prove little if nothing happens in them: they are drawn until enough has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

BATCHES = 8


def derandomised(examples: int) -> Any:
    """The phases leave out the database of earlier failures: nothing is remembered between runs."""
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


def look_until_seen(
    look: Callable[[Any], None],
    systems: SearchStrategy[Any],
    examples: int,
    seen: Counter[str],
    often: Iterable[str],
    rare: Iterable[str] = (),
) -> None:
    """Looks at so many systems, and at further batches until each has been seen: `often` in 3.

    What is drawn differs with whatever else a process has loaded, so a share of one batch is no
    constant; that nothing of a kind ever happens in eight batches is no chance.
    """
    least = dict.fromkeys(rare, 1) | dict.fromkeys(often, 3)
    for batch in range(BATCHES):
        seed(batch)(settings(derandomised(examples), derandomize=False)(given(systems)(look)))()
        if all(seen[what] >= count for what, count in least.items()):
            return
    raise AssertionError(f"seen too rarely: {seen}, wanted {least}")
