"""What an instance does with a request."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from nephoscope.scenario.language.admission import RateLimit, Shed
from nephoscope.scenario.language.bus import Put
from nephoscope.scenario.language.devices import DiskStep, GpuStep, NetworkStep, StepSize
from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.language.fields import (
    Items,
    Name,
    PositiveDuration,
    Share,
    Weight,
    refusal,
    whole,
)
from nephoscope.scenario.language.model import Model, OneOf
from nephoscope.scenario.language.queue import Consumes, Send
from nephoscope.scenario.language.resilience import CircuitBreaker, Hedge, Retry
from nephoscope.scenario.language.topic import Publish


class Call(Model):
    """A request whose answer is waited for; one that does not succeed fails its caller."""

    to: Name
    """A load balancer or a fleet; of a fleet the first running instance gets everything."""
    timeout: PositiveDuration | None = None
    """How long an attempt may take."""
    retry: Retry | None = None
    deadline: PositiveDuration | None = None
    """How long all attempts together may take; that of the request holds in any case."""
    circuit_breaker: CircuitBreaker | None = None
    hedge: Hedge | None = None

    bare = "to"


class Branch(Model):
    """One of several ways a request can go, taken in proportion to its weight."""

    weight: Weight
    steps: "Steps"


def _some_weight(branches: tuple[Branch, ...]) -> tuple[Branch, ...]:
    if not sum(branch.weight for branch in branches):
        raise refusal("every weight is 0", "at least one weight above 0")
    return branches


class Step(OneOf):
    """One step of a service's program."""

    compute: Distribution | None = None
    """CPU time on one vCPU of the reference speed."""
    sleep: Distribution | None = None
    """Waiting that holds the worker but no CPU."""
    call: Call | None = None
    send: Send | None = None
    publish: Publish | None = None
    put: Put | None = None
    choose: Annotated[Items[Branch], AfterValidator(_some_weight)] | None = None
    fail: Share | None = None
    """The request fails here with this probability."""

    network: NetworkStep | None = None
    """Bytes through the interface of the instance; the worker is held, no CPU is used."""
    disk: DiskStep | None = None
    """Bytes and operations on the disks of the instance; the worker is held, no CPU is used."""
    memory: StepSize | None = None
    """Bytes held until the end of the request, which fails when the instance has no more."""
    gpu: GpuStep | None = None
    """Time on one reference accelerator; without one the CPU takes 20 times as long."""

    later = frozenset({"parallel"})


Steps = Items[Step]


Branch.model_rebuild()


def all_steps(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Those of all branches too."""
    for step in steps:
        yield step
        for branch in step.choose or ():
            yield from all_steps(branch.steps)


class Service(Model):
    """A program of steps, and how an instance takes up the requests that ask for it."""

    discipline: Literal["fifo", "ps"] = "fifo"
    """fifo: workers take up requests in order; ps: all are served at once."""
    concurrency: Annotated[int, whole(1, 1_048_576)] | None = None
    """Workers an instance; by default its vCPUs (fifo) or as many as come (ps)."""
    backlog: Annotated[int, whole(0, 2**32 - 1)] | None = None
    """Requests that may wait for a worker, by default any number; more are rejected."""
    rate_limit: RateLimit | None = None
    shed: Shed | None = None
    consumes: Consumes | None = None
    steps: Steps

    @model_validator(mode="after")
    def _consumes_alone(self) -> Self:
        if self.consumes is None:
            return self
        for key in ("backlog", "rate_limit", "shed"):
            if getattr(self, key) is not None:
                message = f"{key} has no effect on a service that consumes: its work waits queued"
                raise refusal(message, f"{key}, or consumes")
        if self.discipline == "ps" and self.concurrency is None:
            message = "a service that consumes has so many workers as it is told"
            raise refusal(message, "concurrency beside discipline: ps")
        return self

    @model_validator(mode="after")
    def _sheds_in_time(self) -> Self:
        limit = None if self.shed is None else self.shed.in_flight
        if limit is None or self.concurrency is None or self.backlog is None:
            return self
        if (room := self.concurrency + self.backlog) <= limit:
            message = f"in_flight of {limit} has no effect: {room} fill workers and backlog"
            raise refusal(message, f"less than {room}")
        return self
