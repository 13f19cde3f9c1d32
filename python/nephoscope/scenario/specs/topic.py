"""Topics and what is said, as the core takes them."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from nephoscope import _core
from nephoscope.errors import EventError, Problem, ScenarioError, SpecError
from nephoscope.patterns import read_pattern, read_policy, write_value
from nephoscope.patterns.attributes import read_attributes
from nephoscope.patterns.json_value import Members, read_value
from nephoscope.scenario.language.event import alternatives, is_choice
from nephoscope.scenario.language.propagation import Propagation
from nephoscope.scenario.language.provider import Provider
from nephoscope.scenario.language.topic import DeliveryRetry, Subscription, Topic
from nephoscope.scenario.specs.patterns import matcher
from nephoscope.scenario.specs.provider import limit_topic, subscribed_since
from nephoscope.scenario.specs.queue import UNGROUPED
from nephoscope.scenario.trace_events import Said
from nephoscope.scenario.units import Duration

# Of an endpoint of HTTP.
TIMEOUT = Duration.parse("15s")

Destinations = Callable[[str], _core.Destination]

# In the place of an instant.
NEVER = 2**63 - 1

# Events that differ, and how often one may be made of another.
EVENTS_MAX = 10_000
GENERATIONS_MAX = 100


class Events:
    """Everything that is said in a scenario, numbered as it is met; 0 says nothing."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str | None, str], int] = {(None, "{}"): 0}
        self._said: list[tuple[Any, Any]] = [(None, None)]
        self._bodies: dict[str | None, int] = {None: 0}
        self._first = [0]  # by number, that of its body

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
            self._first.append(self._bodies.setdefault(body, len(self._said)))
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

    def bodies(self) -> list[Any]:
        """The body of each, as it is said."""
        return [event for event, _ in self._said]

    def enveloped(self, number: int, topic: str) -> str:
        """What a subscriber gets of one that has no raw delivery: a text of JSON."""
        event, attributes = self._said[number]
        named, _ = read_attributes(attributes)
        envelope = {
            "Type": "Notification",
            "TopicArn": f"topic/{topic}",
            "Message": "" if event is None else _text(event),
            "MessageAttributes": Members((name, _in_envelope(it)) for name, it in named),
        }
        return write_value(Members(envelope.items()))

    def members(self, number: int) -> Members:
        """The body of one, where it is an object; else there are none."""
        return _object(self._said[number][0]) or Members()

    def attributed(self, number: int, attributes: dict[str, Any]) -> int:
        """The number of the same event with these attributes in the place of its own."""
        return self.number(self._said[number][0], attributes)

    def of_body(self, number: int) -> int:
        """The number of the first event that has the same body."""
        return self._first[number]

    def renamed(self, number: int, key: str, value: str) -> int | None:
        """The number of the same event with this field.

        None where no pattern looks at it, or the word is in another place of it: it was made of
        such an event, and what is made of that would have no end.
        """
        event, attributes = self._said[number]
        body = _object(event)
        if body is None:
            return None
        others = Members((name, it) for name, it in body if name != key)
        if key in write_value(others):
            return None
        return self.number(write_value(Members([*others, (key, value)])), attributes)


class Maker(Protocol):
    """What makes events of events: inputs of buses and pipes, and the envelopes of topics."""

    section: str

    def number_made(self, first: int, end: int) -> None:
        """Number what is made of those of these numbers."""


def number_all_made(events: Events, makers: Sequence[Maker]) -> None:
    """Number what is made of events, and what is made of that, until nothing is new."""
    done = 0
    grown = "buses"
    for generation in itertools.count():
        first, done = done, len(events)
        if first == done:
            return
        for maker in makers:
            before = len(events)
            maker.number_made(first, done)
            grown = maker.section if len(events) > before else grown
        if len(events) > EVENTS_MAX or generation >= GENERATIONS_MAX:
            message = "inputs make ever more events: what a target is sent matches again"
            if generation == 0:
                message = f"more than {EVENTS_MAX:,} events differ, with what is made of them"
            raise ScenarioError([Problem(grown, message)], None)


def _in_envelope(attribute: Any) -> Members:
    if isinstance(attribute, str):
        kind, text = "String", attribute
    else:
        kind = "String.Array" if isinstance(attribute, list) else "Number"
        text = write_value(attribute)
    return Members([("Type", kind), ("Value", text)])


def _text(event: Any) -> str:
    return event if isinstance(event, str) else write_value(read_value(event, "it", EventError))


def _attributes_match(core: _core.patterns.Matcher, _: Any, attributes: Any) -> bool:
    named, unmatchable = read_attributes(attributes)
    return bool(core.evaluate(write_value(named).encode(), unmatchable))


def _body_matches(core: _core.patterns.Matcher, event: Any, _: Any) -> bool:
    """A body that is no object of JSON matches nothing."""
    try:
        return _object(event) is not None and bool(core.evaluate(_text(event).encode(), []))
    except (EventError, SpecError):
        return False


def _object(event: Any) -> Members | None:
    """A body, if it is an object of JSON."""
    try:
        value = read_value(event, "the event", EventError) if event is not None else None
    except EventError:
        return None
    return value if isinstance(value, Members) else None


class Topics:
    """The topics of a scenario, and the envelopes in which they deliver."""

    section = "topics"

    def __init__(
        self,
        topics: Mapping[str, Topic],
        provider: Provider,
        events: Events,
        destination: Destinations,
        propagation: Propagation,
    ) -> None:
        self._topics = topics
        self._provider = provider
        self._events = events
        self._destination = destination
        self._propagation = propagation
        self._envelopes: dict[tuple[str, int], int] = {}
        self._since = subscribed_since(topics, provider)

    def number_made(self, first: int, end: int) -> None:
        """Number what is made of events: the envelope of each but of envelopes."""
        made = set(self._envelopes.values())
        for name, topic in self._topics.items():
            if all(each.raw_delivery for each in topic.subscriptions):
                continue
            for kind in range(first, end):
                if kind not in made:
                    text = self._events.enveloped(kind, name)
                    self._envelopes[name, kind] = self._events.number(text, None)

    def specs(self) -> list[_core.topics.TopicSpec]:
        """All topics; all that is said must have been numbered."""
        return [self._spec(name, topic) for name, topic in self._topics.items()]

    def _spec(self, name: str, topic: Topic) -> _core.topics.TopicSpec:
        spec = _core.topics.TopicSpec()
        spec.name = name
        spec.fifo = topic.type == "fifo"
        spec.group_deduplication = topic.deduplication == "group"
        if topic.publish_limit is not None:
            spec.publishes_per_second = int(float(topic.publish_limit))
        if topic.group_publish_limit is not None:
            spec.group_publishes_per_second = int(float(topic.group_publish_limit))
        limit_topic(spec, topic, self._provider)
        if topic.latency is not None:
            spec.latency = self._propagation.law(topic.latency)
        spec.subscriptions = [
            self._changing(name, topic, number, each)
            for number, each in enumerate(topic.subscriptions)
        ]
        return spec

    def _changing(
        self, name: str, topic: Topic, number: int, subscription: Subscription
    ) -> _core.topics.SubscriptionSpec:
        spec = self._subscription(name, topic, subscription)
        after = subscription.confirmed_after
        spec.confirmed_ns = NEVER if after == "never" else self._since[name, number] + int(after)
        spec.changes = self._changes(f"topics/{name}/subscriptions/{number}/changes", subscription)
        return spec

    def _changes(self, stream: str, subscription: Subscription) -> list[_core.topics.FilterChange]:
        """What filters let through from when on."""
        asked = {i: (it.at, it.propagation) for i, it in enumerate(subscription.changes)}
        made = []
        for number, effect in self._propagation.effects(asked, stream):
            change = _core.topics.FilterChange()
            change.at_ns = effect
            change.takes = self._takes(subscription.changes[number].filter, subscription)
            made.append(change)
        return made

    def _takes(self, policy: Any, subscription: Subscription) -> list[int]:
        if policy is None:
            return []
        return self._events.let_through(policy, subscription.filter_scope)

    def _subscription(
        self, name: str, topic: Topic, subscription: Subscription
    ) -> _core.topics.SubscriptionSpec:
        spec = _core.topics.SubscriptionSpec()
        self._reach(spec, topic, subscription)
        spec.client_errors = subscription.client_errors
        spec.server_errors = subscription.server_errors
        spec.duplicates = topic.duplicates
        spec.dead_letter = UNGROUPED
        if subscription.dead_letter is not None:
            spec.dead_letter = self._destination(subscription.dead_letter).index
        spec.takes = self._takes(subscription.filter, subscription)
        if not subscription.raw_delivery:
            kinds = range(len(self._events))
            spec.becomes = [self._envelopes.get((name, kind), kind) for kind in kinds]
        return spec

    def _reach(
        self, spec: _core.topics.SubscriptionSpec, topic: Topic, subscription: Subscription
    ) -> None:
        """Who it is, and when what it did not take is tried again."""
        if subscription.to is None:
            spec.outside = True
            managed = subscription.endpoint == "firehose"
            spec.retry = managed_rules() if managed else customer_rules()
            return
        spec.to = self._destination(subscription.to)
        if spec.to.kind is _core.DestinationKind.queue:
            spec.retry = managed_rules()
            return
        spec.timeout_ns = int(subscription.timeout or TIMEOUT)
        spec.retry = (subscription.retry or topic.retry or DeliveryRetry()).rules()
        most = subscription.max_receives_per_second or topic.max_receives_per_second
        spec.receives_per_second = most or 0


def managed_rules() -> _core.topics.DeliveryRules:
    """The policy of endpoints that the provider runs, such as queues."""
    rules = _core.topics.DeliveryRules()
    rules.immediate, rules.pre_backoff, rules.backoff, rules.post_backoff = 3, 2, 10, 100_000
    rules.curve = _core.topics.DeliveryCurve.exponential
    rules.min_ns, rules.max_ns = int(Duration.parse("1s")), int(Duration.parse("20s"))
    return rules


def customer_rules() -> _core.topics.DeliveryRules:
    """The policy of mail, text messages and push to mobile devices."""
    rules = _core.topics.DeliveryRules()
    rules.immediate, rules.pre_backoff, rules.backoff, rules.post_backoff = 0, 2, 10, 38
    rules.curve = _core.topics.DeliveryCurve.exponential
    rules.min_ns, rules.max_ns = int(Duration.parse("10s")), int(Duration.parse("10m"))
    return rules
