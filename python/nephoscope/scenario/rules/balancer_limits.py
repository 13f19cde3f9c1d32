"""The limits of a load balancer that is as in life."""

from collections.abc import Iterator
from typing import Any

from nephoscope.errors import Problem, UnitError
from nephoscope.nearest import listing
from nephoscope.scenario.files.document import Document, Where
from nephoscope.scenario.files.plain_values import mapping
from nephoscope.scenario.language.balancer_defaults import OF_TYPE, usual_of
from nephoscope.scenario.units import Duration

_TYPES = f"a type of {listing(OF_TYPE)}"
_INTERVAL_S = (5, 300)
_THRESHOLD = (2, 10)
_DELAY_S = (0, 3600)


def limit_problems(document: Document, where: Where, balancer: dict[str, Any]) -> Iterator[Problem]:
    """What a balancer that is as in life is told beyond what the provider takes."""
    if balancer.get("defaults") != "service":
        return
    usual = usual_of(balancer)
    if usual is None:
        message = "a load balancer of this type has no defaults of a service"
        yield document.problem((*where, "defaults"), message, allowed=f"none, or {_TYPES}")
        return
    checks = mapping(balancer.get("health_check"))
    seconds = [
        (("health_check", "interval"), checks.get("interval"), _INTERVAL_S),
        (("health_check", "timeout"), checks.get("timeout"), usual.timeout_s),
        (("idle_timeout",), balancer.get("idle_timeout"), usual.idle_s),
        (("deregistration_delay",), balancer.get("deregistration_delay"), _DELAY_S),
    ]
    for path, value, (least, most) in seconds:
        if value is not None and not least <= _seconds(value, least) <= most:
            message = f"{value} is out of range of the service"
            allowed = f"{least}s to {most}s, or defaults: none"
            yield document.problem((*where, *path), message, value=value, allowed=allowed)
    for key in ("healthy_threshold", "unhealthy_threshold"):
        value = checks.get(key)
        least, most = _THRESHOLD
        if isinstance(value, int) and not least <= value <= most:
            message = f"{value} is out of range of the service"
            allowed = f"{least} to {most}, or defaults: none"
            yield document.problem((*where, "health_check", key), message, allowed=allowed)


def _seconds(value: Any, otherwise: float) -> float:
    """A duration in seconds; what is none, the models tell."""
    try:
        return int(Duration.parse(value)) / 1e9
    except UnitError:
        return otherwise
