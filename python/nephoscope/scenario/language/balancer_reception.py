"""What a load balancer does with requests before it chooses a target."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from nephoscope.scenario.language.fields import (
    SPAN,
    AnyDuration,
    PositiveRate,
    Share,
    quantity,
    refusal,
    whole,
    within,
)
from nephoscope.scenario.language.model import Model
from nephoscope.scenario.units import Duration

CAPACITY_MIN, CAPACITY_MAX = 1e-3, 1e9
HOUR_NS = 3_600_000_000_000
CLIENT_IDLE = "408"


class Capacity(Model):
    """What the balancer itself can pass on: it follows the traffic, and lags behind it."""

    start: PositiveRate
    """When the clock starts; in any five minutes it at most doubles, or falls by half."""
    minimum: PositiveRate | None = None
    """That is reserved, by default the start."""
    wait: Annotated[Duration, quantity(*SPAN), within("1ns", "1h")] | None = None
    """That a request beyond it has until its turn comes; by default it is turned away at once."""

    bare = "start"

    @model_validator(mode="after")
    def _is_in_bounds(self) -> Self:
        for rate in filter(None, (self.start, self.minimum)):
            if not CAPACITY_MIN <= float(rate) <= CAPACITY_MAX:
                raise refusal(f"{rate} is out of range", "0.001/s to 1000000000/s")
        if self.minimum is not None and float(self.minimum) > float(self.start):
            raise refusal(
                f"the minimum, {self.minimum}, is above the start", f"{self.start} at most"
            )
        return self


class OwnErrors(Model):
    """Shares of what comes that a balancer answers by itself, by code; no target sees them."""

    bad_request: Share = Field(default=0.0, alias="400")
    """Requests that are malformed, or too large."""
    client_idle: Share = Field(default=0.0, alias="408")
    """Clients who stop in the midst of one: it is known after the idle timeout."""
    too_many_addresses: Share = Field(default=0.0, alias="463")
    """Requests that were forwarded too often."""
    wrong_protocol: Share = Field(default=0.0, alias="464")
    """Requests of a protocol that is not that of the targets."""
    firewall: Share = Field(default=0.0, alias="500")
    """A firewall, or who tells clients apart, fails."""
    not_implemented: Share = Field(default=0.0, alias="501")
    """Requests that are encoded in a way that is not known."""

    @model_validator(mode="after")
    def _is_all_at_most(self) -> Self:
        if (total := sum(self.by_code.values())) > 1.0:
            raise refusal(f"shares of {total:g} together are more than all", "1 at most")
        return self

    @property
    def by_code(self) -> dict[str, float]:
        """Those that there are."""
        shares = {code: getattr(self, field) for code, field in _CODES.items()}
        return {code: share for code, share in shares.items() if share > 0.0}


_CODES = {field.alias or name: name for name, field in OwnErrors.model_fields.items()}


class Connections(Model):
    """Connections that clients keep to the balancer, one each."""

    keep_alive: Annotated[Duration, quantity(*SPAN), within("1m", "7d")] = Duration(HOUR_NS)
    """How long one is open; the idle timeout may close it before."""
    handshake: AnyDuration = Duration(0)
    """That it takes to open one: who has none waits for it."""


class SplitRequests(Model):
    """Requests of HTTP/2 that go to their target in parts: each counts as several."""

    share: Share = 1.0
    """Of what comes."""
    into: Annotated[int, whole(2, 1000)]
    """How many outstanding requests one is to least_connections."""
