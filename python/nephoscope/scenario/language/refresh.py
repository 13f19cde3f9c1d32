"""Instance refresh: replacing all instances of a fleet while it serves."""

import itertools
import math
import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Strict, model_validator

from nephoscope.errors import shorten
from nephoscope.scenario import units
from nephoscope.scenario.language.cpu_credits import CpuCredits
from nephoscope.scenario.language.fields import AnyDuration, JsonSchema, Name, Scalar, refusal
from nephoscope.scenario.language.instance_type import InstanceType
from nephoscope.scenario.language.model import Model
from nephoscope.scenario.language.system_name import SystemName
from nephoscope.scenario.units import Duration


def percentage(low: int, high: int) -> Scalar:
    """A whole percentage, as `90%` or as a share."""
    allowed = f"a whole percentage from {low}% to {high}%"

    def read(value: Any) -> int:
        number = math.nan
        if isinstance(value, int | float) and not isinstance(value, bool):
            number = 100.0 * value
        elif isinstance(value, str) and re.fullmatch(units.SHARE_PATTERN, value):
            number = float(value.removesuffix("%"))
        if not (math.isfinite(number) and abs(number - round(number)) < 1e-9):
            raise refusal(f"{shorten(value)} is not a whole percentage", allowed)
        if not low <= round(number) <= high:
            raise refusal(f"{shorten(value)} is out of range", allowed)
        return round(number)

    share: JsonSchema = {"type": "number", "minimum": low / 100, "maximum": high / 100}
    text: JsonSchema = {"type": "string", "pattern": units.SHARE_PATTERN}
    return Scalar(read, {"anyOf": [share, text]}, lambda value: f"{value}%")


def _ascending(percentages: tuple[int, ...]) -> tuple[int, ...]:
    if any(later <= each for each, later in itertools.pairwise(percentages)):
        raise refusal("checkpoints that do not ascend", "percentages such as [20%, 50%, 100%]")
    return percentages


class NewInstances(Model):
    """What the new instances are; what is not told stays as it is."""

    instance_type: InstanceType | None = None
    os: SystemName | None = None
    cpu_credits: CpuCredits | None = None
    """Of a burstable type; by default as its family has it, or as it is where the type stays."""

    bare = "instance_type"

    @model_validator(mode="after")
    def _is_another(self) -> Self:
        if self.instance_type is None and self.os is None and self.cpu_credits is None:
            raise refusal("nothing is another", "instance_type, os or cpu_credits")
        return self


class Refresh(Model):
    """Every instance is replaced by a new one; those that leave may finish what they hold."""

    at: AnyDuration
    min_healthy: Annotated[int, percentage(0, 100)] = 90
    """Of the instances that are desired, rounded up: that serve and are well throughout."""
    max_healthy: Annotated[int, percentage(100, 200)] | None = None
    """Of the same, rounded down: that serve or are about to. Without, one leaves and another is
    launched at the same time; with 100%, one is launched first where nobody may leave."""
    warmup: AnyDuration = Duration(0)
    """How long a new instance serves, and is well, before it counts as well."""
    checkpoints: Annotated[
        tuple[Annotated[int, percentage(1, 100)], ...], Strict(False), AfterValidator(_ascending)
    ] = ()
    """Shares replaced after which it waits; it ends with the last, or with all."""
    checkpoint_delay: AnyDuration | None = None
    """How long it waits at a checkpoint; by default an hour."""
    scale_in_protected: Literal["refresh", "ignore", "wait"] = "wait"
    """What becomes of instances that are protected: they are replaced too; they stay; or they are
    waited for, and it fails when for an hour nothing else has been left to replace."""
    standby: Literal["terminate", "ignore", "wait"] = "wait"
    """The same of instances on standby, which are terminated, and not replaced."""
    skip_matching: bool = False
    """Instances that are already what the new ones will be stay."""
    rollback: bool = False
    """When it fails, what has been replaced is replaced again, by what the fleet was before."""
    alarms: Annotated[tuple[Name, ...], Strict(False)] = ()
    """Of the fleet's: it fails while one of them is on."""
    to: NewInstances | None = None
    """Another type or operating system; by default the new instances are as the old ones."""

    @model_validator(mode="after")
    def _bounds_agree(self) -> Self:
        if self.max_healthy is not None and self.max_healthy - self.min_healthy > 100:
            message = f"{self.min_healthy}% to {self.max_healthy}% are too far apart"
            raise refusal(message, "at most 100% between them")
        if self.checkpoint_delay is not None and not self.checkpoints:
            raise refusal("checkpoint_delay without checkpoints has no effect", "checkpoints")
        if self.rollback and self.to is None:
            raise refusal("rollback without to has nothing to go back to", "to beside it")
        return self
