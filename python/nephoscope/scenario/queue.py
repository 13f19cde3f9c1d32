"""Queues, in the words of the language."""

from typing import Annotated, Literal, Self

from pydantic import model_validator

from nephoscope.scenario.fields import AnyDuration, Share, number, refusal, whole, within
from nephoscope.scenario.model import Model
from nephoscope.scenario.units import Duration

RECEIVES_MAX = 1000
# Messages that may be in flight at once, unless told.
IN_FLIGHT = 120_000


class Deduplication(Model):
    """What makes two messages of a FIFO queue the same within five minutes."""

    by: Literal["id", "content"] = "id"
    """id: every message brings one; content: its body, where it brings none."""
    scope: Literal["queue", "group"] = "queue"

    bare = "by"


class Queue(Model):
    """A queue but for where its dead letters go."""

    type: Literal["standard", "fifo"] = "standard"
    visibility_timeout: Annotated[AnyDuration, within("0s", "12h")] = Duration.parse("30s")
    delay: Annotated[AnyDuration, within("0s", "15m")] = Duration(0)
    retention: Annotated[AnyDuration, within("60s", "14d")] = Duration.parse("4d")
    wait: Annotated[AnyDuration, within("0s", "20s")] = Duration(0)
    """How long a receive waits for a message, unless it says so itself."""
    max_receives: Annotated[int, whole(1, RECEIVES_MAX)] | None = None
    """On the receive after so many a message is a dead letter."""
    in_flight: Annotated[int, whole(1, 2**29)] = IN_FLIGHT
    """Messages that may be in flight at once."""
    duplicates: Share = 0.0
    """The chance that a message of a standard queue is stored twice."""
    short_poll: Annotated[float, number(0.0, 1.0, open_low=True)] = 1.0
    """The chance that a short poll of a standard queue of less than 1,000 visible messages sees
    one of them."""
    deduplication: Deduplication | None = None
    throughput: Literal["standard", "high", "unlimited"] = "standard"
    """Calls that a FIFO queue takes; see `parts.Queue`."""

    @model_validator(mode="after")
    def _of_its_type(self) -> Self:
        if self.type == "fifo":
            if self.duplicates:
                raise refusal("a FIFO queue delivers no duplicates", "duplicates: 0")
            if self.short_poll != 1.0:
                raise refusal("a short poll of a FIFO queue sees every message", "short_poll: 1")
        else:
            if self.deduplication is not None:
                raise refusal("only a FIFO queue has deduplication", "type: fifo")
            if self.throughput == "high":
                raise refusal("only a FIFO queue has a high throughput mode", "type: fifo")
        return self
