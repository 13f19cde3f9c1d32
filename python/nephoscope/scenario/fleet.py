"""Fleets of instances."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from nephoscope.scenario.fields import INSTANCES_MAX, Name, refusal, whole
from nephoscope.scenario.instance_type import InstanceType
from nephoscope.scenario.model import Model


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
