"""What a load balancer of each type is in life unless told, and within which limits."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from nephoscope.errors import Problem, UnitError
from nephoscope.nearest import listing
from nephoscope.scenario.document import Document, Where
from nephoscope.scenario.references import mapping
from nephoscope.scenario.units import Duration

# What does not go with a surge queue, which a balancer with one of them has only if told.
SURGELESS = ("groups", "slow_start", "stickiness", "nodes")


@dataclass(frozen=True)
class Defaults:
    """Keys of a balancer and of its health checks in place of the usual defaults."""

    keys: dict[str, Any]
    health_check: dict[str, Any]
    idle_s: tuple[int, int]
    """The least and the greatest idle timeout."""
    timeout_s: tuple[int, int] = (2, 120)
    """The same of a health check."""
    of_queue: dict[str, Any] = field(default_factory=dict)
    """Keys where nothing stands against a surge queue."""
    checks: bool = True
    """Whether targets are checked unless told."""


# Elastic Load Balancing, July 2024. Checks of a Network Load Balancer are of TCP. A Gateway Load
# Balancer goes by a hash of five parts, of which the client's port differs from flow to flow.
OF_TYPE = {
    "application": Defaults(
        {"idle_timeout": "60s", "connect_timeout": "10s"},
        {"interval": "30s", "timeout": "5s", "healthy_threshold": 5, "unhealthy_threshold": 2},
        (1, 4000),
    ),
    "network": Defaults(
        {"idle_timeout": "350s", "cross_zone": False, "routing": "ip_hash"},
        {
            "interval": "30s",
            "timeout": "10s",
            "healthy_threshold": 5,
            "unhealthy_threshold": 2,
            "success_codes": "200-399",
            "sends_to_new": True,
            "resets": True,
        },
        (60, 6000),
    ),
    "gateway": Defaults(
        {"idle_timeout": "350s", "cross_zone": False, "routing": "random"},
        {
            "interval": "10s",
            "timeout": "5s",
            "healthy_threshold": 5,
            "unhealthy_threshold": 2,
            "success_codes": "200-399",
        },
        (60, 6000),
    ),
    "classic": Defaults(
        {"idle_timeout": "60s", "routing": "least_connections"},
        {"interval": "30s", "timeout": "5s", "healthy_threshold": 10, "unhealthy_threshold": 2},
        (1, 3600),
        (2, 60),
        {"surge_queue": 1024},
    ),
}

_NETWORK = OF_TYPE["network"]
OF_TRAFFIC = {
    "udp": replace(
        _NETWORK,
        keys=_NETWORK.keys | {"idle_timeout": "120s"},
        health_check=_NETWORK.health_check | {"resets": False},
        idle_s=(120, 120),
    ),
    "tls": replace(_NETWORK, keys=_NETWORK.keys | {"routing": "random"}),
    "lambda": replace(
        OF_TYPE["application"],
        health_check={
            "interval": "35s",
            "timeout": "30s",
            "healthy_threshold": 5,
            "unhealthy_threshold": 5,
        },
        checks=False,
    ),
}

_TYPES = f"a type of {listing(OF_TYPE)}"
_TRAFFIC = {"application": "target_type", "network": "protocol"}
_INTERVAL_S = (5, 300)
_THRESHOLD = (2, 10)
_DELAY_S = (0, 3600)


def with_defaults(balancer: dict[str, Any]) -> dict[str, Any]:
    """A balancer as written, and what its type has in life where it asks for that."""
    usual = _usual(balancer)
    if balancer.get("defaults") != "service" or usual is None:
        return balancer
    alone = all(balancer.get(key, 1) in (None, 1) for key in SURGELESS)
    surges = alone and balancer.get("cross_zone", True) is True
    full = usual.keys | (usual.of_queue if surges else {}) | balancer
    checks = balancer.get("health_check")
    if isinstance(checks, dict) or (checks is None and usual.checks):
        full["health_check"] = usual.health_check | (checks or {})
    return full


def _usual(balancer: dict[str, Any]) -> Defaults | None:
    kind = balancer.get("type", "application")
    if not isinstance(kind, str):
        return None
    traffic = balancer.get(_TRAFFIC.get(kind, ""))
    of_traffic = OF_TRAFFIC.get(traffic) if isinstance(traffic, str) else None
    return of_traffic or OF_TYPE.get(kind)


def limit_problems(document: Document, where: Where, balancer: dict[str, Any]) -> Iterator[Problem]:
    """What a balancer that is as in life is told beyond what the provider takes."""
    if balancer.get("defaults") != "service":
        return
    usual = _usual(balancer)
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
