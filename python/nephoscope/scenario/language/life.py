"""The life of instances: how they are bought, how long it takes, what is done to them."""

import itertools
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, model_validator

from nephoscope.errors import shorten
from nephoscope.scenario.language.arrivals import NoOptions
from nephoscope.scenario.language.bus import Replay
from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.language.fields import (
    INSTANCES_MAX,
    AnyDuration,
    Items,
    Name,
    Share,
    number,
    refusal,
    whole,
)
from nephoscope.scenario.language.model import Model, OneOf
from nephoscope.scenario.language.queue import Change, Purge, Redrive
from nephoscope.scenario.language.refresh import percentage
from nephoscope.scenario.units import Duration

TRANSITIONS = (
    "stop",
    "start",
    "reboot",
    "hibernate",
    "terminate",
    "standby",
    "in_service",
    "detach",
    "attach",
)


def _point(value: Any) -> Any:
    if isinstance(value, list | tuple) and len(value) == 2:
        return tuple(value)
    message = f"{shorten(value)} is not a price from a time on"
    raise refusal(message, "a time and US dollars an hour, such as [10m, 0.04]")


Usd = Annotated[float, number(0.0, 1e6)]
PricePoint = Annotated[tuple[AnyDuration, Usd], BeforeValidator(_point)]


def _from_the_start(points: tuple[tuple[Duration, float], ...]) -> Any:
    if points[0][0] != 0:
        raise refusal(f"the first price is of {points[0][0]}", "a price from 0s on")
    for (before, _), (after, _) in itertools.pairwise(points):
        if after <= before:
            raise refusal(f"{after} comes after {before}", "times in ascending order")
    return points


class Spot(Model):
    """Spare capacity that the provider may take back."""

    interruption: Distribution | None = None
    """From running until the provider takes it, two minutes after a notice; without, never."""
    behaviour: Literal["terminate", "stop", "hibernate"] = "terminate"
    """What becomes of it then."""
    outage: Distribution | None = None
    """With stop and hibernate: from being stopped until the provider starts it again."""
    rebalance: bool = False
    """Another is launched when the provider recommends it, and the old one goes when that serves;
    without, another is launched when it has been taken."""
    recommendation: Distribution | None = None
    """With rebalance: from then until the notice; by default both come together."""
    discount: Share | None = None
    """Off the on-demand price, licences apart; by default what the catalogue assumes."""
    prices: Annotated[Items[PricePoint], AfterValidator(_from_the_start)] | None = None
    """Points [time, US dollars] of the price of an hour, licences apart, each from its time on."""
    max_price: Usd | None = None
    """What is paid at most, by default the on-demand price: above it the provider takes instances
    back, two minutes after a notice, and launches none."""
    on_demand_base: Annotated[int, whole(0, INSTANCES_MAX)] = 0
    """So many instances are bought on demand, before any on spot: a mixed group."""
    on_demand_share: Annotated[int, percentage(0, 100)] = 0
    """Of the instances beyond the base, rounded up: the same; in life 100% unless told."""

    pools: Annotated[int, whole(1, 20)] | None = None
    """Of a fleet of several types: the cheapest so many, which its instances are spread over
    evenly; by default 2."""

    @property
    def mixed(self) -> bool:
        """Whether some are bought on demand."""
        return self.on_demand_base != 0 or self.on_demand_share != 0

    @model_validator(mode="after")
    def _comes_back(self) -> Self:
        stops = self.behaviour != "terminate"
        if stops and self.interruption is None and self.prices is None:
            message = f"{self.behaviour} without an interruption has no effect"
            raise refusal(message, "behaviour beside interruption")
        if stops != (self.outage is not None):
            message = "outage belongs to the behaviours stop and hibernate"
            raise refusal(message, "a distribution, and only there")
        return self

    @model_validator(mode="after")
    def _has_one_price(self) -> Self:
        if self.prices is not None and self.discount is not None:
            raise refusal("a discount beside prices", "one of the two")
        if self.prices is None and self.max_price is not None:
            raise refusal("max_price without prices has no effect", "prices beside it")
        return self

    @model_validator(mode="after")
    def _rebalances(self) -> Self:
        if self.rebalance and self.interruption is None:
            raise refusal("rebalance without an interruption has no effect", "interruption")
        if self.rebalance and self.behaviour != "terminate":
            message = f"rebalance terminates what is at risk, and the behaviour is {self.behaviour}"
            raise refusal(message, "behaviour: terminate")
        if self.recommendation is not None and not self.rebalance:
            raise refusal("a recommendation without rebalance has no effect", "rebalance: true")
        return self


class Purchase(OneOf):
    """How instances are bought."""

    on_demand: NoOptions | None = None
    spot: Spot | None = None

    words = ("on_demand", "spot")


class Durations(Model):
    """How long transitions take, in place of what the operating system takes."""

    pending: Distribution | None = None
    """From a launch or a start until it is running, and billed."""
    boot: Distribution | None = None
    """From running until it serves, of a first start."""
    restart: Distribution | None = None
    """The same, of a start after a stop."""
    resume: Distribution | None = None
    """The same, after hibernation."""
    reboot: Distribution | None = None
    stop: Distribution | None = None
    """Of the shutdown, in which it may finish what it holds; at most five minutes."""
    hibernate: Distribution | None = None
    """Until its memory is saved."""
    terminate: Distribution | None = None
    """Of the shutdown, as with stop."""


class Which(Model):
    """Instances of a fleet: those that have served longest, or have been stopped longest."""

    fleet: Name
    count: Annotated[int, whole(1, INSTANCES_MAX)] | None = None
    """By default all."""

    bare = "fleet"


class Leaving(Which):
    """Instances that leave service and run on: those that have served longest."""

    replaced: bool = False
    """Others are launched in their place; by default the fleet's size falls by as many."""


class Action(Model):
    """What an operator does at a set time."""

    at: AnyDuration
    stop: Which | None = None
    start: Which | None = None
    reboot: Which | None = None
    hibernate: Which | None = None
    terminate: Which | None = None
    """Another is launched in its place."""
    standby: Leaving | None = None
    """It serves no more, and is kept, and billed."""
    in_service: Which | None = None
    """Who is on standby serves again, and the fleet's size grows by as many."""
    detach: Leaving | None = None
    """It is no longer of the fleet, and runs on, and is billed."""
    attach: Which | None = None
    """Who was detached is of the fleet again and serves, and its size grows by as many."""
    replay: Replay | None = None
    """What a bus has archived is put there again."""
    redrive: Redrive | None = None
    """Dead letters move back."""
    purge: Purge | None = None
    """All messages of a queue are deleted."""
    change: Change | None = None
    """Attributes of a queue become others."""

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        kinds = (*TRANSITIONS, "replay", "redrive", "purge", "change")
        if sum(getattr(self, kind) is not None for kind in kinds) != 1:
            raise refusal("not one action", f"exactly one of {', '.join(kinds)} beside at")
        return self

    @property
    def transition(self) -> tuple[str, Which] | None:
        """What is done to which instances, if it is done to instances."""
        for kind in TRANSITIONS:
            if (which := getattr(self, kind)) is not None:
                return kind, which
        return None


Vcpus = Annotated[int, whole(0, 2**31 - 1)]


class VcpuLimits(Model):
    """VCPUs by group of families; what is not named has no limit."""

    standard: Vcpus | None = None
    """Families A, C, D, H, I, M, R, T and Z, and custom types; a bare number means these."""
    f: Vcpus | None = None
    g: Vcpus | None = None
    inf: Vcpus | None = None
    p: Vcpus | None = None
    trn: Vcpus | None = None
    x: Vcpus | None = None

    bare = "standard"

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if all(most is None for _, most in self):
            raise refusal("no group is limited", f"some of {', '.join(VcpuLimits.model_fields)}")
        return self


# Families whose vCPUs are not limited among the standard ones, by their letters.
_GROUPS = {"f": "f", "g": "g", "gr": "g", "vt": "g", "inf": "inf", "p": "p", "trn": "trn"}


def family_group(name: str | None) -> str:
    """The group of families whose vCPUs are limited together; a custom type has no name."""
    family = (name or "").partition(".")[0]
    letters = family[: next((i for i, c in enumerate(family) if c.isdigit()), len(family))]
    return "x" if letters.startswith("x") else _GROUPS.get(letters, "standard")


Tokens = Annotated[int, whole(1, 10**9)]


class LaunchApi(Model):
    """The token buckets of the interface that launches; full when the clock starts."""

    instances: Tokens = 1000
    instances_per_s: Tokens = 2
    requests: Tokens = 5
    """A request launches at most 100 instances."""
    requests_per_s: Tokens = 2


class Account(Model):
    """What the instances of one tenant may be."""

    vcpus: VcpuLimits | None = None
    """On demand, pending or running."""
    spot_vcpus: VcpuLimits | None = None
    api: LaunchApi | None = None
    """Launches go through it; without, they take no time of the interface."""

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if all(limit is None for _, limit in self):
            raise refusal("an account without limits has no effect", "vcpus, spot_vcpus or api")
        return self
