"""Load balancers: their targets and how they choose one."""

from typing import Annotated

from nephoscope.scenario.arrivals import NoOptions
from nephoscope.scenario.fields import Items, Name, PositiveWeight, whole
from nephoscope.scenario.model import Model, OneOf

# Policies that have no place for weights: they compare or draw targets as equals.
UNWEIGHTED = frozenset({"random", "power_of_two", "join_idle_queue"})


class Target(Model):
    """A fleet whose instances a balancer sends to."""

    fleet: Name
    weight: PositiveWeight = 1.0
    """Of each instance of the fleet."""

    bare = "fleet"


class PowerOfTwo(Model):
    """The least loaded of a few targets drawn at random."""

    choices: Annotated[int, whole(2, 1024)] = 2


class Routing(OneOf):
    """How a target is chosen; among equals at random."""

    round_robin: NoOptions | None = None
    least_connections: NoOptions | None = None
    ip_hash: NoOptions | None = None
    """By consistent hashing of the client."""
    least_response_time: NoOptions | None = None
    random: NoOptions | None = None
    power_of_two: PowerOfTwo | None = None
    join_idle_queue: NoOptions | None = None
    weighted_random: NoOptions | None = None

    words = (
        "round_robin",
        "least_connections",
        "ip_hash",
        "least_response_time",
        "random",
        "power_of_two",
        "join_idle_queue",
        "weighted_random",
    )


class LoadBalancer(Model):
    """Sends each request to an instance of its target fleets."""

    targets: Items[Target]
    routing: Routing = Routing(round_robin=NoOptions())

    later = frozenset(
        {
            "cross_zone",
            "deregistration_delay",
            "health_check",
            "idle_timeout",
            "slow_start",
            "stickiness",
            "surge_queue",
        }
    )
