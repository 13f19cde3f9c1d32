"""From a scenario to its results."""

import time
from collections.abc import Callable, Mapping, Sequence
from threading import Event

import numpy as np
import numpy.typing as npt

from nephoscope import _core
from nephoscope.cost import costs
from nephoscope.results import Result
from nephoscope.scenario import Scenario
from nephoscope.scenario.compile import compile_scenario
from nephoscope.scenario.language.fleet import Fleet

# Called every now and then with simulated time (ns) and the events so far.
Progress = Callable[[int, int], None]

# How long the engine runs between looks at the keyboard and at the clock.
_SLICE_S = 0.1

# The pilot run that looks for the end of the warm-up samples as often as this.
_PILOT_INTERVALS = 2000
_BATCH = 5


def run(
    scenario: Scenario,
    *,
    rng: int | None = None,
    replication: int = 0,
    warmup_ns: int | None = None,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> Result:
    """Simulate a scenario to its end.

    `rng` is the seed, by default the scenario's own; replications of one seed draw from streams
    that have nothing in common. `warmup_ns` stands in for the scenario's warm-up. `stop` lets
    another thread end the run early, with KeyboardInterrupt.
    """
    seed = scenario.seed if rng is None else int(rng)
    start = time.perf_counter()
    if warmup_ns is None:
        warmup_ns = warmup_of(scenario, seed)
    spec = compile_scenario(scenario, seed=seed, replication=replication, warmup_ns=warmup_ns)
    world = _core.World(spec)
    advance(world, spec.duration_ns, progress, stop)
    return result_of(world, scenario, seed, replication, time.perf_counter() - start)


def result_of(
    world: _core.World,
    scenario: Scenario,
    seed: int,
    replication: int,
    wall_s: float,
    makes: Mapping[str, Sequence[Fleet]] | None = None,
) -> Result:
    """The results of a world as it stands; `makes` are all that its fleets have been."""
    numbers = world.results()
    if makes is None:
        makes = {name: fleet.makes for name, fleet in scenario.fleets.items()}
    return Result(
        numbers,
        scenario=scenario.name,
        seed=seed,
        replication=replication,
        vcpus={name: fleet.instance_type.vcpus for name, fleet in scenario.fleets.items()},
        cost=costs(scenario, numbers, makes),
        makes=makes,
        source=scenario,
        wall_s=wall_s,
    )


def advance(
    world: _core.World, until_ns: int, progress: Progress | None = None, stop: Event | None = None
) -> None:
    """Advance a world in slices of real time, so that it can be watched and interrupted."""
    begin_ns = world.now_ns
    slice_ns = max((until_ns - begin_ns) // 1000, 1)
    while world.now_ns < until_ns:
        start = time.perf_counter()
        world.advance(min(world.now_ns + slice_ns, until_ns))
        took_s = time.perf_counter() - start
        # At most double: the next slice may hold far more than this one did.
        factor = min(max(_SLICE_S / max(took_s, 1e-9), 0.25), 2.0)
        slice_ns = max(int(slice_ns * factor), 1)
        if progress is not None:
            progress(world.now_ns, world.events)
        if stop is not None and stop.is_set():
            raise KeyboardInterrupt


def warmup_of(scenario: Scenario, seed: int) -> int:
    """The warm-up in nanoseconds; one of `auto` is found by a pilot run with the same seed."""
    if scenario.warmup != "auto":
        return int(scenario.warmup)
    spec = compile_scenario(scenario, seed=seed, warmup_ns=0)
    spec.series_ns = max(spec.duration_ns // _PILOT_INTERVALS, 1)
    world = _core.World(spec)
    advance(world, spec.duration_ns)
    in_system = result_of(world, scenario, seed, 0, 0.0).in_system()
    return 0 if in_system is None else mser5(in_system) * spec.series_ns


def mser5(values: npt.NDArray[np.float64]) -> int:
    """How many of the first values to drop, by the marginal standard error rule (MSER-5).

    Of means of five values each, as many are dropped as make the standard error of the mean of the
    rest least; never more than half, for beyond that the rule is known to fail (White, 1997).
    """
    batches = len(values) // _BATCH
    if batches < 4:
        return 0
    means = values[: batches * _BATCH].reshape(batches, _BATCH).mean(axis=1)
    # From the back, so that the sums of every tail come from one pass.
    tail = np.arange(batches, 0, -1)
    sums = np.cumsum(means[::-1])[::-1]
    squares = np.cumsum((means**2)[::-1])[::-1]
    errors = (squares - sums**2 / tail) / tail**2
    return int(np.argmin(errors[: batches // 2])) * _BATCH
