"""Topics and what is said, as the core takes them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from nephoscope import _core
from nephoscope.errors import EventError, SpecError
from nephoscope.patterns import read_pattern, read_policy, write_value
from nephoscope.patterns.attributes import read_attributes
from nephoscope.patterns.json_value import Members, read_value
from nephoscope.scenario.event import alternatives, is_choice
from nephoscope.scenario.pattern_specs import matcher
from nephoscope.scenario.queue_specs import UNGROUPED
from nephoscope.scenario.topic import DeliveryRetry, Subscription, Topic
from nephoscope.scenario.trace_events import Said
from nephoscope.scenario.units import Duration

# Of an endpoint of HTTP.
TIMEOUT = Duration.parse("15s")

Destinations = Callable[[str], _core.Destination]


class Events:
    """Everything that is said in a scenario, numbered as it is met; 0 says nothing."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str | None, str], int] = {(None, "{}"): 0}
        self._said: list[tuple[Any, Any]] = [(None, None)]

    def __len__(self) -> int:
        return len(self._said)

    def choice(self, event: Any, attributes: Any) -> _core.topics.EventChoice:
        """What a source or a step says; nothing of its own if both are None."""
        spec = _core.topics.EventChoice()
        if is_choice(event):
            said = [
                (it.weight, it.event, attributes if it.attributes is None else it.attributes)
                for it in alternatives(event)
            ]
        elif event is None and attributes is None:
            return spec
        else:
            said = [(1.0, event, attributes)]
        spec.weights = [weight for weight, _, _ in said]
        spec.kinds = [self.number(body, named) for _, body, named in said]
        return spec

    def of_rows(self, said: Said) -> _core.topics.EventChoice:
        """What the requests of a trace say, one after the other."""
        spec = _core.topics.EventChoice()
        numbers = np.array([self.number(*kind) for kind in said.kinds])
        spec.by_serial = numbers[said.rows].tolist()
        return spec

    def number(self, event: Any, attributes: Any) -> int:
        """Of a body and its attributes."""
        body = None if event is None else _text(event)
        named, unmatchable = read_attributes(attributes)
        key = (body, write_value(named) + "".join(f"|{name}" for name in unmatchable))
        if key not in self._numbers:
            self._numbers[key] = len(self._said)
            self._said.append((event, attributes))
        return self._numbers[key]

    def let_through(self, policy: Any, scope: str) -> list[int]:
        """Whether each is let through by a filter policy, as 0 or 1."""
        branches = read_policy(policy, scope).branches
        if not branches:
            return [1] * len(self)
        core = matcher([branches], five_digits=True)
        look = _attributes_match if scope == "attributes" else _body_matches
        return [int(look(core, event, attributes)) for event, attributes in self._said]

    def matched(self, pattern: Any, first: int = 0) -> list[int]:
        """Whether each, from the first on, is matched by the pattern of a rule, as 0 or 1."""
        core = matcher([read_pattern(pattern)])
        return [int(_body_matches(core, event, None)) for event, _ in self._said[first:]]

    def body(self, number: int) -> Members:
        """One that some pattern matches."""
        value = read_value(self._said[number][0], "the event", EventError)
        assert isinstance(value, Members)
        return value


def _text(event: Any) -> str:
    return event if isinstance(event, str) else write_value(read_value(event, "it", EventError))


def _attributes_match(core: _core.patterns.Matcher, _: Any, attributes: Any) -> bool:
    named, unmatchable = read_attributes(attributes)
    return bool(core.evaluate(write_value(named).encode(), unmatchable))


def _body_matches(core: _core.patterns.Matcher, event: Any, _: Any) -> bool:
    """A body that is no object of JSON matches nothing."""
    try:
        value = read_value(event, "the event", EventError) if event is not None else None
        return isinstance(value, Members) and bool(core.evaluate(_text(event).encode(), []))
    except (EventError, SpecError):
        return False


def topic_spec(
    name: str, topic: Topic, events: Events, destination: Destinations
) -> _core.topics.TopicSpec:
    """A topic; all that is said must have been numbered."""
    spec = _core.topics.TopicSpec()
    spec.name = name
    spec.fifo = topic.type == "fifo"
    spec.group_deduplication = topic.deduplication == "group"
    if topic.publish_limit is not None:
        spec.publishes_per_second = int(float(topic.publish_limit))
    spec.subscriptions = [
        _subscription(each, topic, events, destination) for each in topic.subscriptions
    ]
    return spec


def _subscription(
    subscription: Subscription, topic: Topic, events: Events, destination: Destinations
) -> _core.topics.SubscriptionSpec:
    spec = _core.topics.SubscriptionSpec()
    spec.to = destination(subscription.to)
    if spec.to.kind is _core.DestinationKind.queue:
        spec.retry = managed_rules()
    else:
        spec.timeout_ns = int(subscription.timeout or TIMEOUT)
        spec.retry = (subscription.retry or topic.retry or DeliveryRetry()).rules()
        most = subscription.max_receives_per_second or topic.max_receives_per_second
        spec.receives_per_second = most or 0
    spec.dead_letter = UNGROUPED
    if subscription.dead_letter is not None:
        spec.dead_letter = destination(subscription.dead_letter).index
    if subscription.filter is not None:
        spec.takes = events.let_through(subscription.filter, subscription.filter_scope)
    return spec


def managed_rules() -> _core.topics.DeliveryRules:
    """The policy of endpoints that the provider runs, such as queues."""
    rules = _core.topics.DeliveryRules()
    rules.immediate, rules.pre_backoff, rules.backoff, rules.post_backoff = 3, 2, 10, 100_000
    rules.curve = _core.topics.DeliveryCurve.exponential
    rules.min_ns, rules.max_ns = int(Duration.parse("1s")), int(Duration.parse("20s"))
    return rules
