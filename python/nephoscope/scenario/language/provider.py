"""The account and the region in which everything runs: its quotas, and what is free in a month."""

from typing import Annotated, Literal, Self

from pydantic import model_validator

from nephoscope.catalog.quotas import Region
from nephoscope.scenario.language.fields import refusal, whole
from nephoscope.scenario.language.model import Model

Amount = Annotated[int, whole(0, 10**15)]


class Used(Model):
    """What had been used in the month before the run."""

    queue_requests: Amount = 0
    """Requests of queues: the first million may be free, and they are cheaper from 100 billion
    on."""
    fifo_requests: Amount = 0
    """Those of FIFO queues among them, which become cheaper by themselves."""
    topic_requests: Amount = 0
    """Of the first million requests of standard topics."""
    http_deliveries: Amount = 0
    """Of the first 100,000 deliveries of topics by HTTP."""
    emails: Amount = 0
    """Of the first 1,000 deliveries of topics by mail."""

    @model_validator(mode="after")
    def _among_them(self) -> Self:
        if self.fifo_requests > self.queue_requests:
            message = f"{self.fifo_requests:,} fifo_requests are more than all queue_requests"
            raise refusal(message, f"at most {self.queue_requests:,}")
        return self


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
    used: Used | None = None
    """What had been used of that, and of the dearest requests, before the run; by default
    nothing."""

    @property
    def enforced(self) -> bool:
        """Whether quotas count."""
        return self.quotas == "enforced"

    @model_validator(mode="after")
    def _takes_off(self) -> Self:
        if self.used is None or self.free_tier:
            return self
        vain = any(
            getattr(self.used, key) for key in ("topic_requests", "http_deliveries", "emails")
        )
        if vain or not self.used.queue_requests:
            message = "used without free_tier has no effect but for queue_requests"
            raise refusal(message, "free_tier: true, or requests of queues alone")
        return self
