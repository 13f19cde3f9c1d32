"""Load balancers: their targets, how they choose one and how they find out who is well."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import InstanceOf, model_validator
from pydantic.json_schema import SkipJsonSchema

from nephoscope.errors import shorten
from nephoscope.nearest import listing
from nephoscope.scenario.language.arrivals import NoOptions
from nephoscope.scenario.language.balancer_defaults import with_defaults
from nephoscope.scenario.language.balancer_reception import (
    Capacity,
    Connections,
    OwnErrors,
    SplitRequests,
)
from nephoscope.scenario.language.balancer_type import Billed
from nephoscope.scenario.language.compiled_policy import RoutingPolicy
from nephoscope.scenario.language.fields import (
    INSTANCES_MAX,
    SPAN,
    AnyDuration,
    Items,
    Name,
    PositiveDuration,
    PositiveWeight,
    Scalar,
    Share,
    quantity,
    refusal,
    whole,
    within,
)
from nephoscope.scenario.language.model import Model, OneOf
from nephoscope.scenario.units import Duration

# Policies that have no place for weights: they compare or draw targets as equals.
UNWEIGHTED = frozenset({"random", "power_of_two", "join_idle_queue"})


GROUPS_MAX = 5
GROUP_WEIGHT_MAX = 999
SURGE_QUEUE_MAX = 2**20
NODES_MAX = 64
DAY_NS = 86_400_000_000_000
CODES_PATTERN = "^[1-5][0-9]{2}(-[1-5][0-9]{2})?$"


class Target(Model):
    """A fleet whose instances a balancer sends to."""

    fleet: Name
    weight: PositiveWeight = 1.0
    """Of each instance of the fleet."""

    bare = "fleet"


class PowerOfTwo(Model):
    """The least loaded of a few targets drawn at random."""

    choices: Annotated[int, whole(2, 1024)] = 2


class WeightedRandom(Model):
    """Each target as likely as its weight says."""

    anomaly_mitigation: bool = False
    """Targets that fail more often than their peers get less, step by step, until they recover."""
    window: Annotated[Duration, quantity(*SPAN), within("1ms", "1d")] | None = None
    """In which their answers are counted, by default 30s."""

    @model_validator(mode="after")
    def _looks(self) -> Self:
        if self.window is not None and not self.anomaly_mitigation:
            raise refusal(
                "a window without anomaly_mitigation", "anomaly_mitigation: true beside it"
            )
        return self


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
    weighted_random: WeightedRandom | None = None
    compiled: SkipJsonSchema[InstanceOf[RoutingPolicy]] | None = None
    """A function of the user's own, which no file can name."""

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

    @classmethod
    def expand(cls, value: Any) -> Any:
        """A compiled policy stands for itself; a file has none."""
        if isinstance(value, RoutingPolicy):
            return {"compiled": value}
        given = next(iter(value), None) if isinstance(value, dict) else value
        if given == "compiled" and not (
            isinstance(value, dict) and isinstance(value["compiled"], RoutingPolicy)
        ):
            message = "a compiled policy is given in Python, as a nephoscope.RoutingPolicy"
            raise refusal(message, listing(cls.forms(), 30))
        return super().expand(value)

    @classmethod
    def forms(cls) -> list[str]:
        """Those that a file can name."""
        return list(cls.words)

    @classmethod
    def describe(cls, schema: dict[str, Any]) -> None:
        """What a file can have."""
        schema["properties"].pop("compiled", None)
        super().describe(schema)

    @property
    def mitigates(self) -> bool:
        """Whether targets that fail more often than their peers get less."""
        return self.weighted_random is not None and self.weighted_random.anomaly_mitigation


class MinimumHealthy(Model):
    """Below this, requests go to all targets, healthy or not; either breach is enough."""

    count: Annotated[int, whole(0, INSTANCES_MAX)] = 1
    share: Share = 0.0
    """Of the targets that are registered."""

    bare = "count"


class DnsFailover(Model):
    """A node with fewer healthy targets gets no clients while others have enough."""

    minimum_healthy_targets: MinimumHealthy = MinimumHealthy()

    bare = "minimum_healthy_targets"


def _read_codes(value: Any) -> tuple[int, int]:
    allowed = "a code such as 200, or a range such as 200-399, within 100 to 599"
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not re.fullmatch(CODES_PATTERN, value):
        raise refusal(f"{shorten(value)} is no code of success", allowed)
    first, _, last = value.partition("-")
    codes = int(first), int(last or first)
    if codes[0] > codes[1]:
        raise refusal(f"{value} does not ascend", allowed)
    return codes


def _write_codes(codes: tuple[int, int]) -> str:
    return str(codes[0]) if codes[0] == codes[1] else f"{codes[0]}-{codes[1]}"


SuccessCodes = Annotated[
    tuple[int, int],
    Scalar(
        _read_codes,
        {
            "anyOf": [
                {"type": "integer", "minimum": 100, "maximum": 599},
                {"type": "string", "pattern": CODES_PATTERN},
            ]
        },
        _write_codes,
    ),
]


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
    success_codes: SuccessCodes = (200, 200)
    """Codes of HTTP that tell of success, one or a range; a target that is well answers 200."""
    minimum_healthy: MinimumHealthy = MinimumHealthy()
    dns_failover: DnsFailover = DnsFailover()
    sends_to_new: bool = False
    """Whether a target gets requests as soon as it is registered, or after its first success."""
    resets: bool = False
    """Whether requests that are under way at a target fail when it turns unhealthy, unless it goes
    on getting others because too few are healthy."""

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


class ApplicationCookie(Model):
    """A cookie of the targets' own: the balancer follows it for as long as they let it live."""

    duration: Annotated[Duration, quantity(*SPAN), within("1s", "7d")] = Duration(DAY_NS)
    """How long it lives after the answer that set it."""
    renew: bool = False
    """Whether every answer sets it anew, or only that which begins a session."""

    bare = "duration"


class Stickiness(Model):
    """A cookie of the balancer, by which a client goes back to the target that answered it."""

    duration: Annotated[Duration, quantity(*SPAN), within("1s", "7d")] | None = None
    """How long the cookie lives after an answer, by default 1d; each renews it."""
    application: ApplicationCookie | None = None
    """In its place, a cookie that the targets set."""

    bare = "duration"

    @model_validator(mode="after")
    def _is_one_cookie(self) -> Self:
        if self.duration is not None and self.application is not None:
            message = "duration is of the balancer's cookie, application has its own"
            raise refusal(message, "one of duration and application")
        return self

    @property
    def lives(self) -> Duration:
        """How long a cookie lives."""
        if self.application is not None:
            return self.application.duration
        return self.duration or Duration(DAY_NS)

    @property
    def renewed(self) -> bool:
        """Whether every answer begins its life anew."""
        return self.application is None or self.application.renew


class LoadBalancer(Billed):
    """Sends each request to an instance of its target fleets."""

    defaults: Literal["none", "service"] = "none"
    """service: what is not told is as the provider has it for the type, health checks, timeouts,
    routing, zones and surge queue, and what is told is within the provider's limits."""
    listener_of: Name | None = None
    """The load balancer that this is one more listener of: its bill, its quotas and its capacity
    are theirs together; all else is of this one."""
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
    group_stickiness: Annotated[Duration, quantity(*SPAN), within("1s", "7d")] | None = None
    """How long a client goes back to its group, whichever target there; each answer renews it."""
    cross_zone: bool = True
    """false: a node in each zone, which sends to the targets of that zone alone."""
    nodes: Annotated[int, whole(1, NODES_MAX)] = 1
    """That check all targets and choose among them, each by itself."""
    capacity: Capacity | None = None
    """Of the balancer itself; by default it has no limit."""
    connections: Connections | None = None
    """Clients keep connections, and a new one costs a handshake and counts for the bill."""
    errors: OwnErrors | None = None
    """Answers of the balancer by itself, a share of what comes for each code."""
    split_requests: SplitRequests | None = None
    """Requests of HTTP/2 that count as several; goes with least_connections."""
    idle_timeout: PositiveDuration | None = None
    """How long a target has for its answer; then the balancer gives its own, 504."""
    connect_timeout: PositiveDuration | None = None
    """How long the balancer tries to connect to a target that says nothing (its host is down, or
    it hangs) before it answers 504; 10s in life. Without, a host that is down refuses at once."""
    dns_ttl: PositiveDuration | None = None
    """How long a client keeps to the node that the DNS told it, even if that has left the DNS; 60s
    in life. Without, every request asks. Needs nodes, or cross_zone: false."""
    surge_queue: Annotated[int, whole(1, SURGE_QUEUE_MAX)] | None = None
    """Requests that may wait in the balancer while all targets are full, or there is none."""

    @classmethod
    def expand(cls, value: Any) -> Any:
        """What is not told is as its type has it, where that is asked for."""
        return with_defaults(value) if isinstance(value, dict) else super().expand(value)

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
