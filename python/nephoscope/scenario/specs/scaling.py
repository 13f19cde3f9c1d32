"""Scaling policies, as the core takes them."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from nephoscope import _core
from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.language.fleet import Fleet
from nephoscope.scenario.language.scaling import (
    Alarm,
    Alarmed,
    Bounds,
    Looking,
    Metrics,
    Policy,
    Predictive,
    Scheduled,
    SimpleScaling,
    StepScaling,
    TargetTracking,
)
from nephoscope.scenario.language.schedules import instants
from nephoscope.scenario.units import Duration

_scaling = _core.scaling

# The cooldown of a fleet that has none of its own.
COOLDOWN_NS = 300 * 10**9

# In place of a size that stays.
UNCHANGED = -1

_NO_QUEUES: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True)
class Lateness:
    """How late the schedules of a fleet come: draws of their own for each of its policies."""

    law: Callable[[Distribution], _core.Distribution]
    seed: int
    replication: int
    fleet: str

    def draws_ns(self, of: Distribution, policy: int, n: int) -> list[int]:
        """Of the first `n` changes of a policy."""
        name = f"fleet/{self.fleet}/scaling/{policy}/late"
        drawn = _core.sample(self.law(of), self.seed, self.replication, name, n)
        return [round(late) for late in drawn]


def scaling_spec(
    fleet: Fleet,
    start: datetime = datetime(2024, 1, 1, tzinfo=UTC),
    duration_ns: int = 0,
    queues: Mapping[str, int] = _NO_QUEUES,
    late: Lateness | None = None,
) -> _core.scaling.ScalingSpec:
    """How the size of a fleet changes by itself; not active where it does not.

    `start` and the duration say when schedules are due, `late` when they come; queues are known by
    their numbers.
    """
    spec = _scaling.ScalingSpec()
    if not isinstance(fleet.count, Bounds):
        return spec
    spec.active = True
    spec.min, spec.max = fleet.count.min, fleet.count.max
    metrics = fleet.metrics or Metrics()
    spec.period_ns, spec.delay_ns = int(metrics.period), int(metrics.delay)
    looking = (it for it in fleet.scaling if it.form in _scaling.PolicyKind.__members__)
    spec.policies = [_policy(it, fleet, queues) for it in looking]
    spec.policies += [_alone(name, it, queues) for name, it in fleet.alarms.items()]
    spec.predictive = [_predictive(it.predictive) for it in fleet.scaling if it.predictive]
    spec.schedule = _schedule(fleet, start, duration_ns, late)
    return spec


def _schedule(
    fleet: Fleet, start: datetime, duration_ns: int, late: Lateness | None
) -> list[_core.scaling.ScheduledChange]:
    """What is changed by the clock, in the order in which it is due: none overtakes another."""
    due: list[tuple[int, int, Scheduled]] = []
    for number, it in enumerate(fleet.scaling):
        if it.scheduled is None:
            continue
        instants_ns = _instants_ns(it.scheduled, start, duration_ns)
        delays_ns = [0] * len(instants_ns)
        if it.scheduled.late is not None:
            assert late is not None, "a part alone has no schedules"
            delays_ns = late.draws_ns(it.scheduled.late, number, len(instants_ns))
        due += zip(instants_ns, delays_ns, [it.scheduled] * len(instants_ns), strict=True)
    changes, last_ns = [], 0
    for at_ns, delay_ns, scheduled in sorted(due, key=lambda each: each[0]):
        last_ns = max(last_ns, at_ns + delay_ns)
        if last_ns < duration_ns:
            changes.append(_change(scheduled, last_ns))
    return changes


def _policy(
    policy: Policy, fleet: Fleet, queues: Mapping[str, int]
) -> _core.scaling.ScalingPolicySpec:
    spec = _scaling.ScalingPolicySpec()
    spec.kind = _scaling.PolicyKind[policy.form]
    options = policy.options
    _look(spec, options, queues)
    match options:
        case TargetTracking():
            spec.target, spec.low, spec.scales_in = options.target, options.low, options.scale_in
            spec.periods = spec.datapoints = options.out_periods
            spec.low_periods = options.in_periods
            spec.warmup_ns = _warmup_ns(options.warmup, fleet)
        case StepScaling():
            _alarm(spec, options)
            spec.steps = [_step(*step) for step in options.steps]
            spec.warmup_ns = _warmup_ns(options.warmup, fleet)
        case SimpleScaling():
            _alarm(spec, options)
            spec.steps = [_step(None, None, options.change)]
            spec.cooldown_ns = _first_ns(options.cooldown, fleet.cooldown)
    return spec


def _predictive(predictive: Predictive) -> _core.scaling.PredictiveSpec:
    spec = _scaling.PredictiveSpec()
    spec.metric, spec.target = _scaling.Metric[predictive.metric], predictive.target
    spec.acts = predictive.mode == "forecast_and_scale"
    spec.buffer_ns = int(predictive.buffer)
    spec.lifts_max, spec.max_buffer = (
        predictive.max_buffer is not None,
        predictive.max_buffer or 0.0,
    )
    spec.history = list(predictive.history)
    return spec


def alarm_numbers(fleet: Fleet, names: Iterable[str]) -> list[int]:
    """Where alarms of a fleet are among its policies: behind all others."""
    looking = [it for it in fleet.scaling if it.form in _scaling.PolicyKind.__members__]
    known = list(fleet.alarms)
    return [len(looking) + known.index(name) for name in names]


def _alone(name: str, alarm: Alarm, queues: Mapping[str, int]) -> _core.scaling.ScalingPolicySpec:
    """An alarm that changes nothing by itself."""
    spec = _scaling.ScalingPolicySpec()
    spec.kind, spec.name = _scaling.PolicyKind.alarm, name
    _look(spec, alarm, queues)
    _threshold(spec, alarm)
    return spec


def _look(
    spec: _core.scaling.ScalingPolicySpec, options: Looking, queues: Mapping[str, int]
) -> None:
    spec.metric = _scaling.Metric[options.metric]
    if options.queue is not None:
        spec.queue = queues.get(options.queue, 0)  # a part alone has none


def _threshold(spec: _core.scaling.ScalingPolicySpec, alarm: Alarm) -> None:
    spec.threshold, spec.above = alarm.threshold, alarm.when == "above"
    spec.periods, spec.datapoints = alarm.periods, alarm.datapoints or alarm.periods


def _alarm(spec: _core.scaling.ScalingPolicySpec, options: Alarmed) -> None:
    _threshold(spec, options)
    spec.adjustment = _scaling.Adjustment[options.adjustment]
    spec.least_change = options.min_change or 0


def _step(lower: float | None, upper: float | None, change: float) -> _core.scaling.StepAdjustment:
    spec = _scaling.StepAdjustment()
    spec.lower = -math.inf if lower is None else lower
    spec.upper = math.inf if upper is None else upper
    spec.change = change
    return spec


def _warmup_ns(own: Duration | None, fleet: Fleet) -> int:
    """The policy's, else the fleet's, else its cooldown, as the real service has it."""
    return _first_ns(own, fleet.instance_warmup, fleet.cooldown)


def _first_ns(*told: Duration | None) -> int:
    """The first that was told, or the default of the cooldown."""
    return next((int(it) for it in told if it is not None), COOLDOWN_NS)


def _instants_ns(scheduled: Scheduled, start: datetime, duration_ns: int) -> list[int]:
    if scheduled.cron is None:
        return [int(scheduled.at or 0)]
    return [int(at) for at in instants(scheduled.cron, scheduled.zone, start, duration_ns)]


def _change(scheduled: Scheduled, at_ns: int) -> _core.scaling.ScheduledChange:
    spec = _scaling.ScheduledChange()
    spec.at_ns = at_ns
    sizes = (scheduled.min, scheduled.max, scheduled.desired)
    spec.min, spec.max, spec.desired = (UNCHANGED if it is None else it for it in sizes)
    return spec
