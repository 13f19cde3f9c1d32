"""Buses, as the core takes them."""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from nephoscope import _core
from nephoscope.errors import Problem, ScenarioError
from nephoscope.patterns import Members, read_transformer, transformer, write_value
from nephoscope.patterns.json_path import read_path
from nephoscope.scenario.bus import Bus, BusTarget, Input, Rule
from nephoscope.scenario.distribution import Distribution
from nephoscope.scenario.queue_specs import UNGROUPED, Groups
from nephoscope.scenario.topic_specs import Destinations, Events
from nephoscope.scenario.units import Duration

# Of an endpoint of HTTP.
TIMEOUT = Duration.parse("5s")

# Events that differ, and how often one may be made of another by inputs.
EVENTS_MAX = 10_000
GENERATIONS_MAX = 100

Laws = Callable[[Distribution], _core.Distribution]


class Buses:
    """The buses of a scenario; all that is said otherwise must have been numbered."""

    def __init__(
        self, events: Events, destination: Destinations, groups: Groups, law: Laws, start: str
    ) -> None:
        """`start` is the time of ingestion of every event."""
        self._events = events
        self._destination = destination
        self._groups = groups
        self._law = law
        self._start = start

    def number_inputs(self, buses: Mapping[str, Bus]) -> None:
        """Number what targets are sent, and what they are sent of that, until nothing is new."""
        done = 0
        for generation in itertools.count():
            first, done = done, len(self._events)
            if first == done:
                return
            for bus in buses.values():
                for name, rule in bus.rules.items():
                    if any(target.input is not None for target in rule.targets):
                        self._number_of(name, rule, first, done)
            if len(self._events) > EVENTS_MAX or generation >= GENERATIONS_MAX:
                message = "inputs make ever more events: what a target is sent matches again"
                raise ScenarioError([Problem("buses", message)], None)

    def _number_of(self, name: str, rule: Rule, first: int, end: int) -> None:
        for kind, matches in enumerate(self._events.matched(rule.pattern, first)[: end - first]):
            for target in rule.targets:
                if matches and target.input is not None:
                    self._sent(first + kind, target.input, name)

    def spec(self, name: str, bus: Bus) -> _core.topics.BusSpec:
        """A bus, the targets of all its rules in a row."""
        spec = _core.topics.BusSpec()
        spec.name = name
        if bus.latency is not None:
            spec.latency = self._law(bus.latency)
        if bus.put_limit is not None:
            spec.puts_per_second = int(float(bus.put_limit))
        spec.rules = list(bus.rules)
        targets = []
        for number, (rule_name, rule) in enumerate(bus.rules.items()):
            takes = self._events.matched(rule.pattern)
            for target in rule.targets:
                made = self._target(target, takes)
                made.rule = number
                if target.input is not None:
                    made.becomes = [
                        self._sent(kind, target.input, rule_name) if takes[kind] else kind
                        for kind in range(len(takes))
                    ]
                targets.append(made)
        spec.targets = targets
        return spec

    def _target(self, target: BusTarget, takes: list[int]) -> _core.topics.SubscriptionSpec:
        spec = _core.topics.SubscriptionSpec()
        spec.to = self._destination(target.to)
        kinds = _core.DestinationKind
        if spec.to.kind in (kinds.balancer, kinds.fleet):
            spec.timeout_ns = int(target.timeout or TIMEOUT)
        spec.retry = target.retry.rules()
        spec.group = self._groups.number(target.group)
        spec.dead_letter = UNGROUPED
        if target.dead_letter is not None:
            spec.dead_letter = self._destination(target.dead_letter).index
        spec.takes = takes
        return spec

    def _sent(self, kind: int, given: Input, rule: str) -> int:
        """The number of what a target is sent in the place of an event."""
        return self._events.number(self._text(self._events.body(kind), given, rule), None)

    def _text(self, event: Members, given: Input, rule: str) -> Any:
        if given.path is not None:
            found = read_path(given.path, "path").find(event)
            return write_value(found[0]) if found else None
        if given.transformer is None:
            return given.constant
        read = read_transformer(given.transformer.paths, given.transformer.template)
        predefined = {
            transformer.RULE_ARN: f"rule/{rule}",
            transformer.RULE_NAME: rule,
            transformer.INGESTION_TIME: self._start,
        }
        return read.apply(event, predefined)
