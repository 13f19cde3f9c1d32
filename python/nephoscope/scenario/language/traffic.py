"""Sources of traffic."""

from typing import Literal, Self

from pydantic import model_validator

from nephoscope.scenario.language.arrivals import Arrivals, Clients, NoOptions
from nephoscope.scenario.language.event import Attributes, Event
from nephoscope.scenario.language.fields import Name, PositiveDuration, PositiveRate, refusal
from nephoscope.scenario.language.model import Model
from nephoscope.scenario.language.resilience import CircuitBreaker, Hedge, Retry

# Only these take their rate from the key `rate`; the others carry their own.
RATED = frozenset({"poisson", "constant"})


class Traffic(Model):
    """Requests that come from outside."""

    to: Name
    """A load balancer, a fleet, a queue, a topic or a bus."""
    rate: PositiveRate | None = None
    arrivals: Arrivals = Arrivals(poisson=NoOptions())
    clients: Clients | None = None
    timeout: PositiveDuration | None = None
    """How long a client waits for the answer to an attempt."""
    on_timeout: Literal["finish", "abandon"] = "finish"
    """finish: the work goes on, wasted; abandon: the request leaves the backlog it waits in."""
    retry: Retry | None = None
    deadline: PositiveDuration | None = None
    """How long a client waits for its answer in all; servers know it and stop when it passes."""
    circuit_breaker: CircuitBreaker | None = None
    hedge: Hedge | None = None
    group: Name | None = None
    """Of the messages that are sent to a queue; in a FIFO queue they are worked in order."""
    event: Event = None
    """What its requests say, and what is published or sent for them, unless a step says more."""
    attributes: Attributes | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        trace = self.arrivals.trace
        if trace is not None and trace.says and (self.event, self.attributes) != (None, None):
            raise refusal("event and attributes are those of the trace", "one of both places")
        return self
