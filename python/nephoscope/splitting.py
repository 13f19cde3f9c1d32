"""Splitting: how much of the time a number in the system is at least so high, however rare that is.

A plain run that is to see something a hundred times must last a hundred times as long as that takes
to happen. Splitting goes there in steps (L'Ecuyer, Le Gland, Lezaud and Tuffin, in Rubino and
Tuffin, Rare Event Simulation, 2009, chapter 3). The system is looked at at instants one step apart.
A long plain run tells how often the number rises above a base, and what the system is like then.
From such states, in turn, `effort` simulations go on, each with random numbers of its own,
until the number has reached the next level or is back at the base. What they were like at the
level is where the next stage begins, and so on up to the last; there the time is taken that they
spend at or above it until they are back at the base. The share of time is

    (rises above the base an instant) x (the shares that got from level to level)
        x (mean number of instants at or above the last level, of those that have reached it)

which no choice of levels makes wrong, for the states are taken as they are found: other levels only
change by how much the estimate varies. That is told by repetitions, each with a plain
run of its own; the levels are found by one that is not counted.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np

from nephoscope import _core
from nephoscope.errors import ExperimentError, PathError
from nephoscope.experiment.interval import CONFIDENCE, Interval
from nephoscope.experiment.replicate import interval_tree
from nephoscope.experiment.runs import Progress, check_confidence
from nephoscope.nearest import listing, nearest
from nephoscope.scenario import Scenario
from nephoscope.scenario.compile import compile_scenario
from nephoscope.scenario.units import DURATION_MAX_NS
from nephoscope.simulation import span_ns

# A level that about a quarter of those below it reach varies least for its work.
_REACHING = 0.25
# So many are needed at each level for the shares to mean anything.
_EFFORT_MIN = 10
# Numbers of replications that nobody else uses: the streams of branches.
_FIRST_BRANCH = 2**40

Measure = Callable[[_core.World], int]


@dataclass(frozen=True)
class Tail:
    """The share of time at or above a level, and how it was found."""

    path: str
    at_least: int
    probability: Interval
    """From the repetitions, with Student's interval."""
    base: int
    levels: tuple[int, ...]
    shares: tuple[float, ...]
    """Of each level after the first: how many got there from the one before, over all."""
    effort: int
    events: int
    """Events that were simulated for it, those of the search for levels included."""
    wall_s: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "path": self.path,
            "at_least": self.at_least,
            "probability": interval_tree(self.probability),
            "base": self.base,
            "levels": list(self.levels),
            "shares": list(self.shares),
            "effort": self.effort,
            "events": self.events,
        }


def splitting(
    scenario: Scenario,
    path: str,
    at_least: int,
    *,
    every: str | float | timedelta,
    effort: int = 200,
    repetitions: int = 10,
    levels: Sequence[int] | None = None,
    confidence: float = CONFIDENCE,
    rng: int | None = None,
    progress: Progress | None = None,
) -> Tail:
    """The share of time during which a number is at least `at_least`, in the steady state.

    `path` is `traffic.NAME.in_flight`, `fleets.NAME.waiting`, the requests that wait at the
    instances of a fleet, or `queues.NAME.depth`, all messages of a queue. The system is looked at
    `every` so often, as long as some requests take. A plain run of the length of the scenario,
    warm-up left out, begins each of the repetitions; `effort` simulations go on from each level.
    `levels` are above the base and end below `at_least`; they are found unless given. `progress` is
    called with the repetitions that have ended.

    Raises ExperimentError where nothing rises above the base, or nothing gets to the last level: a
    longer duration, or more effort, would tell.
    """
    if effort < _EFFORT_MIN:
        raise ValueError(f"an effort of at least {_EFFORT_MIN}")
    if repetitions < 2:
        raise ValueError("at least two repetitions: one has no interval")
    check_confidence(confidence)
    start = time.perf_counter()
    step_ns = span_ns(every, "every")
    if step_ns < 1:
        raise ValueError("looks are some time apart: `every` is above 0")
    seed = scenario.seed if rng is None else int(rng)
    ladder = _Ladder(scenario, seed, path, step_ns, effort)
    base, found = ladder.find(at_least, levels)
    shares, estimates = [], []
    for repetition in range(1, repetitions + 1):
        estimate, reached = ladder.climb(repetition, base, found)
        estimates.append(estimate)
        shares.append(reached)
        if progress is not None:
            progress(repetition)
    if not any(estimates):
        raise ExperimentError(f"none got to {at_least}: more effort or more levels are needed")
    probability = Interval.of(estimates, confidence)
    return Tail(
        path,
        at_least,
        replace(probability, low=max(probability.low or 0.0, 0.0)),
        base,
        tuple(found),
        tuple(float(it) for it in np.mean(shares, axis=0)),
        effort,
        ladder.events,
        time.perf_counter() - start,
    )


class _Ladder:
    """Worlds of one scenario, from whose states others go on with other random numbers."""

    def __init__(self, scenario: Scenario, seed: int, path: str, step_ns: int, effort: int) -> None:
        self._scenario = scenario
        self._seed = seed
        self._step_ns = step_ns
        self._effort = effort
        self._measure = _measure_of(scenario, path)
        self._path = path
        warmup = 0 if scenario.warmup == "auto" else int(scenario.warmup)
        self._warmup_ns, self._plain_ns = warmup, int(scenario.duration)
        self._spec = compile_scenario(scenario, seed=seed, warmup_ns=0)
        # Branches go on after the end of the plain run; and nobody asks for a series.
        self._spec.duration_ns = max(min(self._plain_ns * 1000, DURATION_MAX_NS), self._plain_ns)
        self._spec.series_ns = 0
        self._spec.traces = 0
        self._branches = 0
        self.events = 0

    def find(self, at_least: int, levels: Sequence[int] | None) -> tuple[int, list[int]]:
        """The base, and the levels with the last of them, from a run that is not counted."""
        values = self._plain_values()
        base = int(np.median(values))
        if at_least <= base + 1:
            raise PathError(
                f"{self._path} is at least {at_least} for much of the time: a plain run tells that"
            )
        if levels is not None:
            given = [int(level) for level in levels]
            if sorted({*given, base, at_least}) != [base, *given, at_least]:
                raise ValueError(f"levels rise, above {base} and below {at_least}")
            first = [] if given and given[0] == base + 1 else [base + 1]
            return base, [*first, *given, at_least]
        found = [base + 1]
        states, _ = self._rises(0, base)
        rng = np.random.default_rng([self._seed, 0])
        while found[-1] < at_least:
            tops = [self._top(states[i], base, at_least) for i in self._drawn(rng, states)]
            wanted = int(np.quantile(tops, 1.0 - _REACHING, method="lower"))
            level = min(max(wanted, found[-1] + 1), at_least)
            found.append(level)
            if level < at_least:
                states = self._stage(rng, states, base, level)[0]
            if not states:
                raise ExperimentError(
                    f"none of {self._effort} got to {level}: more effort is needed"
                )
        return base, found

    def climb(self, repetition: int, base: int, levels: Sequence[int]) -> tuple[float, list[float]]:
        """One estimate, and the shares that got from level to level."""
        rng = np.random.default_rng([self._seed, repetition])
        states, rate = self._rises(repetition, base)
        shares = []
        for level in levels[1:]:
            states, share = self._stage(rng, states, base, level)
            shares.append(share)
            if not states:
                # An estimate like any other: to leave it out would make all of them too high.
                return 0.0, shares + [0.0] * (len(levels) - 1 - len(shares))
        stays = [self._stay(states[i], base, levels[-1]) for i in self._drawn(rng, states)]
        return rate * float(np.prod(shares)) * float(np.mean(stays)), shares

    def _plain_values(self) -> list[int]:
        world = self._world(0)
        return [self._measure(world) for _ in self._looks(world)]

    def _rises(self, repetition: int, base: int) -> tuple[list[bytes], float]:
        """The states in which a plain run had just risen above the base, and how often it did."""
        world = self._world(repetition)
        states: list[bytes] = []
        looks, below = 0, False
        for _ in self._looks(world):
            looks += 1
            above = self._measure(world) > base
            if above and below:
                states.append(world.save())
            below = not above
        if len(states) < 2:
            raise ExperimentError(
                f"{self._path} rose above {base} {len(states)} times: a longer duration is needed"
            )
        return states, len(states) / looks

    def _looks(self, world: _core.World) -> Any:
        """Advance a plain run from look to look."""
        for now_ns in range(self._warmup_ns, self._plain_ns, self._step_ns):
            self._advance(world, now_ns)
            yield now_ns

    def _stage(
        self, rng: np.random.Generator, states: list[bytes], base: int, level: int
    ) -> tuple[list[bytes], float]:
        """The states of those that got to the level from these states, and what share they are."""
        reached = []
        for i in self._drawn(rng, states):
            world = self._branch(states[i])
            while base < (value := self._measure(world)) < level:
                self._step(world)
            if value >= level:
                reached.append(world.save())
        return reached, len(reached) / self._effort

    def _top(self, state: bytes, base: int, enough: int) -> int:
        """How high one gets before it is back at the base."""
        world = self._branch(state)
        top = 0
        while base < (value := self._measure(world)) < enough:
            top = max(top, value)
            self._step(world)
        return max(top, value)

    def _stay(self, state: bytes, base: int, level: int) -> int:
        """Looks at which one is at or above the level before it is back at the base."""
        world = self._branch(state)
        looks = 0
        while (value := self._measure(world)) > base:
            looks += value >= level
            self._step(world)
        return looks

    def _step(self, world: _core.World) -> None:
        if world.now_ns + self._step_ns > world.duration_ns:
            raise ExperimentError(f"{self._path} did not come back down: there is no steady state")
        self._advance(world, world.now_ns + self._step_ns)

    def _advance(self, world: _core.World, until_ns: int) -> None:
        # A branch has those of its past as well, which have been counted.
        before = world.events
        world.advance(until_ns)
        self.events += world.events - before

    def _drawn(self, rng: np.random.Generator, states: list[bytes]) -> list[int]:
        """Which states go on: all as often, but for one, in an order at random."""
        order = rng.permutation(len(states))
        return [int(order[i % len(states)]) for i in range(self._effort)]

    def _world(self, replication: int) -> _core.World:
        self._spec.replication = replication
        return _core.World(self._spec)

    def _branch(self, state: bytes) -> _core.World:
        self._branches += 1
        self._spec.replication = _FIRST_BRANCH + self._branches
        return _core.World.restore(self._spec, state)


def _measure_of(scenario: Scenario, path: str) -> Measure:
    """What reads the number off a world."""
    match path.split("."):
        case ["traffic", name, "in_flight"] if name in scenario.traffic:
            index = list(scenario.traffic).index(name)
            return lambda world: int(world.state()["in_flight"][index])
        case ["fleets", name, "waiting"] if name in scenario.fleets:
            fleet = list(scenario.fleets).index(name)

            def waiting(world: _core.World) -> int:
                state = world.state()
                return int(state["waiting"][state["fleet"] == fleet].sum())

            return waiting
        case ["queues", name, "depth"] if name in scenario.queues:
            queue = list(scenario.queues).index(name)

            def depth(world: _core.World) -> int:
                state = world.state()
                return sum(int(state[of][queue]) for of in ("visible", "delayed", "received"))

            return depth
    known = [f"traffic.{it}.in_flight" for it in scenario.traffic]
    known += [f"fleets.{it}.waiting" for it in scenario.fleets]
    known += [f"queues.{it}.depth" for it in scenario.queues]
    word = nearest(path, known)
    hint = f"; did you mean {word}?" if word else ""
    raise PathError(f"no number {path!r} to be watched{hint} (there: {listing(known)})")
