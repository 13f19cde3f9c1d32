"""What theory has to say about a part: its figures, or the reasons why there are none."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["exact", "bounds", "limit", "approximation"]

# A share of requests that no mean feels.
NEGLIGIBLE = 1e-4


@dataclass(frozen=True)
class Figure:
    """A number that a run will show, as far as theory knows it."""

    name: str
    path: str
    """Where results have it."""
    low: float
    high: float
    """The same as `low` where there is one value."""
    kind: Kind = "exact"
    unit: Literal["s", "share", "/s"] = "s"
    over: str | None = None
    """The path of what the number in the results is divided by."""


@dataclass(frozen=True)
class Answer:
    """Of one part: a model with its figures, or reasons."""

    part: str
    """Its path in the results."""
    model: str | None = None
    source: str = ""
    """Where the formula is from."""
    figures: tuple[Figure, ...] = ()
    reasons: tuple[str, ...] = ()
    """Why no model fits."""
    notes: tuple[str, ...] = ()
    """What the run is too short for, or what a limit leaves out."""
    poisson_out: bool = False
    """Whether those who leave are a Poisson process too."""


@dataclass(frozen=True)
class Fit:
    """A model that fits a station, in seconds."""

    model: str
    source: str
    mean: tuple[float, float]
    """Of the latency: a value twice, or its bounds."""
    kind: Kind = "exact"
    quantiles: tuple[tuple[str, float], ...] = ()
    tail: Callable[[float], float] | None = None
    """A bound of the share of requests that take longer; by default that of Markov."""
    loss: float = 0.0
    reversible: bool = False
    """Whether departures are Poisson as arrivals are: Burke (1956); of sharing, Kelly (1979)."""
    relaxation: float = 0.0
    notes: tuple[str, ...] = ()

    def beyond(self, t: float) -> float:
        """At most this share of the requests takes longer than t seconds."""
        if self.tail is not None:
            return min(self.tail(t), 1.0)
        return min(self.mean[1] / t, 1.0)


@dataclass(frozen=True)
class Load:
    """What a fleet has to do: the law of utilisation, which holds whatever the laws are."""

    fleet: str
    rate: float
    peak: float
    at_most: bool
    assumed: bool
    """Whether its share of a balancer or a queue is that of equal treatment."""
    work: float
    """CPU seconds of a request."""
    instances: int
    """That share it."""
    spare: int
    """Others, which nothing comes to."""
    vcpus: int
    """Of an instance."""
    utilization: float
    """Of the vCPUs that get requests."""
    peak_utilization: float
    workers: float | None
    """Share of its workers that are held at least, where that may be more than the vCPUs."""
    notes: tuple[str, ...] = ()

    @property
    def overloaded(self) -> bool:
        """Whether more is asked of it than it can do."""
        return max(self.utilization, self.workers or 0.0) >= 1.0


@dataclass(frozen=True)
class QueueLoad:
    """What a queue has to carry."""

    queue: str
    sent: float
    received: float
    at_most: bool
    capacity: float | None
    """Messages a second that its consumers can take; None without consumers."""
    notes: tuple[str, ...] = ()

    @property
    def overloaded(self) -> bool:
        """Whether it fills faster than it empties."""
        return self.capacity is not None and self.received >= self.capacity
