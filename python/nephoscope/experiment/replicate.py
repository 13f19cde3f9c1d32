"""Replications: the same scenario with other random numbers, and intervals on everything."""

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cached_property
from threading import Event
from typing import Any

import numpy as np

from nephoscope import _core
from nephoscope.errors import PathError
from nephoscope.experiment.student import t_quantile
from nephoscope.fleet_results import latency_summary
from nephoscope.nearest import nearest
from nephoscope.results import FORMAT, Result
from nephoscope.run import run, warmup_of
from nephoscope.scenario import Scenario

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """The mean of a number over the replications, and how far off it may be."""

    mean: float
    half_width: float | None
    """Of the interval in which the true mean lies with a probability of 95 %; None of one run."""
    std: float | None
    """Standard deviation from run to run."""
    n: int
    """Replications that have the number: one without a request has no latency."""

    @property
    def low(self) -> float | None:
        """The lower end."""
        return None if self.half_width is None else self.mean - self.half_width

    @property
    def high(self) -> float | None:
        """The upper end."""
        return None if self.half_width is None else self.mean + self.half_width

    @classmethod
    def of(cls, values: Sequence[float]) -> "Interval":
        """Student's interval of independent values."""
        n = len(values)
        mean = float(np.mean(values))
        if n < 2:
            return cls(mean, None, None, n)
        std = float(np.std(values, ddof=1))
        return cls(mean, t_quantile(CONFIDENCE, n - 1) * std / n**0.5, std, n)


class Replications:
    """The results of all replications, in order, and their means with intervals."""

    def __init__(self, results: Sequence[Result], wall_s: float) -> None:
        self.results = tuple(results)
        self.wall_s = wall_s

    @cached_property
    def intervals(self) -> dict[str, Interval]:
        """Every number by its path, as in a Result."""
        values: dict[str, list[float]] = {}
        for result in self.results:
            for path, value in result.scalars():
                values.setdefault(path, []).append(value)
        return {path: Interval.of(numbers) for path, numbers in values.items()}

    def __getitem__(self, path: str) -> Interval:
        if path not in self.intervals:
            word = nearest(path, self.intervals)
            hint = f"; did you mean {word}?" if word else ""
            raise PathError(f"no {path!r} in these results{hint}")
        return self.intervals[path]

    def __len__(self) -> int:
        return len(self.results)

    def histogram(self, path: str) -> _core.Histogram:
        """The latencies (ns) of all replications together: `histogram("traffic.customers")`."""
        merged = _core.Histogram()
        for result in self.results:
            merged.merge(result.histogram(path))
        return merged

    @cached_property
    def fingerprint(self) -> str:
        """128 bits over the fingerprints of all replications in order."""
        digest = hashlib.blake2b(digest_size=16)
        for result in self.results:
            digest.update(bytes.fromhex(result.fingerprint))
        return digest.hexdigest()

    @property
    def flags(self) -> list[str]:
        """What a reader must know, with how many of the replications it holds of."""
        flags = [flag for result in self.results for flag in result.flags]
        return [
            f"{flag} ({flags.count(flag)} of {len(self)} replications)"
            for flag in dict.fromkeys(flags)
        ]

    def to_dict(self) -> dict[str, Any]:
        """The keys of a Result with means as their values, and `intervals` by path.

        `latencies` are those of all replications together: their quantiles are not means.
        """
        first = self.results[0]
        tree: dict[str, Any] = {
            "format": FORMAT,
            "scenario": first.scenario,
            "seed": first.seed,
            "replications": len(self),
            "engine": first.engine,
            "fingerprint": self.fingerprint,
            "simulated_s": first.simulated_s,
            "warmup_s": first.warmup_s,
            "measured_s": first.measured_s,
            "events": sum(result.events for result in self.results),
            "wall_s": self.wall_s,
            "in_flight": float(np.mean([result.in_flight for result in self.results])),
            "flags": self.flags,
        }
        for path, interval in self.intervals.items():
            _put(tree, path.split("."), interval.mean)
        names = [
            f"{section}.{name}"
            for section in ("traffic", "load_balancers", "fleets")
            for name in tree.get(section, {})
        ]
        tree["latencies"] = {name: latency_summary(self.histogram(name)) for name in names}
        tree["intervals"] = {
            path: {"mean": i.mean, "low": i.low, "high": i.high, "std": i.std, "n": i.n}
            for path, i in self.intervals.items()
        }
        return tree

    def __repr__(self) -> str:
        first = self.results[0]
        return f"Replications({first.scenario!r}, {len(self)}, seed={first.seed})"


def replicate(
    scenario: Scenario,
    replications: int = 30,
    *,
    rng: int | None = None,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Replications:
    """Run a scenario several times, a thread each, every time with other random numbers.

    The results do not depend on the number of threads, which is that of the processors unless told
    otherwise. `progress` is called with the number of replications that have ended.
    """
    if replications < 1:
        raise ValueError("at least one replication")
    if threads is not None and threads < 1:
        raise ValueError("at least one thread")
    start = time.perf_counter()
    seed = scenario.seed if rng is None else int(rng)
    # One pilot decides for all, so that all measure the same window.
    warmup_ns = warmup_of(scenario, seed)
    stop = Event()
    with ThreadPoolExecutor(threads or _processors(), "nephoscope") as pool:
        # All within the try: an interrupt at any moment must stop what has been started.
        try:
            futures: list[Future[Result]] = [
                pool.submit(run, scenario, rng=seed, replication=i, warmup_ns=warmup_ns, stop=stop)
                for i in range(replications)
            ]
            for done, future in enumerate(as_completed(futures), 1):
                future.result()
                if progress is not None:
                    progress(done)
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    results = [future.result() for future in futures]
    return Replications(results, time.perf_counter() - start)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _put(tree: dict[str, Any], path: list[str], value: float) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    tree[path[-1]] = value
