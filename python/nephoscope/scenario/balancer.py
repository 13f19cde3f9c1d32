"""Load balancers: their targets, how they choose one and how they find out who is well."""

from typing import Annotated, Any, Self

from pydantic import model_validator

from nephoscope.scenario.arrivals import NoOptions
from nephoscope.scenario.balancer_type import Billed
from nephoscope.scenario.fields import (
    INSTANCES_MAX,
    SPAN,
    AnyDuration,
    Items,
    Name,
    PositiveDuration,
    PositiveWeight,
    Share,
    quantity,
    refusal,
    whole,
    within,
)
from nephoscope.scenario.model import Model, OneOf
from nephoscope.scenario.units import Duration

# Policies that have no place for weights: they compare or draw targets as equals.
UNWEIGHTED = frozenset({"random", "power_of_two", "join_idle_queue"})


GROUPS_MAX = 5
GROUP_WEIGHT_MAX = 999
SURGE_QUEUE_MAX = 2**20
DAY_NS = 86_400_000_000_000


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


class TargetGroup(Model):
    """Targets that get the requests of a balancer together, and choose among themselves."""

    targets: Items[Target]
    weight: Annotated[int, whole(0, GROUP_WEIGHT_MAX)] = 1
    """How often the group is chosen, whether or not anybody in it is well."""


class Stickiness(Model):
    """A cookie of the balancer, by which a client goes back to the target that answered it."""

    duration: Annotated[Duration, quantity(*SPAN), within("1s", "7d")] = Duration(DAY_NS)
    """How long the cookie lives after an answer; each renews it."""

    bare = "duration"


class LoadBalancer(Billed):
    """Sends each request to an instance of its target fleets."""

    targets: Items[Target] | None = None
    routing: Routing = Routing(round_robin=NoOptions())
    groups: dict[Name, TargetGroup] | None = None
    """Target groups in the place of `targets`: a request goes to one of them by weight."""
    health_check: HealthCheck | None = None
    """Without, a target is taken to be well."""
    deregistration_delay: AnyDuration = Duration(300_000_000_000)
    """How long a target that leaves has for the requests it holds; those left then fail."""
    slow_start: Annotated[Duration, quantity(*SPAN), within("30s", "900s")] | None = None
    """How long the share of a target that has become healthy grows; goes with round_robin."""
    stickiness: Stickiness | None = None
    """Clients go back to their target."""
    cross_zone: bool = True
    """false: a node in each zone, which sends to the targets of that zone alone."""
    idle_timeout: PositiveDuration | None = None
    """How long a target has for its answer; then the balancer gives its own, 504."""

    surge_queue: Annotated[int, whole(1, SURGE_QUEUE_MAX)] | None = None
    """Requests that may wait in the balancer while all targets are full, or there is none."""

    @property
    def all_targets(self) -> tuple[Target, ...]:
        """Those of all groups, in their order."""
        groups = (self.groups or {}).values()
        return (self.targets or ()) + tuple(target for group in groups for target in group.targets)

    @classmethod
    def describe(cls, schema: dict[str, Any]) -> None:
        """Targets or groups of them."""
        super().describe(schema)
        schema["oneOf"] = [{"required": ["targets"]}, {"required": ["groups"]}]
