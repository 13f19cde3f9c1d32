"""Event buses and their rules, in the words of the language."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field, Strict, model_validator

from nephoscope import _core
from nephoscope.errors import PatternError
from nephoscope.patterns import read_pattern, read_transformer
from nephoscope.patterns.json_path import read_path
from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.language.entries import AUTO
from nephoscope.scenario.language.event import Batch, Body, Event, of_a_message
from nephoscope.scenario.language.event_schedules import Rate as RateSchedule
from nephoscope.scenario.language.event_schedules import instants, read_clock, read_schedule
from nephoscope.scenario.language.fields import (
    AnyDuration,
    Items,
    Name,
    PositiveDuration,
    PositiveRate,
    Share,
    Text,
    quantity,
    refusal,
    whole,
    whole_rate,
    within,
)
from nephoscope.scenario.language.model import Model, OneOf
from nephoscope.scenario.language.propagation import in_order
from nephoscope.scenario.language.schedules import Zone
from nephoscope.scenario.language.topic import PerSecond, chances
from nephoscope.scenario.units import SIZE_PATTERN, Duration, Size

RULES_MAX = 300
TARGETS_MAX = 5
ATTEMPTS_MAX = 185
INPUT_MAX = 8192

# The field of a replayed event that the first one did not have.
REPLAY_NAME = "replay-name"

# The wait doubles from the first on so many times.
_DOUBLED = 9
_FIRST = Duration.parse("1s")
_MINUTE_NS = 60 * 10**9


class EventRetry(Model):
    """How often, and how long, an event is delivered again to a target that did not take it."""

    attempts: Annotated[int, whole(0, ATTEMPTS_MAX)] = ATTEMPTS_MAX
    """Beyond the first."""
    age: Annotated[AnyDuration, within("60s", "24h")] = Duration.parse("24h")
    """Of the event, beyond which it is not tried again."""
    jitter: Literal["none", "full", "equal"] = "full"

    bare = "attempts"

    def rules(self) -> _core.topics.DeliveryRules:
        """As the core takes them: waits of 1 s, 2 s, 4 s, ... up to 512 s."""
        rules = _core.topics.DeliveryRules()
        rules.backoff = min(self.attempts, _DOUBLED + 1)
        rules.post_backoff = self.attempts - rules.backoff
        rules.min_ns = int(_FIRST)
        rules.max_ns = int(_FIRST) * 2 ** max(rules.backoff - 1, 0)
        rules.curve = _core.topics.DeliveryCurve.exponential
        rules.jitter = _core.topics.DeliveryJitter[self.jitter]
        rules.age_ns = int(self.age)
        return rules


class Transformer(Model):
    """A template in which values of the event stand, by the names of their paths."""

    paths: dict[str, str] = Field(default_factory=dict)
    template: str


class Input(OneOf):
    """What a target is sent in the place of the event."""

    constant: Body = None
    """This."""
    path: str | None = None
    """The part of the event that is there."""
    transformer: Transformer | None = None

    @model_validator(mode="after")
    def _readable(self) -> Self:
        try:
            if self.path is not None:
                read_path(self.path, "path")
            if self.transformer is not None:
                read_transformer(self.transformer.paths, self.transformer.template)
        except PatternError as error:
            raise refusal(str(error), error.allowed, error.suggestion) from None
        if self.constant is not None and len(str(self.constant)) > INPUT_MAX:
            raise refusal("too long an input", f"at most {INPUT_MAX} letters")
        return self


class BusTarget(Model):
    """Who gets the events that a rule matches."""

    to: Name
    """A queue or a topic; or a load balancer or a fleet, as an endpoint of HTTP."""
    group: Name | None = None
    """Of the messages for a FIFO queue or topic."""
    other_account: bool = False
    """Whether the queue or the topic is another account's: what is delivered there is billed as
    what is put."""
    timeout: PositiveDuration | None = None
    """That an endpoint of HTTP has for its answer, by default 5 s."""
    retry: EventRetry = EventRetry()
    invocation_limit: PerSecond | None = None
    """Attempts at an endpoint of HTTP that begin in a second, by default 300; more wait."""
    client_errors: Share = 0.0
    """The chance that an attempt is refused for good: it is gone, or does not allow it."""
    server_errors: Share = 0.0
    """The chance that an attempt is in vain beside that; it is tried again."""
    dead_letter: Name | None = None
    """The standard queue that gets what could not be delivered; without one it is dropped."""

    input: Input | None = None
    """By default the event."""

    bare = "to"

    @model_validator(mode="after")
    def _chances(self) -> Self:
        chances(self.client_errors, self.server_errors)
        return self


def _few(targets: tuple[BusTarget, ...]) -> tuple[BusTarget, ...]:
    if len(targets) > TARGETS_MAX:
        raise refusal(f"{len(targets)} targets are too many", f"at most {TARGETS_MAX} of a rule")
    return targets


def _read(pattern: Any) -> None:
    try:
        read_pattern(pattern)
    except PatternError as error:
        message = f"pattern: {error.path}: {error.message}" if error.path else error.message
        raise refusal(message, error.allowed, error.suggestion) from None


def _whole_minutes(window: Duration) -> Duration:
    if int(window) % _MINUTE_NS:
        raise refusal(f"{window} is no whole number of minutes", "1m to 1440m")
    return window


class RuleSchedule(Model):
    """When a rule comes by itself: `rate(5 minutes)`, `cron(0 18 ? * FRI *)`, `at(...)`."""

    expression: Text
    zone: Zone = "UTC"
    """Whose clock on the wall `cron` and `at` speak of."""
    window: Annotated[AnyDuration, within("1m", "1440m"), AfterValidator(_whole_minutes)] | None = (
        None
    )
    """It comes within so many minutes of its time, at an instant that is drawn; by default at its
    time."""

    bare = "expression"

    @model_validator(mode="after")
    def _readable(self) -> Self:
        try:
            schedule = read_schedule(self.expression)
        except PatternError as error:
            raise refusal(error.message, error.allowed, error.suggestion) from None
        if isinstance(schedule, RateSchedule) and "zone" in self.model_fields_set:
            raise refusal("a rate has no zone: it counts from the start of the run", "cron or at")
        return self

    def instants(
        self, start: datetime, duration_ns: int, since_ns: int = 0
    ) -> npt.NDArray[np.int64]:
        """When it comes in a run that begins at `start`, if it was made `since_ns` later.

        Raises PatternError if too often.
        """
        begin = start.astimezone(UTC)
        times = instants(self.expression, read_clock(self.zone), begin, duration_ns, begin)
        if isinstance(read_schedule(self.expression), RateSchedule):
            times = times + since_ns
        return times[(times >= since_ns) & (times < duration_ns)]


class RuleVersion(Model):
    """What a rule is until it changes."""

    pattern: Any = None
    schedule: RuleSchedule | None = None
    """Beside a pattern or in its place."""
    enabled: bool = True
    """False: nothing matches, and the schedule does not come."""

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if self.pattern is None:
            if self.schedule is None:
                raise refusal("neither pattern nor schedule", "one of them, or both")
        else:
            _read(self.pattern)
        return self


class RuleChange(RuleVersion):
    """From some time on, another rule in the place of the one before: what is left out is gone."""

    at: AnyDuration
    propagation: Distribution = Distribution.model_validate({"uniform": {"min": "0s", "max": "1m"}})
    """From then until it counts."""


class Rule(RuleVersion):
    """Events that match a pattern go to its targets; so does one of its own at each instant."""

    targets: Annotated[Items[BusTarget], AfterValidator(_few)]
    changes: Annotated[tuple[RuleChange, ...], Strict(False)] = ()
    """Of all but the targets, in the order of time."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        in_order(self.changes)
        return self

    @property
    def versions(self) -> tuple[RuleVersion, ...]:
        """What it is at first, and what each change makes of it."""
        return (self, *self.changes)


class Archive(Model):
    """What is put is kept for replays."""

    retention: PositiveDuration | None = None
    """For how long; by default for ever."""
    lag: AnyDuration = Duration(0)
    """From the put of an event until it is there for replays."""
    pattern: Any = None
    """What it keeps, by default everything."""

    bare = "retention"

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if self.pattern is not None:
            _read(self.pattern)
        return self


class Replay(Model):
    """What the archive of a bus has of a time is put there again, minute by minute."""

    bus: Name
    since: AnyDuration = Duration(0)
    """Since the start of the run."""
    until: PositiveDuration | None = None
    """By default the instant of the replay."""
    rules: Items[Name] | None = None
    """Whose targets get it; by default all."""
    name: Name | None = None
    """What the field `replay-name` of its events says; by default `replay-1` of the first replay
    of the file, and so on."""

    bare = "bus"


def replay_name(number: int) -> str:
    """Of a replay that has none; they count from 0."""
    return f"replay-{number + 1}"


EventSize = Annotated[
    Size | Literal["auto"],
    quantity(Size.parse, SIZE_PATTERN, least=0, words=(AUTO,)),
    AfterValidator(of_a_message),
]


def _not_too_many(rules: dict[Name, Rule]) -> dict[Name, Rule]:
    if len(rules) > RULES_MAX:
        raise refusal(f"{len(rules)} rules are too many", f"at most {RULES_MAX} of a bus")
    return rules


class Bus(Model):
    """Events go to the targets of all rules whose patterns they match; rules may have schedules."""

    rules: Annotated[dict[Name, Rule], AfterValidator(_not_too_many)] = Field(default_factory=dict)
    event_size: EventSize = Size(0)
    """Of each event. Puts are billed by 64 KiB of it; 0B: as one each; auto: what its parts are."""
    entries: Literal["unchecked", "checked"] = "unchecked"
    """Checked: what is put without source, detail-type or detail is refused by itself."""
    latency: Distribution | None = None
    """From the put to the first attempt at each delivery; by default none."""
    put_limit: Annotated[PositiveRate, whole_rate("puts")] | None = None
    """Puts that are taken in a second, each a call; more are rejected."""
    invocation_limit: Annotated[PositiveRate, whole_rate("invocations")] | None = None
    """Attempts at deliveries, to all targets, that begin in a second; more wait for their turn."""

    duplicates: Share = 0.0
    """The chance that an event is delivered twice, to each target that gets it."""
    archive: Archive | None = None
    """What is put is kept, for replays among the actions."""
    schema_discovery: bool = False
    """Whether the schemas of events are found out, which is billed by the event."""

    @model_validator(mode="after")
    def _sizes_elsewhere(self) -> Self:
        targets = (target for rule in self.rules.values() for target in rule.targets)
        if self.event_size == AUTO and any(target.other_account for target in targets):
            message = "event_size: auto says nothing of what is delivered to other accounts"
            raise refusal(message, "event_size of all events, such as 1KiB")
        return self


class Put(Model):
    """An event for a bus; whoever puts it goes on at once, and fails if the bus is throttled."""

    to: Name
    """A bus."""
    event: Event = None
    """Without one it is what the request says."""
    batch: Batch = 1
    """Events that are put, in one call."""

    bare = "to"
