"""What a load balancer of each type is in life unless told, and within which limits."""

from dataclasses import dataclass, field, replace
from typing import Any

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

_TRAFFIC = {"application": "target_type", "network": "protocol"}


def with_defaults(balancer: dict[str, Any]) -> dict[str, Any]:
    """A balancer as written, and what its type has in life where it asks for that."""
    usual = usual_of(balancer)
    if balancer.get("defaults") != "service" or usual is None:
        return balancer
    alone = all(balancer.get(key, 1) in (None, 1) for key in SURGELESS)
    surges = alone and balancer.get("cross_zone", True) is True
    full = usual.keys | (usual.of_queue if surges else {}) | balancer
    checks = balancer.get("health_check")
    if isinstance(checks, dict) or (checks is None and usual.checks):
        full["health_check"] = usual.health_check | (checks or {})
    return full


def usual_of(balancer: dict[str, Any]) -> Defaults | None:
    """What a balancer of this type and traffic is in life; None of a type that has none."""
    kind = balancer.get("type", "application")
    if not isinstance(kind, str):
        return None
    traffic = balancer.get(_TRAFFIC.get(kind, ""))
    of_traffic = OF_TRAFFIC.get(traffic) if isinstance(traffic, str) else None
    return of_traffic or OF_TYPE.get(kind)
