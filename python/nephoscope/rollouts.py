"""Rollouts: what may become of a system from a state on, many times, under one or several settings.

A simulation is brought to where a decision has to be made, once. From there many go on, each with
other random numbers, under each of the settings that are to be chosen from; the same number of a
branch means the same random numbers under all settings, so differences between settings are paired.
"""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from threading import Event
from typing import Any

from nephoscope.errors import ScenarioError
from nephoscope.experiment.replicate import Replications
from nephoscope.experiment.runs import Progress, check_threads, in_threads
from nephoscope.results import Result
from nephoscope.simulation import Simulation

AS_IT_IS = "as it is"


def rollouts(
    simulation: Simulation,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    count: int = 30,
    *,
    by: str | float | timedelta | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Replications]:
    """Let a simulation go on `count` times under each of the settings; it stays where it is.

    `settings` have by a name of your own what `Simulation.set` is to change (`{"fleets.web.count":
    5}`, or nothing), by default one that changes nothing. Each branch goes on for a duration, by
    default to the end. The results are those of whole runs, with the past that all share in them;
    their intervals are of what may come after this past. They do not depend on the number of
    threads.
    """
    if count < 1:
        raise ValueError("at least one branch of each setting")
    if settings is not None and not settings:
        raise ScenarioError("no settings: at least one, which may be empty")
    check_threads(threads)
    start = time.perf_counter()
    begun: dict[str, Simulation] = {}
    for name, values in (settings or {AS_IT_IS: {}}).items():
        begun[name] = simulation.fork()
        for path, value in values.items():
            begun[name].set(path, value)
    tasks: list[Callable[[], Result]] = [
        partial(_rolled_out, it, branch, by) for it in begun.values() for branch in range(count)
    ]
    found = in_threads(tasks, Event(), threads, progress)
    wall_s = time.perf_counter() - start
    return {
        name: Replications(found[i * count : (i + 1) * count], wall_s)
        for i, name in enumerate(begun)
    }


def _rolled_out(begun: Simulation, branch: int, by: str | float | timedelta | None) -> Result:
    # Number 0 would go on as the simulation itself will.
    going = begun.fork(replication=begun.replication + 1 + branch)
    going.advance(by)
    return going.result()
