"""How many instances a fleet has, and how that follows its load."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Strict, Tag, model_validator

from nephoscope.errors import UnitError, shorten
from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.language.fields import (
    INSTANCES_MAX,
    AnyDuration,
    Name,
    PositiveDuration,
    Scalar,
    Share,
    as_refusal,
    number,
    refusal,
    whole,
)
from nephoscope.scenario.language.model import Model, OneOf
from nephoscope.scenario.language.schedules import Cron, Zone
from nephoscope.scenario.units import (
    BANDWIDTH_PATTERN,
    SHARE_PATTERN,
    Bandwidth,
    Duration,
    parse_share,
)

METRICS = (
    "cpu",
    "requests_per_target",
    "network",
    "network_in",
    "network_out",
    "backlog_per_instance",
)
BACKLOG = "backlog_per_instance"

HOUR_NS = 3600 * 10**9

Instances = Annotated[int, whole(0, INSTANCES_MAX)]


class Bounds(Model):
    """How many instances there are at first, and how many there may be."""

    min: Instances
    desired: Instances | None = None
    """At the start; by default min."""
    max: Instances

    @classmethod
    def expand(cls, value: Any) -> Any:
        """A number is what is desired, so that bounds can be set beside it."""
        return value if isinstance(value, dict | list) else {"desired": value}

    @model_validator(mode="after")
    def _ascend(self) -> Self:
        if not self.min <= self.first <= self.max:
            raise refusal(f"{self.min}, {self.first}, {self.max} are out of order", "ascending")
        return self

    @property
    def first(self) -> int:
        """Instances at the start."""
        return self.min if self.desired is None else self.desired


def _form_of_count(value: Any) -> str:
    return "[bounds]" if isinstance(value, dict | Bounds) else "[number]"


# A tag in brackets is no part of a path.
Count = Annotated[
    Annotated[Instances, Tag("[number]")] | Annotated[Bounds, Tag("[bounds]")],
    Discriminator(_form_of_count),
]


def _read_metric(value: Any) -> str:
    if value not in METRICS:
        raise refusal(f"{shorten(value)} is not a metric", ", ".join(METRICS))
    return str(value)


MetricName = Annotated[str, Scalar(_read_metric, {"enum": list(METRICS)})]


def _read_level(value: Any) -> float:
    """A level of any metric: a number or percentage, or a bandwidth in bytes a second."""
    if isinstance(value, str):
        try:
            return parse_share(value) if value.endswith("%") else float(Bandwidth.parse(value))
        except UnitError as error:
            raise as_refusal(error) from None
    return float(number(0.0, 1e15).read(value))


_LEVEL = {
    "anyOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": SHARE_PATTERN},
        {"type": "string", "pattern": BANDWIDTH_PATTERN},
    ]
}
Level = Annotated[float, Scalar(_read_level, _LEVEL)]


def _read_bound(value: Any) -> float | None:
    return None if value is None else float(number(-1e15, 1e15).read(value))


Bound = Annotated[
    float | None, Scalar(_read_bound, {"anyOf": [{"type": "number"}, {"enum": ["-inf", "inf"]}]})
]
Load = Annotated[float, number(0.0, 1e15)]
Change = Annotated[float, number(-1e6, 1e6)]


def _triple(value: Any) -> Any:
    if not isinstance(value, list | tuple) or len(value) != 3:
        raise refusal(f"{shorten(value)} is not a step", "[lower, upper, change]")
    lower, upper, change = value
    return (None if lower == "-inf" else lower, None if upper == "inf" else upper, change)


Step = Annotated[tuple[Bound, Bound, Change], BeforeValidator(_triple)]


class Looking(Model):
    """A policy that looks at a metric."""

    metric: MetricName
    queue: Name | None = None
    """Whose visible messages are counted, of `backlog_per_instance`."""

    @model_validator(mode="after")
    def _has_its_queue(self) -> Self:
        if self.metric == BACKLOG and self.queue is None:
            raise refusal(f"{BACKLOG} needs a queue", "queue: the name of one")
        if self.metric != BACKLOG and self.queue is not None:
            raise refusal(f"{self.metric} has no queue", f"queue only beside {BACKLOG}")
        return self


class TargetTracking(Looking):
    """Keeps a metric near its target; it must fall in proportion as instances are added."""

    target: Level
    """Of `cpu` a share of the vCPUs, of `requests_per_target` requests a minute, of `network` and
    its two directions a bandwidth, of `backlog_per_instance` messages; of an instance."""
    scale_in: bool = True
    """Whether it also removes instances."""
    scale_in_below: Share | None = None
    """Share of the target below which it does; by default 70 % of `cpu` and 90 % of the others."""
    out_periods: Annotated[int, whole(1, 64)] = 3
    """Periods in a row above the target after which it adds instances."""
    in_periods: Annotated[int, whole(1, 64)] = 15
    """Periods in a row below that share after which it removes some."""
    warmup: AnyDuration | None = None
    """From entering service until an instance counts; by default the fleet's."""

    @model_validator(mode="after")
    def _is_a_level(self) -> Self:
        if self.target == 0.0:
            raise refusal("a target of 0 is never reached", "a number above 0")
        if self.metric == "cpu" and self.target > 1.0:
            raise refusal(f"a cpu of {self.target:g} is more than all", "a fraction such as 0.5")
        if not self.scale_in and self.scale_in_below is not None:
            raise refusal("scale_in_below without scale_in has no effect", "scale_in: true")
        return self

    @property
    def low(self) -> float:
        """The level below which instances are removed."""
        usual = 0.7 if self.metric == "cpu" else 0.9
        return self.target * (usual if self.scale_in_below is None else self.scale_in_below)


class Alarm(Looking):
    """Goes on when enough of its last datapoints breach, and off when they do not."""

    threshold: Level
    when: Literal["above", "below"] = "above"
    """The alarm breaches at the threshold and above it, or at it and below."""
    periods: Annotated[int, whole(1, 64)] = 1
    """That the alarm looks back."""
    datapoints: Annotated[int, whole(1, 64)] | None = None
    """Of those that must breach; by default all."""

    @model_validator(mode="after")
    def _has_its_datapoints(self) -> Self:
        if self.datapoints is not None and self.datapoints > self.periods:
            raise refusal(f"{self.datapoints} of {self.periods} cannot be", "at most periods")
        return self


class Alarmed(Alarm):
    """A policy with an alarm of its own."""

    adjustment: Literal["change", "percent", "exact"] = "change"
    """Whether a change is in instances, in per cent of them, or the number that there shall be."""
    min_change: Annotated[int, whole(1, INSTANCES_MAX)] | None = None
    """Of percent: instances that it moves by at least."""

    @model_validator(mode="after")
    def _alarms(self) -> Self:
        if self.min_change is not None and self.adjustment != "percent":
            raise refusal("min_change belongs to percent", "adjustment: percent beside it")
        return self

    def _refuse_change(self, change: float) -> None:
        if self.adjustment != "percent" and not change.is_integer():
            raise refusal(f"a change of {change:g} instances cannot be", "a whole number")
        if self.adjustment == "exact" and change < 0:
            raise refusal(f"{change:g} instances cannot be", "0 or more")


class StepScaling(Alarmed):
    """Changes by more the further the metric is from its threshold."""

    steps: Annotated[tuple[Step, ...], BeforeValidator(lambda value: tuple(_listed(value)))]
    """[lower, upper, change], bounds relative to the threshold; -inf and inf are none."""
    warmup: AnyDuration | None = None
    """From entering service until an instance counts; by default the fleet's."""

    @model_validator(mode="after")
    def _follow(self) -> Self:
        last = self.steps[0][0]
        for at, (lower, upper, change) in enumerate(self.steps):
            self._refuse_change(change)
            gap = at > 0 and (lower is None or lower != last)
            empty = lower is not None and upper is not None and lower >= upper
            if gap or empty or (upper is None and at + 1 < len(self.steps)):
                raise refusal("steps leave a gap or overlap", "steps that follow each other")
            last = upper
        return self


class SimpleScaling(Alarmed):
    """Changes once, and not again before that is over and a cooldown has passed."""

    change: Change
    cooldown: AnyDuration | None = None
    """By default the fleet's."""

    @model_validator(mode="after")
    def _changes(self) -> Self:
        self._refuse_change(self.change)
        if self.change == 0 and self.adjustment != "exact":
            raise refusal("a change of 0 has no effect", "another number")
        return self


class Scheduled(Model):
    """Changes the size or its bounds by the clock."""

    at: AnyDuration | None = None
    """Since the start, once."""
    cron: Cron | None = None
    """In place of `at`: minute, hour, day of the month, month and day of the week."""
    zone: Zone = "UTC"
    """The time zone of `cron`."""
    min: Instances | None = None
    desired: Instances | None = None
    max: Instances | None = None
    late: Distribution | None = None
    """From when it is due until it is done. The real service takes seconds, at most two minutes."""

    @model_validator(mode="after")
    def _changes(self) -> Self:
        if (self.at is None) == (self.cron is None):
            raise refusal("needs at or cron", "one of them")
        if self.cron is None and self.zone != "UTC":
            raise refusal("a zone is of cron", "cron beside it")
        if self.min is self.desired is self.max is None:
            raise refusal("changes nothing", "min, desired or max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise refusal(f"min {self.min} is above max {self.max}", "min <= max")
        return self


class Predictive(Model):
    """Adds the instances that the coming hour will need, as past hours tell; it removes none."""

    metric: MetricName
    target: Level
    """As of target tracking."""
    mode: Literal["forecast_and_scale", "forecast_only"] = "forecast_and_scale"
    """Whether the forecast is acted on, or made and the size left alone, as in life unless told."""
    buffer: AnyDuration = Duration(300_000_000_000)
    """Before the hour begins."""
    max_buffer: Share | None = None
    """A forecast above the most there may be raises that, with this share of it on top."""
    history: Annotated[tuple[Load, ...], Strict(False)] = ()
    """Of the hours before the run, the oldest first: the metric of all instances together."""

    @model_validator(mode="after")
    def _looks_ahead(self) -> Self:
        if self.metric == BACKLOG:
            raise refusal(f"{BACKLOG} cannot be foretold", "cpu, requests_per_target or network")
        if self.target == 0.0:
            raise refusal("a target of 0 is never reached", "a number above 0")
        if self.metric == "cpu" and self.target > 1.0:
            raise refusal(f"a cpu of {self.target:g} is more than all", "a fraction such as 0.5")
        if int(self.buffer) >= HOUR_NS:
            raise refusal(f"a buffer of {self.buffer} is too long", "less than 1h")
        return self


class Policy(OneOf):
    """One reason to change the size of a fleet; the largest wish wins."""

    target_tracking: TargetTracking | None = None
    step: StepScaling | None = None
    simple: SimpleScaling | None = None
    scheduled: Scheduled | None = None
    predictive: Predictive | None = None


class Metrics(Model):
    """When policies see what happened."""

    period: PositiveDuration = Duration(60_000_000_000)
    """Of a datapoint."""
    delay: AnyDuration = Duration(60_000_000_000)
    """From the end of its period until policies see it."""

    @model_validator(mode="after")
    def _ticks(self) -> Self:
        if int(self.period) < 1_000_000:
            raise refusal(f"a period of {self.period} is too short", "1ms or more")
        return self


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple) or not value:
        raise refusal(f"{shorten(value)} is not a list of steps", "[[lower, upper, change], ..]")
    return list(value)
