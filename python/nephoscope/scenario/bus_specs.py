"""Buses, as the core takes them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nephoscope import _core
from nephoscope.errors import PatternError, Problem, ScenarioError
from nephoscope.patterns import Members, read_transformer, transformer, write_value
from nephoscope.patterns.json_path import read_path
from nephoscope.scenario import dead_letters
from nephoscope.scenario.bus import (
    REPLAY_NAME,
    Bus,
    BusTarget,
    Input,
    Rule,
    RuleSchedule,
    replay_name,
)
from nephoscope.scenario.distribution import Distribution
from nephoscope.scenario.entries import AUTO, entry_size, is_entry
from nephoscope.scenario.life import Action
from nephoscope.scenario.queue_specs import UNGROUPED, Groups
from nephoscope.scenario.scenario import Scenario
from nephoscope.scenario.topic_specs import Destinations, Events
from nephoscope.scenario.units import Duration

# Of an endpoint of HTTP.
TIMEOUT = Duration.parse("5s")

# Attempts at such an endpoint that begin in a second.
INVOCATIONS = 300

# What answers.
ENDPOINTS = (_core.DestinationKind.balancer, _core.DestinationKind.fleet)

Laws = Callable[[Distribution], _core.Distribution]


class Buses:
    """The buses of a scenario; all that is said otherwise must have been numbered."""

    def __init__(
        self,
        scenario: Scenario,
        events: Events,
        destination: Destinations,
        groups: Groups,
        law: Laws,
        key: tuple[int, int],
    ) -> None:
        self._buses = scenario.buses
        self._actions = scenario.actions
        self._start = scenario.start
        self._duration_ns = int(scenario.duration)
        self._events = events
        self._destination = destination
        self._groups = groups
        self._law = law
        self._key = key  # of random streams: the seed and the replication
        self._scheduled: dict[tuple[str, str], int] = {}
        # Only where a pattern or an input may tell them are replayed events others than the first.
        self._replays = replay_names(scenario.actions)
        topics = str(scenario.topics)
        self._letters_tell = any(name in topics for name in dead_letters.ATTRIBUTES)
        asked_for = any(REPLAY_NAME in str(part) for part in (scenario.buses, scenario.topics))
        self._replayed: dict[str, dict[int, int]] = (
            {name: {} for name in self._replays.values()} if asked_for else {}
        )

    def schedules(self) -> list[_core.TrafficSpec]:
        """Rules that come by themselves: a source of each one's own, of which nothing is told."""
        sources = []
        for bus_name, bus in self._buses.items():
            for number, (name, rule) in enumerate(bus.rules.items()):
                if rule.schedule is None:
                    continue
                kind = self._events.number(scheduled_event(name), None)
                self._scheduled[bus_name, name] = kind
                source = _core.TrafficSpec()
                source.name = f"{bus_name}/{name}"  # no other source's name has a slash
                source.to = self._destination(bus_name)
                source.rule = number
                source.arrivals.kind = _core.ArrivalKind.instants
                source.arrivals.times_ns = self._instants(rule.schedule, (bus_name, name))
                source.clients.count = 1
                source.says.kinds, source.says.weights = [kind], [1.0]
                sources.append(source)
        return sources

    def _instants(self, schedule: RuleSchedule, rule: tuple[str, str]) -> npt.NDArray[np.int64]:
        try:
            times = schedule.instants(self._start, self._duration_ns)
        except PatternError as error:
            path = "buses.{}.rules.{}.schedule".format(*rule)
            problem = Problem(path, error.message, allowed=error.allowed)
            raise ScenarioError([problem], None) from None
        if schedule.window is None:
            return times
        law = Distribution.model_validate({"uniform": {"min": "0s", "max": str(schedule.window)}})
        stream = "buses/{}/schedules/{}".format(*rule)
        drawn = _core.sample(self._law(law), *self._key, stream, len(times))
        times = np.sort(times + drawn.astype(np.int64))
        return times[times < self._duration_ns]

    def number_made(self, first: int, end: int) -> None:
        """Number what targets are sent of events of these numbers, and what replays put."""
        for replay, kinds in self._replayed.items():
            for kind in range(first, end):
                if (named := self._events.renamed(kind, REPLAY_NAME, replay)) is not None:
                    kinds[kind] = named
        for bus_name, bus in self._buses.items():
            for name, rule in bus.rules.items():
                if any(it.input is not None or self._tells(it) for it in rule.targets):
                    self._number_of((bus_name, name), rule, first, end)

    def _number_of(self, at: tuple[str, str], rule: Rule, first: int, end: int) -> None:
        for kind, matches in enumerate(self._takes(rule, first)[: end - first], first):
            if not matches and self._scheduled.get(at) != kind:
                continue
            for target in rule.targets:
                if target.input is not None:
                    self._sent(kind, target.input, at[1])
                if self._tells(target):
                    self._letters(kind, target, at[1])

    def _tells(self, target: BusTarget) -> bool:
        """Whether somebody may look at what its dead letters tell."""
        return self._letters_tell and target.dead_letter is not None

    def _letters(self, kind: int, target: BusTarget, rule: str, *, gets: bool = True) -> list[int]:
        """The numbers of what becomes the dead letter of an event, by cause, if it gets that."""
        asks = self._destination(target.to).kind in ENDPOINTS
        letters = [kind] * dead_letters.CAUSES
        if not gets:
            return letters
        for cause, failure, end in dead_letters.causes(target, asks):
            told = dead_letters.attributes(rule_arn(rule), target.to, failure, end)
            letters[cause] = self._events.attributed(kind, told)
        return letters

    def _takes(self, rule: Rule, first: int = 0) -> list[int]:
        """Whether each event from the first on matches, if it is put."""
        if rule.pattern is None:
            return [0] * (len(self._events) - first)
        return self._events.matched(rule.pattern, first)

    def specs(self) -> list[_core.topics.BusSpec]:
        """All buses."""
        return [self._spec(name, bus) for name, bus in self._buses.items()]

    def replays(self) -> list[_core.topics.ReplaySpec]:
        """What is put again, in the order of the file."""
        specs = []
        for number, name in self._replays.items():
            action = self._actions[number]
            replay = action.replay
            assert replay is not None
            spec = _core.topics.ReplaySpec()
            spec.bus = self._destination(replay.bus).index
            spec.at_ns, spec.since_ns = int(action.at), int(replay.since)
            spec.until_ns = int(action.at if replay.until is None else replay.until)
            if replay.rules is not None:
                spec.rules = [int(rule in replay.rules) for rule in self._buses[replay.bus].rules]
            if (kinds := self._replayed.get(name)) is not None:
                spec.becomes = [kinds.get(kind, kind) for kind in range(len(self._events))]
            specs.append(spec)
        return specs

    def _spec(self, name: str, bus: Bus) -> _core.topics.BusSpec:
        """A bus, the targets of all its rules in a row."""
        spec = _core.topics.BusSpec()
        spec.name = name
        if bus.latency is not None:
            spec.latency = self._law(bus.latency)
        if bus.put_limit is not None:
            spec.puts_per_second = int(float(bus.put_limit))
        if bus.invocation_limit is not None:
            spec.invocations_per_second = int(float(bus.invocation_limit))
        if bus.archive is not None:
            spec.archives = True
            spec.retention_ns = int(bus.archive.retention or 0)
            spec.archive_lag_ns = int(bus.archive.lag)
            if bus.archive.pattern is not None:
                spec.archive_takes = self._events.matched(bus.archive.pattern)
        if bus.event_size == AUTO:
            spec.sizes = [entry_size(event) for event in self._events.bodies()]
        if bus.entries == "checked":
            spec.malformed = [int(not is_entry(event)) for event in self._events.bodies()]
        spec.rules = list(bus.rules)
        targets = []
        for number, (rule_name, rule) in enumerate(bus.rules.items()):
            takes = self._takes(rule)
            scheduled = self._scheduled.get((name, rule_name))
            for target in rule.targets:
                made = self._target(target, takes)
                if self._tells(target):
                    due = [bool(it) or kind == scheduled for kind, it in enumerate(takes)]
                    made.letters = [
                        letter
                        for kind, gets in enumerate(due)
                        for letter in self._letters(kind, target, rule_name, gets=gets)
                    ]
                made.rule = number
                made.duplicates = bus.duplicates
                if target.input is not None:
                    made.becomes = [
                        self._sent(kind, target.input, rule_name)
                        if takes[kind] or kind == scheduled
                        else kind
                        for kind in range(len(takes))
                    ]
                targets.append(made)
        spec.targets = targets
        return spec

    def _target(self, target: BusTarget, takes: list[int]) -> _core.topics.SubscriptionSpec:
        spec = _core.topics.SubscriptionSpec()
        spec.to = self._destination(target.to)
        if spec.to.kind in ENDPOINTS:
            spec.timeout_ns = int(target.timeout or TIMEOUT)
            spec.receives_per_second = target.invocation_limit or INVOCATIONS
        spec.client_errors, spec.server_errors = target.client_errors, target.server_errors
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
            transformer.RULE_ARN: rule_arn(rule),
            transformer.RULE_NAME: rule,
            transformer.INGESTION_TIME: self._start.isoformat(),
        }
        return read.apply(event, predefined)


def replay_names(actions: Sequence[Action]) -> dict[int, str]:
    """Of the actions that are replays, by their numbers."""
    replays = ((i, action.replay) for i, action in enumerate(actions))
    given = ((i, replay.name) for i, replay in replays if replay is not None)
    return {i: name or replay_name(count) for count, (i, name) in enumerate(given)}


def rule_arn(rule: str) -> str:
    """What stands for the resource name of a rule."""
    return f"rule/{rule}"


def scheduled_event(rule: str) -> dict[str, Any]:
    """What a rule's targets get at an instant of its schedule."""
    return {
        "source": "aws.events",
        "detail-type": "Scheduled Event",
        "resources": [rule_arn(rule)],
        "detail": {},
    }
