"""Changes that take effect some time after they were asked for."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from nephoscope import _core
from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.language.fields import refusal
from nephoscope.scenario.units import Duration

# No run gets there, ns.
_LATEST = 2**61


class Change(Protocol):
    """What is asked for at a time."""

    @property
    def at(self) -> Duration:
        """When it is asked for."""
        ...


def in_order(changes: Sequence[Change]) -> None:
    """Refuse changes that are not in the order of time."""
    times = [each.at for each in changes]
    for before, at in itertools.pairwise(times):
        if at <= before:
            allowed = f"more than {before}, or another order"
            raise refusal(f"changes: one at {at} behind one at {before}", allowed)


class Propagation(NamedTuple):
    """How long changes take, drawn for one run."""

    law: Callable[[Distribution], _core.Distribution]
    seed: int
    replication: int

    def effects(
        self, changes: Mapping[int, tuple[Duration, Distribution]], stream: str
    ) -> list[tuple[int, int]]:
        """The changes that take effect, by number, and when, in nanoseconds.

        They were asked for in this order. What is asked for later is what counts in the end: a
        change that would come no earlier than a later one does not come at all.
        """
        found: list[tuple[int, int]] = []
        for number, (at, takes) in reversed(list(changes.items())):
            drawn = _core.sample(
                self.law(takes), self.seed, self.replication, stream, 1, start=number
            )
            effect = int(at) + round(float(drawn[0]))
            if effect < (found[-1][1] if found else _LATEST):
                found.append((number, effect))
        return found[::-1]
