"""One replication: a scenario in the words of the file format, run on the core."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np

import nephoscope as nph
from nephoscope import _core
from nephoscope.scenario.compile import compile_scenario
from theory.laws import SILENT_PER_SECOND

NS = 1e9


class Latency:
    """A histogram of the engine in seconds, interpolated within its buckets.

    The engine answers a quantile with the middle of its bucket, up to 0.4 % off by design. Theory
    is tested on the counts themselves: within a bucket the law is taken to be linear, which is
    wrong by far less than any standard error here.
    """

    def __init__(self, histogram: _core.Histogram) -> None:
        self._histogram = histogram
        self.count = histogram.count

    @property
    def mean(self) -> float:
        return self._histogram.sum / self.count / NS

    @property
    def second(self) -> float:
        """Mean of the squares."""
        return self._histogram.sum_of_squares / self.count / NS**2

    @property
    def share_of_zero(self) -> float:
        lower, _, counts = self._histogram.buckets()
        return float(counts[0] / self.count) if lower[0] == 0 else 0.0

    @cached_property
    def _cumulative(self) -> tuple[np.ndarray, np.ndarray]:
        """Edges of the buckets and the counts below them."""
        lower, upper, counts = self._histogram.buckets()
        below = np.concatenate([[0.0], np.cumsum(counts.astype(float))])
        edges = np.column_stack([lower, upper + 1]).ravel().astype(float)
        return edges, np.column_stack([below[:-1], below[1:]]).ravel()

    def share_above(self, seconds: float) -> float:
        edges, below = self._cumulative
        # A time of exactly that many ns is not above it.
        return float(1 - np.interp(math.floor(seconds * NS) + 1, edges, below) / self.count)

    def quantile(self, p: float) -> float:
        edges, below = self._cumulative
        return float(np.interp(p * self.count, below, edges) / NS)


class Run:
    """A world with the names of its scenario."""

    def __init__(self, scenario: dict[str, Any], seed: int) -> None:
        spec = compile_scenario(nph.Scenario.model_validate(scenario), seed=seed)
        self._world = _core.World(spec)
        self._duration_ns, self._warmup_ns = spec.duration_ns, spec.warmup_ns
        self._rated = [
            i
            for i, source in enumerate(scenario["traffic"].values())
            if source.get("arrivals", "poisson") in ("poisson", "constant")
        ]
        self.sources = list(scenario["traffic"])
        self._fleets = list(scenario["fleets"])
        self._stopped_ns: int | None = None
        self._results: dict[str, Any] | None = None
        self.seen: dict[str, float] = {}

    def advance(self, seconds: float) -> None:
        # Everything at the instant itself has happened, which is what N(t) means.
        self._world.advance(round(seconds * NS) + 1)

    def now(self) -> float:
        return (self._world.now_ns - 1) / NS

    def stop(self) -> None:
        """No more arrivals."""
        assert len(self._rated) == len(self.sources)
        for index in self._rated:
            self._world.set_rate(index, SILENT_PER_SECOND)
        self._stopped_ns = self._world.now_ns

    def relay(self, rate: float) -> None:
        """The second source takes over from the first, at its rate."""
        assert self.sources == ["customers", "others"]
        self.stop()
        self._world.set_rate(1, rate)

    def window(self) -> float:
        """Seconds in which requests were measured as they arrived."""
        end = self._duration_ns if self._stopped_ns is None else self._stopped_ns
        return (end - self._warmup_ns) / NS

    def in_flight(self, name: str) -> int:
        return int(self._world.state()["in_flight"][self.sources.index(name)])

    def numbers(self, fleet: str) -> np.ndarray:
        """Requests in each instance of a fleet now, served or waiting."""
        state = self._world.state()
        here = state["fleet"] == self._fleets.index(fleet)
        return (state["busy_workers"] + state["waiting"])[here]

    def finish(self) -> None:
        self._world.advance(self._duration_ns)
        self._results = self._world.results()

    @property
    def results(self) -> dict[str, Any]:
        assert self._results is not None, "the run has not ended"
        return self._results

    @property
    def events(self) -> int:
        return int(self._world.events)

    def traffic(self, name: str) -> dict[str, Any]:
        return self.results["traffic"][self.sources.index(name)]

    def latency(self, name: str) -> Latency:
        return Latency(self.traffic(name)["latency"])

    def fleet(self, name: str) -> dict[str, Any]:
        return self.results["fleets"][self._fleets.index(name)]

    def fleet_latency(self, name: str) -> Latency:
        return Latency(self.fleet(name)["latency"])
