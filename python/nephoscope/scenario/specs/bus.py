"""Buses, as the core takes them."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nephoscope import _core
from nephoscope.errors import PatternError, Problem, ScenarioError
from nephoscope.patterns import Members, read_transformer, transformer, write_value
from nephoscope.patterns.json_path import read_path
from nephoscope.scenario.language.bus import (
    REPLAY_NAME,
    Bus,
    BusTarget,
    Input,
    Rule,
    RuleVersion,
    replay_name,
)
from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.language.entries import AUTO, entry_size, is_entry
from nephoscope.scenario.language.life import Action
from nephoscope.scenario.language.propagation import Propagation
from nephoscope.scenario.scenario import Scenario
from nephoscope.scenario.specs import dead_letters
from nephoscope.scenario.specs.queue import UNGROUPED, Groups
from nephoscope.scenario.specs.topic import Destinations, Events
from nephoscope.scenario.units import Duration

# Of an endpoint of HTTP.
TIMEOUT = Duration.parse("5s")

# Attempts at such an endpoint that begin in a second.
INVOCATIONS = 300

# Of the waits between two attempts at what does not answer.
LONGEST_WAIT_NS = 512 * 10**9

# What answers.
ENDPOINTS = (_core.DestinationKind.balancer, _core.DestinationKind.fleet)


class Buses:
    """The buses of a scenario; all that is said otherwise must have been numbered."""

    section = "buses"

    def __init__(
        self,
        scenario: Scenario,
        events: Events,
        destination: Destinations,
        groups: Groups,
        propagation: Propagation,
    ) -> None:
        self._buses = scenario.buses
        self._actions = scenario.actions
        self._start = scenario.start
        self._duration_ns = int(scenario.duration)
        self._events = events
        self._destination = destination
        self._groups = groups
        self._propagation = propagation
        self._scheduled: dict[tuple[str, str], int] = {}
        # Only where a pattern or an input may tell them are replayed events others than the first.
        self._replays = replay_names(scenario.actions)
        topics = str(scenario.topics)
        self._letters_tell = any(name in topics for name in dead_letters.ATTRIBUTES)
        self._retries_tell = dead_letters.RETRIES in topics
        self._rows: dict[tuple[int, str, str, int], dict[int, list[int]]] = {}
        asked_for = any(REPLAY_NAME in str(part) for part in (scenario.buses, scenario.topics))
        self._replayed: dict[str, dict[int, int]] = (
            {name: {} for name in self._replays.values()} if asked_for else {}
        )

    def schedules(self) -> list[_core.TrafficSpec]:
        """Rules that come by themselves: a source of each one's own, of which nothing is told."""
        sources = []
        for bus_name, bus in self._buses.items():
            for number, (name, rule) in enumerate(bus.rules.items()):
                if all(version.schedule is None for version in rule.versions):
                    continue
                kind = self._events.number(scheduled_event(name), None)
                self._scheduled[bus_name, name] = kind
                source = _core.TrafficSpec()
                source.name = f"{bus_name}/{name}"  # no other source's name has a slash
                source.to = self._destination(bus_name)
                source.rule = number
                source.arrivals.kind = _core.ArrivalKind.instants
                source.arrivals.times_ns = self._instants(rule, (bus_name, name))
                source.clients.count = 1
                source.says.kinds, source.says.weights = [kind], [1.0]
                sources.append(source)
        return sources

    def _versions(self, at: tuple[str, str], rule: Rule) -> list[tuple[int, RuleVersion, int]]:
        """What a rule is from when on, by number: 0 at first, then what its changes make of it."""
        asked = {i: (it.at, it.propagation) for i, it in enumerate(rule.changes)}
        stream = "buses/{}/rules/{}/changes".format(*at)
        effects = self._propagation.effects(asked, stream)
        return [(0, rule, 0), *((i + 1, rule.changes[i], effect) for i, effect in effects)]

    def _instants(self, rule: Rule, at: tuple[str, str]) -> npt.NDArray[np.int64]:
        """When it comes by itself: each of its versions until the next."""
        versions = self._versions(at, rule)
        ends = [since for _, _, since in versions[1:]] + [self._duration_ns]
        times = [
            self._instants_of(version, number, (since, until), at)
            for (number, version, since), until in zip(versions, ends, strict=True)
        ]
        return np.sort(np.concatenate(times))

    def _instants_of(
        self, version: RuleVersion, number: int, span: tuple[int, int], at: tuple[str, str]
    ) -> npt.NDArray[np.int64]:
        schedule = version.schedule
        if schedule is None or not version.enabled or span[0] >= self._duration_ns:
            return np.array([], dtype=np.int64)
        try:
            times = schedule.instants(self._start, self._duration_ns, span[0])
        except PatternError as error:
            part = f"changes.{number - 1}.schedule" if number else "schedule"
            path = f"buses.{at[0]}.rules.{at[1]}.{part}"
            problem = Problem(path, error.message, allowed=error.allowed)
            raise ScenarioError([problem], None) from None
        times = times[times < span[1]]
        if schedule.window is None:
            return times
        law = Distribution.model_validate({"uniform": {"min": "0s", "max": str(schedule.window)}})
        stream = "buses/{}/schedules/{}".format(*at) + (f"/{number}" if number else "")
        late = self._propagation
        drawn = _core.sample(late.law(law), late.seed, late.replication, stream, len(times))
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
        for kind in self._due(at, self._matches(rule, first), first):
            if kind >= end:
                return
            for number, target in enumerate(rule.targets):
                if target.input is not None:
                    self._sent(kind, target.input, at[1])
                if self._tells(target):
                    self._letters(kind, target, (*at, number))

    def _due(self, at: tuple[str, str], matches: list[list[int]], first: int = 0) -> Iterator[int]:
        """The events, from the first on, that the targets of a rule may get at some time."""
        scheduled = self._scheduled.get(at)
        for kind, by_version in enumerate(zip(*matches, strict=True), first):
            if any(by_version) or kind == scheduled:
                yield kind

    def _matches(self, rule: Rule, first: int = 0) -> list[list[int]]:
        """Whether each event from the first on matches, if it is put: by version of the rule."""
        return [self._takes(version, first) for version in rule.versions]

    def _tells(self, target: BusTarget) -> bool:
        """Whether somebody may look at what its dead letters tell."""
        return self._letters_tell and target.dead_letter is not None

    def _letters(
        self, kind: int, target: BusTarget, at: tuple[str, str, int]
    ) -> dict[int, list[int]]:
        """The numbers of what becomes the dead letter of an event that a target gets, by cause.

        Where somebody looks at how often it was tried again there is one for each number of
        retries, of which those that cannot be are the event itself; else there is one for all.
        """
        rows = self._rows.setdefault((self._events.of_body(kind), *at), {})
        if rows:
            return rows
        asks = self._destination(target.to).kind in ENDPOINTS
        for cause, failure, end in dead_letters.causes(target, asks):
            told = dead_letters.attributes(rule_arn(at[1]), target.to, failure, end)
            if not self._retries_tell:
                rows[cause] = [self._events.attributed(kind, told)]
                continue
            rows[cause] = [kind] * (target.retry.attempts + 1)
            if end == "age" and self._duration_ns <= int(target.retry.age) - LONGEST_WAIT_NS:
                continue  # nothing gets so old in this run
            for retries in dead_letters.retries(target, end):
                counted = told | {dead_letters.RETRIES: retries}
                rows[cause][retries] = self._events.attributed(kind, counted)
        return rows

    def _tell(
        self,
        spec: _core.topics.SubscriptionSpec,
        due: set[int],
        target: BusTarget,
        at: tuple[str, str, int],
    ) -> None:
        """What its dead letters become."""
        letters: list[int] = []
        by_retries: list[int] = [0] * (target.retry.attempts + 1)  # of those that there are none of
        places: dict[int, int] = {}  # of rows in it: events of one body have the same
        for kind in range(len(self._events)):
            rows = self._letters(kind, target, at) if kind in due else {}
            for cause in range(dead_letters.CAUSES):
                row = rows.get(cause)
                if not self._retries_tell:
                    letters.append(kind if row is None else row[0])
                elif row is None:
                    letters.append(0)
                else:
                    if id(row) not in places:
                        places[id(row)] = len(by_retries)
                        by_retries += row
                    letters.append(places[id(row)])
        spec.letters = letters
        if self._retries_tell:
            spec.by_retries = by_retries

    def _takes(self, version: RuleVersion, first: int = 0) -> list[int]:
        """Whether each event from the first on matches, if it is put."""
        if version.pattern is None or not version.enabled:
            return [0] * (len(self._events) - first)
        return self._events.matched(version.pattern, first)

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
            spec.latency = self._propagation.law(bus.latency)
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
            at = name, rule_name
            matches = self._matches(rule)
            due = set(self._due(at, matches))
            changes = self._changes(at, rule, matches)
            for place, target in enumerate(rule.targets):
                made = self._target(target, matches[0])
                made.changes = changes
                if self._tells(target):
                    self._tell(made, due, target, (*at, place))
                made.rule = number
                made.duplicates = bus.duplicates
                if target.input is not None:
                    made.becomes = [
                        self._sent(kind, target.input, rule_name) if kind in due else kind
                        for kind in range(len(self._events))
                    ]
                targets.append(made)
        spec.targets = targets
        return spec

    def _changes(
        self, at: tuple[str, str], rule: Rule, matches: list[list[int]]
    ) -> list[_core.topics.FilterChange]:
        """What of a rule matches from when on."""
        made = []
        for number, _, since in self._versions(at, rule)[1:]:
            change = _core.topics.FilterChange()
            change.at_ns, change.takes = since, matches[number]
            made.append(change)
        return made

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
        text = made_of(self._events.members(kind), given, rule, self._start.isoformat())
        return self._events.number(text, None)


def made_of(event: Members, given: Input, rule: str, start: str) -> Any:
    """The body that a target is sent in the place of an event; `start` is that of the run."""
    if given.path is not None:
        found = read_path(given.path, "path").find(event)
        return write_value(found[0]) if found else None
    if given.transformer is None:
        return given.constant
    read = read_transformer(given.transformer.paths, given.transformer.template)
    predefined = {
        transformer.RULE_ARN: rule_arn(rule),
        transformer.RULE_NAME: rule,
        transformer.INGESTION_TIME: start,
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
