"""Which instances a fleet keeps: health replacement, protection, zones, and who goes first."""

from typing import Annotated, Any, Literal, Self

from pydantic import model_validator

from nephoscope.errors import shorten
from nephoscope.scenario.fields import (
    INSTANCES_MAX,
    SPAN,
    AnyDuration,
    Scalar,
    quantity,
    refusal,
    within,
)
from nephoscope.scenario.model import Model
from nephoscope.scenario.units import Duration

TerminationPolicy = Literal["default", "oldest", "newest", "closest_to_next_hour"]
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
    grace: AnyDuration | None = None
    """From entering service, in which a balancer's word does not count; by default none."""

    bare = "check"

    @model_validator(mode="after")
    def _grace_is_of_balancers(self) -> Self:
        if self.grace is not None and self.check == "instance":
            raise refusal("grace without load_balancer has no effect", "check: load_balancer")
        return self
