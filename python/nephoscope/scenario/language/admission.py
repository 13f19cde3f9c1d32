"""Admission control of a service: a rate limit, and load shedding."""

from typing import Annotated, Self

from pydantic import model_validator

from nephoscope.scenario.language.fields import AnyDuration, PositiveRate, refusal, whole
from nephoscope.scenario.language.model import Model
from nephoscope.scenario.units import Rate

# Rates of tokens are whole millionths a second.
LEAST_RATE = 1e-6

TOKENS_MAX = 10**9


class RateLimit(Model):
    """A token bucket of each instance: a request without a token is rejected at once (429)."""

    rate: PositiveRate
    """Of tokens that come in; a request takes one."""
    burst: Annotated[int, whole(1, TOKENS_MAX)]
    """Tokens that the bucket holds, and has when the instance begins."""
    health_checks: bool = False
    """Whether checks take tokens too; by default they are let in."""

    @model_validator(mode="after")
    def _comes_in(self) -> Self:
        if float(self.rate) < LEAST_RATE:
            raise refusal(f"a rate of {self.rate} is too low", "a millionth a second or more")
        return self

    @property
    def millionths(self) -> int:
        """Of a token a second."""
        return round(Rate(self.rate) * 1e6)


class Shed(Model):
    """Load shedding of each instance: what it could not serve in time is rejected at once (503)."""

    queue_delay: AnyDuration | None = None
    """Requests are rejected while the one that has waited longest for a worker has waited for
    more."""
    in_flight: Annotated[int, whole(1, TOKENS_MAX)] | None = None
    """Requests that an instance may hold at once, with a worker or waiting for one."""
    health_checks: bool = False
    """Whether checks are shed too; by default they are let in."""

    @model_validator(mode="after")
    def _sheds_something(self) -> Self:
        if self.queue_delay is None and self.in_flight is None:
            raise refusal("sheds nothing", "queue_delay or in_flight, or no shed")
        return self
