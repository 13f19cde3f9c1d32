"""Topics and their subscriptions, in the words of the language."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Strict, model_validator

from nephoscope import _core
from nephoscope.errors import PatternError
from nephoscope.patterns import read_policy
from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.language.event import Attributes, Batch, Event, MessageSize
from nephoscope.scenario.language.fields import (
    SPAN,
    WHOLE_RATE_MAX,
    AnyDuration,
    Name,
    PositiveDuration,
    PositiveRate,
    Share,
    number,
    quantity,
    refusal,
    whole,
    whole_rate,
    within,
)
from nephoscope.scenario.language.model import Model
from nephoscope.scenario.language.propagation import in_order
from nephoscope.scenario.units import Duration, Size

# Of one topic: subscriptions of a FIFO topic, and filter policies.
FIFO_SUBSCRIPTIONS_MAX = 100
POLICIES_MAX = 200

# What all waits of a policy together may come to.
WAITS_MAX = Duration.parse("1h")

# Larger messages go to so few subscribers, none of them an endpoint of HTTP.
SMALL_MAX = 2**18
LARGE_SUBSCRIPTIONS_MAX = 100

# What asks for a confirmation is valid for so long.
CONFIRMED_MAX = Duration.parse("2d")

# Who has nothing to confirm.
UNASKED = ("sms", "mobile_push", "firehose")

# Messages of a group in a second, at most.
GROUP_RATE_MAX = 65_535

PerSecond = Annotated[int, whole(1, WHOLE_RATE_MAX)]
Retries = Annotated[int, whole(0, 100)]
Wait = Annotated[AnyDuration, within("1s", "1h")]


class DeliveryRetry(Model):
    """How often, and when, a message is delivered again to an endpoint that did not take it."""

    retries: Retries = 3
    """All of them; those of no other phase wait longer and longer."""
    immediate: Retries = 0
    pre_backoff: Retries = 0
    """After `min_delay` each."""
    post_backoff: Retries = 0
    """After `max_delay` each."""
    min_delay: Wait = Duration.parse("20s")
    max_delay: Wait | None = None
    """By default 20 s, or `min_delay` if that is longer."""
    backoff: Literal["linear", "arithmetic", "geometric", "exponential"] = "linear"
    """How waits grow from `min_delay` to `max_delay`."""
    jitter: Literal["none", "full", "equal"] = "none"

    bare = "retries"

    @model_validator(mode="after")
    def _in_bounds(self) -> Self:
        apart = self.immediate + self.pre_backoff + self.post_backoff
        if apart > self.retries:
            message = f"{apart} retries in the other phases are more than {self.retries} in all"
            raise refusal(message, f"retries: {apart} or more")
        if self.max_delay is not None and self.max_delay < self.min_delay:
            message = f"max_delay of {self.max_delay} is less than min_delay of {self.min_delay}"
            raise refusal(message, f"{self.min_delay} or more")
        total = Duration(int(self.rules().waits().sum()))
        if total > WAITS_MAX:
            raise refusal(f"the waits come to {total} in all", f"at most {WAITS_MAX}")
        return self

    def rules(self) -> _core.topics.DeliveryRules:
        """As the core takes them."""
        rules = _core.topics.DeliveryRules()
        rules.immediate = self.immediate
        rules.pre_backoff = self.pre_backoff
        rules.post_backoff = self.post_backoff
        rules.backoff = self.retries - self.immediate - self.pre_backoff - self.post_backoff
        rules.min_ns = int(self.min_delay)
        rules.max_ns = int(self.max_delay or max(self.min_delay, Duration.parse("20s")))
        rules.curve = _core.topics.DeliveryCurve[self.backoff]
        rules.jitter = _core.topics.DeliveryJitter[self.jitter]
        return rules


# Who is not in the scenario: reached by one of these.
Endpoint = Literal["email", "sms", "mobile_push", "firehose"]


class FilterChange(Model):
    """From some time on, another filter."""

    at: AnyDuration
    filter: Any = None
    """The filter policy that takes the place of the one before; without one everything."""
    propagation: Distribution = Distribution.model_validate(
        {"uniform": {"min": "0s", "max": "15m"}}
    )
    """From then until it counts: at the provider up to 15 min."""


def _in_time(value: Duration | Literal["never"]) -> Duration | Literal["never"]:
    if isinstance(value, Duration) and value > CONFIRMED_MAX:
        message = f"after {value} what asks for it is no longer valid"
        raise refusal(message, f"0s to {CONFIRMED_MAX}, or never")
    return value


Confirmed = Annotated[
    Duration | Literal["never"],
    quantity(*SPAN, least=0, words=("never",)),
    AfterValidator(_in_time),
]


class Subscription(Model):
    """Who gets what is published, or that of it which a filter lets through."""

    to: Name | None = None
    """A queue; or a load balancer or a fleet, as an endpoint of HTTP."""
    endpoint: Endpoint | None = None
    """In its place: somebody outside the scenario, who takes every message that gets there."""
    usd_per_message: Annotated[float, number(0.0, 1000.0)] | None = None
    """What a text message costs in the country of who gets it."""
    filter: Any = None
    """A filter policy; without one everything."""
    filter_scope: Literal["attributes", "body"] = "attributes"
    changes: Annotated[tuple[FilterChange, ...], Strict(False)] = ()
    """Of the filter, in the order of time."""
    subscribed_at: AnyDuration = Duration(0)
    """When it is made; before that it gets nothing. With quotas it may have to wait for others."""
    confirmed_after: Confirmed = Duration(0)
    """How long after that an endpoint of HTTP, a reader of mail or a queue of another account
    confirms that it subscribes; before that it gets nothing."""
    timeout: PositiveDuration | None = None
    """That an endpoint of HTTP has for its answer, by default 15 s."""
    retry: DeliveryRetry | None = None
    """Of an endpoint of HTTP, in the place of that of the topic."""
    max_receives_per_second: PerSecond | None = None
    """Attempts at an endpoint of HTTP that begin in a second; more wait for their turn."""
    client_errors: Share = 0.0
    """The chance that an attempt is refused for good: it is gone, or does not allow it."""
    server_errors: Share = 0.0
    """The chance that an attempt is in vain beside that; it is tried again."""
    raw_delivery: bool = True
    """False: in the envelope of the topic, which is what is then passed on and matched."""
    dead_letter: Name | None = None
    """The queue that gets what could not be delivered; without one it is dropped."""

    bare = "to"

    @classmethod
    def describe(cls, schema: dict[str, Any]) -> None:
        """Exactly one of those who may get it."""
        schema["oneOf"] = [{"required": ["to"]}, {"required": ["endpoint"]}]
        super().describe(schema)

    @property
    def name(self) -> str:
        """Who it is, in words."""
        return self.to or str(self.endpoint)

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if (self.to is None) == (self.endpoint is None):
            message = "neither to nor endpoint" if self.to is None else "both to and endpoint"
            raise refusal(message, "one of them")
        if self.endpoint is not None:
            if "raw_delivery" in self.model_fields_set:
                message = "raw_delivery has no effect: nothing is passed on from there"
                raise refusal(message, "raw_delivery of a queue or an endpoint of HTTP")
            for key in ("timeout", "retry", "max_receives_per_second"):
                if getattr(self, key) is not None:
                    message = f"{key} has no effect: the provider's own policy applies"
                    raise refusal(message, f"{key} of an endpoint of HTTP")
            if self.endpoint in UNASKED and "confirmed_after" in self.model_fields_set:
                message = f"confirmed_after has no effect: {self.endpoint} confirms nothing"
                raise refusal(message, "confirmed_after of HTTP, email or a queue")
        chances(self.client_errors, self.server_errors)
        return self

    @model_validator(mode="after")
    def _priced(self) -> Self:
        """A text message alone has a price that is told: it is a country's."""
        if self.endpoint == "sms" and self.usd_per_message is None:
            message = "usd_per_message is missing: each country has a price of its own"
            raise refusal(message, "what a text message costs there, in USD")
        if self.endpoint != "sms" and self.usd_per_message is not None:
            message = f"usd_per_message has no effect: {self.name} gets no text messages"
            raise refusal(message, "usd_per_message of endpoint: sms")
        return self

    @model_validator(mode="after")
    def _policies(self) -> Self:
        self._read("filter", self.filter)
        for i, change in enumerate(self.changes):
            self._read(f"changes.{i}.filter", change.filter)
        in_order(self.changes)
        if self.changes and self.changes[0].at < self.subscribed_at:
            message = f"changes: one at {self.changes[0].at}, before it subscribes"
            raise refusal(message, f"{self.subscribed_at} or more")
        return self

    def _read(self, key: str, policy: Any) -> None:
        if policy is None:
            return
        try:
            read_policy(policy, self.filter_scope)
        except PatternError as error:
            path = key if error.path or key != "filter" else ""
            message = ": ".join(part for part in (path, error.path, error.message) if part)
            raise refusal(message, error.allowed, error.suggestion) from None

    @property
    def filtered(self) -> bool:
        """Whether it has a filter at any time."""
        return any(it is not None for it in (self.filter, *(each.filter for each in self.changes)))

    @property
    def from_start(self) -> bool:
        """Whether it is there, and confirmed, when the clock starts."""
        return self.subscribed_at == self.confirmed_after == Duration(0)


def chances(client_errors: float, server_errors: float) -> None:
    """Refuse those of errors that come to more than 1."""
    if client_errors + server_errors > 1.0:
        message = f"client_errors of {client_errors} and server_errors of {server_errors}"
        raise refusal(f"{message} are more than 1", "at most 1 together")


def _once(subscriptions: tuple[Subscription, ...]) -> tuple[Subscription, ...]:
    names = [each.to for each in subscriptions if each.to is not None]
    for name in names:
        if names.count(name) > 1:
            raise refusal(f"{name} subscribes twice", "one subscription of each endpoint")
    if sum(each.filtered for each in subscriptions) > POLICIES_MAX:
        raise refusal("too many filter policies", f"at most {POLICIES_MAX} of a topic")
    return subscriptions


Subscriptions = Annotated[tuple[Subscription, ...], Strict(False), AfterValidator(_once)]


class Topic(Model):
    """What is published is pushed to all who have subscribed."""

    type: Literal["standard", "fifo"] = "standard"
    deduplication: Literal["topic", "group"] | None = None
    """Of a FIFO topic: where a message is the same as one of the last five minutes."""
    retry: DeliveryRetry | None = None
    """Of the endpoints of HTTP that have no policy of their own."""
    max_receives_per_second: PerSecond | None = None
    """Of each endpoint of HTTP that says none of its own."""
    publish_limit: Annotated[PositiveRate, whole_rate("messages")] | None = None
    """Messages that are taken in a second; more are rejected."""
    group_publish_limit: Annotated[PositiveRate, whole_rate("messages", GROUP_RATE_MAX)] | None = (
        None
    )
    """The same of each message group of a FIFO topic."""
    duplicates: Share = 0.0
    """The chance that a message of a standard topic is delivered twice, to each who gets it."""
    message_size: MessageSize = Size(0)
    """Of each message. Publishing is billed by 64 KiB of it; 0B: as one request each."""
    latency: Distribution | None = None
    """From the publish to the first attempt at each delivery; by default none."""
    subscriptions: Subscriptions = ()

    @model_validator(mode="after")
    def _of_its_type(self) -> Self:
        if self.type == "standard" and self.deduplication is not None:
            raise refusal("only a FIFO topic has deduplication", "type: fifo")
        if self.type == "standard" and self.group_publish_limit is not None:
            raise refusal("only a FIFO topic has groups with a limit", "type: fifo")
        if self.type == "fifo" and self.duplicates:
            raise refusal("a FIFO topic delivers no duplicates", "duplicates: 0")
        if self.type == "fifo" and any(each.endpoint for each in self.subscriptions):
            raise refusal("only queues subscribe to a FIFO topic", "to: a queue")
        if self.type == "fifo" and self.retry is not None:
            raise refusal("a FIFO topic has no endpoints of HTTP", "retry of a standard topic")
        if self.type == "fifo" and self.max_receives_per_second is not None:
            allowed = "max_receives_per_second of a standard topic"
            raise refusal("a FIFO topic has no endpoints of HTTP", allowed)
        if self.message_size > SMALL_MAX and len(self.subscriptions) > LARGE_SUBSCRIPTIONS_MAX:
            message = f"{len(self.subscriptions)} subscriptions are too many for large messages"
            allowed = f"at most {LARGE_SUBSCRIPTIONS_MAX}, or message_size: 256KiB"
            raise refusal(message, allowed)
        if self.type == "fifo" and len(self.subscriptions) > FIFO_SUBSCRIPTIONS_MAX:
            message = f"{len(self.subscriptions)} subscriptions of a FIFO topic are too many"
            raise refusal(message, f"at most {FIFO_SUBSCRIPTIONS_MAX}")
        return self


class Publish(Model):
    """A message for a topic; whoever publishes goes on at once, and fails if it is throttled."""

    to: Name
    """A topic."""
    event: Event = None
    """Its body; without event and attributes it says what the request says."""
    attributes: Attributes | None = None
    group: Name | None = None
    """Messages of one group of a FIFO topic are delivered in order."""
    batch: Batch = 1
    """Messages that are published, in one call."""

    bare = "to"
