"""Queues, in the words of the language."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.language.event import Attributes, Batch, Event, MessageSize
from nephoscope.scenario.language.fields import (
    AnyDuration,
    Name,
    PositiveDuration,
    PositiveRate,
    Share,
    number,
    refusal,
    whole,
    whole_rate,
    within,
)
from nephoscope.scenario.language.model import Model
from nephoscope.scenario.units import Duration, Rate, Size

RECEIVES_MAX = 1000
# Messages that move in a second.
REDRIVE_MAX = 500
# Messages that may be in flight at once, unless told.
IN_FLIGHT = 120_000


# What may be changed of a queue.
ATTRIBUTES = ("visibility_timeout", "delay", "retention")

Visibility = Annotated[AnyDuration, within("0s", "12h")]
Delay = Annotated[AnyDuration, within("0s", "15m")]
Retention = Annotated[AnyDuration, within("60s", "14d")]


class Deduplication(Model):
    """What makes two messages of a FIFO queue the same within five minutes."""

    by: Literal["id", "content"] = "id"
    """id: every message brings one; content: its body, where it brings none."""
    scope: Literal["queue", "group"] = "queue"

    bare = "by"


class QueueRules(Model):
    """What a queue does with its messages, but for dead letters."""

    type: Literal["standard", "fifo"] = "standard"
    visibility_timeout: Visibility = Duration.parse("30s")
    delay: Delay = Duration(0)
    retention: Retention = Duration.parse("4d")
    wait: Annotated[AnyDuration, within("0s", "20s")] = Duration(0)
    """How long a receive waits for a message, unless it says so itself."""
    message_size: MessageSize = Size(0)
    """Of each message. Calls are billed by 64 KiB of what they hold; 0B: as one request each."""
    in_flight: Annotated[int, whole(1, 2**29)] = IN_FLIGHT
    """Messages that may be in flight at once."""
    duplicates: Share = 0.0
    """The chance that a message of a standard queue is stored twice."""
    short_poll: Annotated[float, number(0.0, 1.0, open_low=True)] = 1.0
    """The chance that a short poll of a standard queue of less than 1,000 visible messages sees
    one of them."""
    disorder: Share = 0.0
    """The chance that who receives from a standard queue gets the message behind the oldest."""
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
            if self.disorder:
                raise refusal("a FIFO queue keeps the order", "disorder: 0")
        else:
            if self.deduplication is not None:
                raise refusal("only a FIFO queue has deduplication", "type: fifo")
            if self.throughput == "high":
                raise refusal("only a FIFO queue has a high throughput mode", "type: fifo")
        return self


class Queue(QueueRules):
    """A queue by itself; where its dead letters go is told to `parts.Queue`."""

    max_receives: Annotated[int, whole(1, RECEIVES_MAX)] | None = None
    """On the receive after so many a message is a dead letter."""


class DeadLetter(Model):
    """Where messages go that were received in vain so many times."""

    queue: Name
    max_receives: Annotated[int, whole(1, RECEIVES_MAX)] = 10
    """On the receive after so many a message is a dead letter."""

    bare = "queue"


class Encryption(Model):
    """Messages are encrypted with data keys, which come of a key that is billed by the request."""

    key_reuse: Annotated[AnyDuration, within("60s", "24h")] = Duration.parse("5m")
    """For how long who sends or receives goes on with one data key."""

    bare = "key_reuse"


class NamedQueue(QueueRules):
    """A queue of a scenario."""

    dead_letter: DeadLetter | None = None
    encryption: Encryption | None = None
    """With a key of one's own; what the provider does with its own key costs nothing."""


def _not_too_fast(rate: Rate) -> Rate:
    if float(rate) > REDRIVE_MAX:
        raise refusal(f"{rate} is out of range", f"1/s to {REDRIVE_MAX}/s")
    return rate


class Redrive(Model):
    """The messages of a queue for dead letters move to another, where they are new."""

    queue: Name
    to: Name | None = None
    """By default each goes to the queue whose dead letter it is."""
    rate: Annotated[PositiveRate, whole_rate("messages"), AfterValidator(_not_too_fast)] = (
        Rate.parse("500/s")
    )

    bare = "queue"


class Purge(Model):
    """All messages that a queue has at that time are deleted."""

    queue: Name
    lasts: Annotated[AnyDuration, within("0s", "60s")] = Duration(0)
    """Until they are gone; meanwhile they may still be received, and worked."""

    bare = "queue"


class Change(Model):
    """Attributes of a queue become others; what is left out stays as it is."""

    queue: Name
    visibility_timeout: Visibility | None = None
    """Of receives to come."""
    delay: Delay | None = None
    """Of messages to come; of a FIFO queue for those that are delayed, too."""
    retention: Retention | None = None
    """For messages that are there, too."""
    takes: Distribution | None = None
    """Until it is so, by default no time: at the provider up to 60 s, of the retention 15 min."""

    @property
    def attributes(self) -> dict[str, Duration]:
        """Those that change."""
        found = {key: getattr(self, key) for key in ATTRIBUTES}
        return {key: value for key, value in found.items() if value is not None}

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.attributes:
            raise refusal("nothing changes", f"some of {', '.join(ATTRIBUTES)}")
        return self


class Send(Model):
    """A message for a queue; whoever sends it goes on as soon as the queue has it."""

    to: Name
    """A queue."""
    group: Name | None = None
    """Messages of one group of a FIFO queue are worked in order, one at a time."""
    delay: Delay | None = None
    """Of this message, in place of that of its queue, which must be a standard one."""
    batch: Batch = 1
    """Messages that are sent, in one call."""

    event: Event = None
    """Its body; without event and attributes it says what the request says."""
    attributes: Attributes | None = None

    bare = "to"


class Consumes(Model):
    """The workers of a service take messages of a queue in the place of requests."""

    queue: Name
    batch: Annotated[int, whole(1, 10)] = 1
    """Messages of one receive, at most; a worker works them one after the other."""
    wait: Annotated[AnyDuration, within("0s", "20s")] | None = None
    """How long a receive waits for a message; by default as the queue has it."""
    heartbeat: PositiveDuration | None = None
    """How often a worker begins the visibility timeout of what it holds anew."""
    on_timeout: Literal["abandon", "finish"] = "finish"
    """What becomes of work that is not done when its visibility timeout ends."""

    bare = "queue"
