"""What an instance keeps in every state: its network volume, and its public address."""

from typing import Annotated, Self

from pydantic import model_validator

from nephoscope.catalog import BurstFacts
from nephoscope.catalog.buckets import at_most
from nephoscope.catalog.devices import GP3_BYTES_PER_SECOND, GP3_IOPS
from nephoscope.catalog.prices import USD_PER_ADDRESS_HOUR
from nephoscope.scenario.language.fields import (
    PositiveBandwidth,
    PositiveDuration,
    PositiveSize,
    number,
    refusal,
    whole,
)
from nephoscope.scenario.language.model import Model
from nephoscope.scenario.units import Bandwidth, Duration, Size

# What is published of gp3.
IOPS_MOST = 16_000
IOPS_PER_GIB = 500
THROUGHPUT_MOST = Bandwidth(1_000 * 2**20)
BYTES_PER_IO = 2**18  # of throughput, for each operation a second

ENCRYPTION_MOST = Duration(86_400 * 10**9)


class Snapshot(Model):
    """What a volume was made from: each byte comes from there when it is touched first."""

    bandwidth: PositiveBandwidth
    """Of bytes that are touched for the first time, beside those that have been."""
    bytes: PositiveSize | None = None
    """So many; by default the size of the volume."""
    initialization: PositiveBandwidth | None = None
    """At which the provider loads them from the launch on; by default it waits for the touch."""


class Volume(Model):
    """A volume of type gp3, within what the provider makes of it."""

    iops: Annotated[int, whole(GP3_IOPS, IOPS_MOST)] = GP3_IOPS
    """Operations a second."""
    throughput: PositiveBandwidth = Bandwidth(GP3_BYTES_PER_SECOND)
    """Bytes a second; the instance type may give less."""
    size: PositiveSize | None = None
    """By default as much as its operations need."""
    usd_per_gib_month: Annotated[float, number(0.0, 1e6)] | None = None
    """What its size costs, from the launch of an instance to its end, also while it is stopped; by
    default volumes are not on the bill."""

    @model_validator(mode="after")
    def _is_sold(self) -> Self:
        most = min(int(THROUGHPUT_MOST), self.iops * BYTES_PER_IO)
        if not GP3_BYTES_PER_SECOND <= int(self.throughput) <= most:
            allowed = f"{Bandwidth(GP3_BYTES_PER_SECOND)} to {Bandwidth(most)} with these iops"
            raise refusal(f"a throughput of {self.throughput} is out of range", allowed)
        if self.size is not None and self.iops > max(
            GP3_IOPS, int(self.size) * IOPS_PER_GIB // 2**30
        ):
            needed = Size(-(-self.iops // IOPS_PER_GIB) * 2**30)
            raise refusal(f"{self.size} is too little for {self.iops} iops", f"{needed} or more")
        return self

    snapshot: Snapshot | None = None
    """It was made from one and is slow at the first touch, but for instances that run at the start;
    by default it has its speed from the launch on."""
    encryption: PositiveDuration | None = None
    """How much longer a launch takes because the volume is encrypted; by default no longer."""

    @model_validator(mode="after")
    def _is_slow_at_first(self) -> Self:
        if self.snapshot is None:
            return self
        if self.snapshot.bytes is None and self.size is None:
            raise refusal("a snapshot of no size", "bytes of the snapshot, or size of the volume")
        if self.size is not None and self.fresh_bytes > self.size:
            raise refusal(f"{self.fresh_bytes} of {self.size} are fresh", f"{self.size} or less")
        if self.snapshot.bandwidth >= self.throughput:
            message = f"{self.snapshot.bandwidth} at the first touch is not slow"
            raise refusal(message, f"less than the throughput, {self.throughput}")
        return self

    @model_validator(mode="after")
    def _is_encrypted_some_day(self) -> Self:
        if self.encryption is not None and self.encryption > ENCRYPTION_MOST:
            raise refusal(f"{self.encryption} is too long", f"at most {ENCRYPTION_MOST}")
        return self

    @property
    def fresh_bytes(self) -> Size:
        """That have not been touched when an instance is launched."""
        if self.snapshot is None:
            return Size(0)
        return self.snapshot.bytes or self.size or Size(0)

    @model_validator(mode="after")
    def _has_what_is_paid(self) -> Self:
        if self.usd_per_gib_month is not None and self.size is None:
            raise refusal("a price without a size", "size beside it")
        return self

    def behind(self, link: BurstFacts) -> BurstFacts:
        """What is left of the bandwidth that the instance type has for its volumes.

        The bucket is that of the type, so a volume that cannot reach its peak lasts for longer.
        """
        return at_most(link, int(self.throughput))


class ElasticAddress(Model):
    """A public IPv4 address that stays with an instance."""

    usd_per_hour: Annotated[float, number(0.0, 1e6)] = USD_PER_ADDRESS_HOUR
    """From the launch of an instance to its end, also while it is stopped."""
