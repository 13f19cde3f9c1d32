"""The account and the region in which everything runs: its quotas, and what is free in a month."""

from typing import Annotated, Literal, Self

from pydantic import model_validator

from nephoscope.catalog.quotas import Region
from nephoscope.scenario.fields import refusal, whole
from nephoscope.scenario.model import Model

Amount = Annotated[int, whole(0, 10**15)]


class FreeUsed(Model):
    """What had been used of the month's free amounts before the run."""

    queue_requests: Amount = 0
    """Of the first million requests of queues."""
    topic_requests: Amount = 0
    """Of the first million requests of standard topics."""
    http_deliveries: Amount = 0
    """Of the first 100,000 deliveries of topics by HTTP."""
    emails: Amount = 0
    """Of the first 1,000 deliveries of topics by mail."""


class Provider(Model):
    """Whose queues, topics, buses, balancers and fleets they are, and where."""

    region: Region = "us-east-1"
    """Whose quotas count, and how many calls a FIFO queue of high throughput takes; prices stay
    those of us-east-1."""
    quotas: Literal["none", "enforced"] = "none"
    """Enforced: a scenario with more than the account may have is refused, and what all topics or
    all buses together take in a second is limited, too."""
    free_tier: bool = False
    """Whether what is free in a month is taken off the bill."""
    used: FreeUsed | None = None
    """What had been used of that before the run; by default nothing."""

    @property
    def enforced(self) -> bool:
        """Whether quotas count."""
        return self.quotas == "enforced"

    @model_validator(mode="after")
    def _takes_off(self) -> Self:
        if self.used is not None and not self.free_tier:
            raise refusal("used without free_tier has no effect", "free_tier: true")
        return self
