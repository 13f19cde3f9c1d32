"""What is run: a model is a scenario, what is read from it, and what theory says of that.

A run has three parts: the warm-up, the measured window, and a drain in which every request of the
window ends, so that none is censored. Under `fifo` what arrives later cannot change the fate of
what came before, and the drain is silent. Where it could, as under processor sharing, a second
source of the same kind takes over for the time of the drain and is not in the figures. Models
without a drain have so long a window that the few requests left in it weigh far less than the
standard error.
"""

from __future__ import annotations

import math
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from theory.accept import Estimate, estimate
from theory.engine import Run
from theory.laws import Scenario

Figures = dict[str, float]
Make = Callable[[int, Path], Scenario]

THREADS = 2
LONGER = 3.0  # how many times as long the slow suite runs


@dataclass(frozen=True)
class Model:
    """One system, run in independent replications."""

    name: str
    scenario: Scenario | Make  # without duration and warm-up, which the run adds
    rate: float  # requests a second, over all sources
    read: Callable[[Run], Figures]  # at the end of a replication
    theory: Mapping[str, float] = field(default_factory=dict)
    points: Mapping[float, float] = field(default_factory=dict)  # quantiles by level, s
    warmup: float = 100.0  # s
    drain: float = 0.0  # s; 0: the run ends with the window
    relay: bool = False  # a second source sends during the drain
    requests: float = 4e6  # measured, over all replications, in the fast suite
    replications: int = 30
    window: float = 0.0  # s; where it is what it is, in every suite
    sample: Callable[[Run], Figures] | None = None  # in the course of the window, averaged
    samples: int = 0  # at equal distances, unless
    instants: tuple[float, ...] = ()  # are given, s

    def length(self, scale: float) -> float:
        """Seconds of one measured window."""
        if self.window > 0:
            return self.window
        return float(math.ceil(self.requests * scale / self.replications / self.rate))

    def sampled_at(self, scale: float) -> Sequence[float]:
        if self.instants:
            return self.instants
        count = math.ceil(self.samples * scale)
        return [self.warmup + (k + 1) * self.length(scale) / count for k in range(count)]

    def replicate(self, number: int, scale: float) -> Figures:
        """The figures of one replication."""
        with tempfile.TemporaryDirectory() as folder:
            made = self.scenario
            scenario = made if isinstance(made, dict) else made(number, Path(folder))
            return self._observe(scenario, number, scale)

    def _observe(self, scenario: Scenario, number: int, scale: float) -> Figures:
        end = self.warmup + self.length(scale)
        window = {"duration": f"{end + self.drain:.9f}s", "warmup": f"{self.warmup:.9f}s"}
        scenario = {"nephoscope": 1, "name": "theory", "series": "none", **window, **scenario}
        run = Run(scenario, seed=zlib.crc32(self.name.encode()) * 1000 + number)
        sums: Figures = {}
        instants = self.sampled_at(scale) if self.sample else ()
        for instant in instants:
            run.advance(instant)
            for key, value in self.sample(run).items():
                sums[key] = sums.get(key, 0.0) + value / len(instants)
        run.advance(end)
        if self.drain > 0:
            if self.relay:
                run.relay(self.rate)
            else:
                run.stop()
            run.advance(end + self.drain)
            left = sum(run.in_flight(name) for name in run.sources if name != "others")
            assert left == 0, f"{self.name}: the drain is too short"
        run.finish()
        return sums | self.read(run)


MODELS: dict[str, Model] = {}


def run(model: Model, scale: float = 1.0) -> dict[str, Estimate]:
    """The estimates of a model; several tests may ask for the same run, which is made once."""
    length = (model.requests, model.replications, model.warmup, model.samples)
    key = " ".join(map(str, (model.name, *length)))
    known = MODELS.setdefault(key, model)
    same = known.scenario == model.scenario or callable(model.scenario)
    assert same, f"two models are named {model.name}"
    return _run(key, scale)


@lru_cache(maxsize=64)
def _run(key: str, scale: float) -> dict[str, Estimate]:
    model = MODELS[key]
    with ThreadPoolExecutor(THREADS) as pool:
        rows = list(pool.map(lambda i: model.replicate(i, scale), range(model.replications)))
    return {key: estimate([row[key] for row in rows]) for key in rows[0]}
