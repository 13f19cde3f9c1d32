"""Fleets of instances."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from nephoscope.errors import shorten
from nephoscope.scenario.fields import (
    INSTANCES_MAX,
    Name,
    PositiveSize,
    number,
    refusal,
    whole,
)
from nephoscope.scenario.model import Model
from nephoscope.scenario.units import Size

_CUSTOM = "{vcpus: 2, memory: 4GiB}"


class InstanceType(Model):
    """A machine of one's own measure; its vCPUs have the reference speed unless told otherwise."""

    vcpus: Annotated[int, whole(1, 4096)] = 1
    memory: PositiveSize = Size(2**30)
    speed: Annotated[float, number(0.0, 1000.0, open_low=True)] = 1.0
    """Of one vCPU; 1.0 is the reference."""

    later = frozenset({"network", "disk", "gpu"})

    @classmethod
    def expand(cls, value: Any) -> Any:
        """Names of the catalogue are refused, with what works in their place."""
        if isinstance(value, str):
            raise refusal(
                f"the instance type {shorten(value)}: catalogue types are not built yet in this "
                "version of nephoscope",
                f"a custom type such as {_CUSTOM}",
            )
        return value


def _number_only(value: Any) -> Any:
    if isinstance(value, dict):
        raise refusal(
            "count with min, desired and max: not built yet in this version of nephoscope",
            "a whole number",
        )
    return value


class Fleet(Model):
    """Instances of one type that run one service."""

    service: Name
    instance_type: InstanceType = InstanceType()
    count: Annotated[int, whole(0, INSTANCES_MAX), BeforeValidator(_number_only)] = 1

    later = frozenset(
        {
            "boot",
            "cap",
            "cpu_credits",
            "hosts",
            "initially",
            "os",
            "placement",
            "purchase",
            "reservation",
            "scaling",
            "tenancy",
            "weight",
            "zones",
        }
    )
