"""What a caller does when an answer does not come, comes late or is not the one it hoped for."""

from typing import Annotated, Literal, Self

from pydantic import model_validator

from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.language.fields import (
    PositiveDuration,
    PositiveRate,
    Share,
    number,
    refusal,
    whole,
)
from nephoscope.scenario.language.model import Model, OneOf
from nephoscope.scenario.units import Duration

ATTEMPTS_MAX = 1_000_000
WINDOW_MAX = 1_048_576
# Attempts that are looked at for a failure rate, unless told.
WINDOW = 100


class Exponential(Model):
    """Waits that double: before retry k (from 0) base x 2^k, at most the cap."""

    base: PositiveDuration
    cap: PositiveDuration | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.cap is not None and self.cap < self.base:
            raise refusal(f"the cap {self.cap} is below the base", f"at least {self.base}")
        return self


class Backoff(OneOf):
    """How long a caller waits before it tries again."""

    fixed: Distribution | None = None
    """The same each time, or drawn from a law."""
    exponential: Exponential | None = None


class Budget(Model):
    """Tokens for further attempts, one each."""

    share: Share
    """What a request earns when it is first sent, in tokens."""
    reserve: Annotated[float, number(1.0, 1e9)] = 10.0
    """Tokens at the start, and the most there are."""
    rate: PositiveRate | None = None
    """Tokens that time brings."""

    bare = "share"


class Retry(Model):
    """Attempts beyond the first, after one that was rejected, failed or timed out."""

    attempts: Annotated[int, whole(1, ATTEMPTS_MAX)]
    """At most, the first one counted."""
    backoff: Backoff = Backoff(fixed=Distribution(constant=Duration(0)))
    jitter: Literal["none", "full", "equal", "decorrelated"] = "none"
    """full: uniform up to the wait; equal: half of it and up to another half; decorrelated:
    uniform from the base to three times the wait before."""
    budget: Budget | None = None

    bare = "attempts"

    @model_validator(mode="after")
    def _has_a_base(self) -> Self:
        if self.jitter == "decorrelated" and self.backoff.exponential is None:
            raise refusal("decorrelated jitter needs a base", "an exponential backoff beside it")
        return self


class CircuitBreaker(Model):
    """Attempts that are not made for a while after others had no success."""

    failures: Annotated[int, whole(1, 2**31)] | None = None
    """It opens after so many in a row."""
    failure_rate: Share | None = None
    """It opens when so many of the last `window` had none."""
    window: Annotated[int, whole(1, WINDOW_MAX)] | None = None
    """100 unless told."""
    open: PositiveDuration
    """How long nothing is sent."""
    probes: Annotated[int, whole(1, 2**31)] = 1
    """Attempts that are made then: if all succeed it closes, if one does not it opens again."""

    @model_validator(mode="after")
    def _has_a_rule(self) -> Self:
        if self.failures is None and self.failure_rate is None:
            raise refusal("nothing opens it", "failures, failure_rate or both")
        if self.failure_rate == 0.0:
            raise refusal("a failure_rate of 0 is always reached", "a share above 0")
        if self.window is not None and self.failure_rate is None:
            raise refusal("a window without failure_rate has no effect", "both or neither")
        return self


class Hedge(Model):
    """A second attempt beside one that has had no answer for a while; the first answer wins."""

    after: PositiveDuration

    bare = "after"
