"""Load balancers: their targets, how they choose one and how they find out who is well."""

from typing import Annotated, Self

from pydantic import model_validator

from nephoscope.scenario.arrivals import NoOptions
from nephoscope.scenario.balancer_type import Billed
from nephoscope.scenario.fields import (
    INSTANCES_MAX,
    AnyDuration,
    Items,
    Name,
    PositiveDuration,
    PositiveWeight,
    Share,
    refusal,
    whole,
)
from nephoscope.scenario.model import Model, OneOf
from nephoscope.scenario.units import Duration

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


class MinimumHealthy(Model):
    """Below this, requests go to all targets, healthy or not; either breach is enough."""

    count: Annotated[int, whole(0, INSTANCES_MAX)] = 1
    share: Share = 0.0
    """Of the targets that are registered."""

    bare = "count"


class HealthCheck(Model):
    """Requests that a balancer sends by itself, to find out who is well.

    The defaults are those of an Application Load Balancer.
    """

    interval: PositiveDuration = Duration(30_000_000_000)
    """From one check of a target to its next, whatever the answer takes."""
    timeout: PositiveDuration = Duration(5_000_000_000)
    """An answer that takes longer is a failure."""
    healthy_threshold: Annotated[int, whole(1, 255)] = 5
    """Successes in a row after which an unhealthy target is healthy; one that is new needs one."""
    unhealthy_threshold: Annotated[int, whole(1, 255)] = 2
    """Failures in a row after which a target is unhealthy."""
    work: AnyDuration = Duration(0)
    """CPU time on one reference vCPU that a check takes at its target."""
    minimum_healthy: MinimumHealthy = MinimumHealthy()

    @model_validator(mode="after")
    def _answers_in_turn(self) -> Self:
        if int(self.interval) < 1_000_000:
            raise refusal(f"an interval of {self.interval} is too short", "1ms or more")
        if int(self.timeout) >= int(self.interval):
            message = f"a timeout of {self.timeout} is not shorter than the interval"
            raise refusal(message, f"less than {self.interval}")
        return self


class LoadBalancer(Billed):
    """Sends each request to an instance of its target fleets."""

    targets: Items[Target]
    routing: Routing = Routing(round_robin=NoOptions())
    health_check: HealthCheck | None = None
    """Without, a target is taken to be well."""
    deregistration_delay: AnyDuration = Duration(300_000_000_000)
    """How long a target that leaves has for the requests it holds; those left then fail."""

    later = frozenset(
        {
            "cross_zone",
            "idle_timeout",
            "slow_start",
            "stickiness",
            "surge_queue",
        }
    )
