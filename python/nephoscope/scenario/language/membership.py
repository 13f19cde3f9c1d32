"""Which instances a fleet keeps: health replacement, protection, zones, and who goes first."""

from typing import Annotated, Any, Literal, Self

from pydantic import model_validator

from nephoscope.errors import shorten
from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.language.fields import (
    INSTANCES_MAX,
    SPAN,
    AnyDuration,
    PositiveDuration,
    Scalar,
    quantity,
    refusal,
    whole,
    within,
)
from nephoscope.scenario.language.model import Model
from nephoscope.scenario.units import Duration

TerminationPolicy = Literal[
    "default", "oldest", "newest", "closest_to_next_hour", "allocation_strategy"
]
ZoneBalance = Literal["best_effort", "only", "off"]
Replacement = Literal["terminate_first", "launch_first"]
Lifetime = Annotated[Duration, quantity(*SPAN), within("1d", "365d")]

_PROTECTED = f"true, false, or a number from 0 to {INSTANCES_MAX}"


def _read_protection(value: Any) -> int:
    """How many instances are protected: none, so many, or any number that there is."""
    if isinstance(value, bool):
        return INSTANCES_MAX if value else 0
    if not isinstance(value, int) or not 0 <= value <= INSTANCES_MAX:
        raise refusal(f"{shorten(value)} is no number of instances", _PROTECTED)
    return value


def _write_protection(count: int) -> int | bool:
    return True if count == INSTANCES_MAX else count


_COUNT_OR_NOT = {
    "anyOf": [{"type": "boolean"}, {"type": "integer", "minimum": 0, "maximum": INSTANCES_MAX}]
}
Protection = Annotated[int, Scalar(_read_protection, _COUNT_OR_NOT, _write_protection)]


class Health(Model):
    """Whose word it is that an instance is unhealthy, and is replaced."""

    check: Literal["instance", "load_balancer"] = "instance"
    """instance: what has been terminated is replaced; load_balancer: what a balancer holds
    unhealthy as well, and what does not run."""
    impaired: PositiveDuration | None = None
    """How long an instance may be down, its status checks impaired, before it is replaced; by
    default for ever."""
    grace: AnyDuration | None = None
    """From entering service, in which neither counts; by default none."""

    bare = "check"

    @model_validator(mode="after")
    def _grace_is_from_something(self) -> Self:
        if self.grace is not None and self.check == "instance" and self.impaired is None:
            message = "grace without load_balancer or impaired has no effect"
            raise refusal(message, "check: load_balancer, or impaired")
        return self


class WarmPool(Model):
    """Instances that have booted once and wait, to serve sooner than a launch would."""

    min: Annotated[int, whole(0, INSTANCES_MAX)] = 0
    """That wait in any case."""
    max_prepared: Annotated[int, whole(1, INSTANCES_MAX)] | None = None
    """How many there are with those desired; by default as many as the fleet may have."""
    state: Literal["stopped", "running", "hibernated"] = "stopped"
    """As what they wait, and are billed."""
    reuse: bool = False
    """Whether who leaves when the fleet shrinks goes there."""


Timeout = Annotated[Duration, quantity(*SPAN), within("30s", "2h")]


class TerminateHook(Model):
    """What is done to an instance that has finished its requests, before it ends."""

    duration: Distribution
    timeout: Timeout = Duration(3600 * 10**9)
    """After which it ends all the same."""
    heartbeat: PositiveDuration | None = None
    """How often whoever is at it sends one, which begins the timeout anew, in all for 48 hours or
    100 timeouts at most; by default never."""

    @model_validator(mode="after")
    def _comes_in_time(self) -> Self:
        if self.heartbeat is not None and int(self.heartbeat) >= int(self.timeout):
            message = f"a heartbeat every {self.heartbeat} comes after the timeout"
            raise refusal(message, f"less than {self.timeout}")
        return self


class LaunchHook(TerminateHook):
    """What is done to an instance that has booted, before it serves."""

    default_result: Literal["abandon", "continue"] = "abandon"
    """What comes of one that takes longer than its timeout: another takes its place, or it
    serves."""


class Hooks(Model):
    """Lifecycle hooks: an instance waits, and is billed."""

    launch: LaunchHook | None = None
    terminate: TerminateHook | None = None

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if self.launch is None and self.terminate is None:
            raise refusal("hooks without a hook have no effect", "launch, terminate or both")
        return self
