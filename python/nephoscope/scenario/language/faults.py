"""What fails: instances, hosts, racks, zones; at set times or at random."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from nephoscope.scenario.language.balancer import NODES_MAX
from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.language.fields import (
    INSTANCES_MAX,
    AnyDuration,
    Name,
    number,
    refusal,
    whole,
)
from nephoscope.scenario.language.hosts import HOSTS_MAX
from nephoscope.scenario.language.model import Model
from nephoscope.scenario.units import Duration

KINDS = ("kill", "fail", "lose_health_checks", "slow", "maintain", "hang")
SCOPES = ("fleet", "host", "rack", "zone")


class Where(Model):
    """Instances of a fleet, or all that is on a host, in a rack or in a zone."""

    fleet: Name | None = None
    count: Annotated[int, whole(1, INSTANCES_MAX)] | None = None
    """Of a fleet, by default one: those that have served longest, or any if it is at random."""
    host: Name | None = None
    """The hosts that it is one of."""
    rack: Name | None = None
    """The hosts of which all in one rack are meant."""
    index: Annotated[int, whole(0, HOSTS_MAX)] | None = None
    """Which host or rack, from 0; by default one is drawn. Racks count on from zone to zone."""
    zone: Name | None = None

    bare = "fleet"

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        if sum(getattr(self, scope) is not None for scope in SCOPES) != 1:
            raise refusal("not one place", f"exactly one of {', '.join(SCOPES)}")
        if self.count is not None and self.fleet is None:
            raise refusal("count is of a fleet's instances", "fleet beside it")
        if self.index is not None and self.host is None and self.rack is None:
            raise refusal("index is of a host or a rack", "host or rack beside it")
        return self

    @property
    def scope(self) -> str:
        """The key that was given."""
        return next(scope for scope in SCOPES if getattr(self, scope) is not None)

    @property
    def name(self) -> str:
        """Its value."""
        return str(getattr(self, self.scope))


class Checks(Where):
    """The same, which node of a balancer asks in vain, and what it is told."""

    node: Annotated[int, whole(0, NODES_MAX - 1)] | None = None
    """From 0, of every balancer that has so many nodes; by default all of all."""
    code: Annotated[int, whole(100, 599)] | None = None
    """With which they are answered; by default they are not."""


class Slow(Where):
    """The same, and how slow."""

    factor: Annotated[float, number(1.0, 1000.0, open_low=True)]
    """Work takes so many times as long."""


class Maintain(Where):
    """Hosts, and how what is on them gets away."""

    notice: AnyDuration = Duration(120_000_000_000)
    """From the announcement until it begins."""
    by: Literal["drain", "stop_start", "migrate"] = "drain"
    """drain: instances leave their balancers and their fleets launch others; stop_start: they are
    stopped and start elsewhere; migrate: they go on on other hosts of the pool, as they are."""
    otherwise: Literal["stay", "drain", "stop_start"] | None = None
    """Of migrate: what becomes of instances for which there is no room; by default they stay."""
    pause: Distribution | None = None
    """Of migrate: how long an instance runs nowhere; by default 50 ms."""

    @model_validator(mode="after")
    def _is_of_hosts(self) -> Self:
        if self.fleet is not None:
            raise refusal("maintenance is of hosts", "host, rack or zone")
        for key in ("otherwise", "pause"):
            if self.by != "migrate" and getattr(self, key) is not None:
                raise refusal(f"{key} is of live migration", "by: migrate beside it")
        return self


class Fault(Model):
    """Something that fails, once or again and again."""

    at: AnyDuration | None = None
    every: Distribution | None = None
    """In place of `at`: from the start to the first, and from one to the next."""
    lasting: Distribution | None = Field(default=None, alias="for")
    """How long; by default to the end of the run."""
    kill: Where | None = None
    """What dies stays dead; a fleet launches another instance."""
    fail: Where | None = None
    """It loses what it holds and refuses everything until it comes back."""
    lose_health_checks: Checks | None = None
    """It serves, and no health check is answered, or each with a code."""
    slow: Slow | None = None
    """It serves, and its work takes longer."""

    hang: Where | None = None
    """It takes requests and answers nothing, and then goes on where it was."""
    maintain: Maintain | None = None
    """Hosts are down, after a notice at which what is on them moves."""

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        if sum(getattr(self, kind) is not None for kind in KINDS) != 1:
            raise refusal("not one fault", f"exactly one of {', '.join(KINDS)}")
        if (self.at is None) == (self.every is None):
            raise refusal("needs at or every", "an instant, or a distribution of gaps")
        if self.kill is not None and self.lasting is not None:
            raise refusal("what is killed stays dead", "kill without for, or fail")
        return self

    @property
    def kind(self) -> str:
        """The key that was given."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def where(self) -> Where:
        """What it strikes."""
        where: Where = getattr(self, self.kind)
        return where
