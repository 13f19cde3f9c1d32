"""Devices of custom instance types, and what the steps of a service ask of devices."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, model_validator

from nephoscope.catalog import BurstFacts
from nephoscope.catalog.devices import GP3_BYTES_PER_SECOND, GP3_IOPS
from nephoscope.scenario.language.distribution import Distribution
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

COUNT_MAX = 2**40
BURST_FOR = Duration(300 * 10**9)
BUCKET_BYTES_MAX = 2**60
STEP_BYTES_MAX = 2**62


def _movable(size: Size) -> Size:
    if size > STEP_BYTES_MAX:
        raise refusal(f"{size} is too much for a step", f"at most {Size(STEP_BYTES_MAX)}")
    return size


# What a step may ask of a device.
StepSize = Annotated[PositiveSize, AfterValidator(_movable)]


class _Bursting(Model):
    """A bandwidth for ever, and a greater one while a token bucket lasts, which starts full."""

    burst: PositiveBandwidth | None = None
    """What it reaches while its bucket has tokens; by default there is no bucket."""
    burst_for: PositiveDuration | None = None
    """How long a full bucket lasts at the burst's bandwidth, by default 5m."""

    @model_validator(mode="after")
    def _burst_is_more(self) -> Self:
        if self.burst is not None and self.burst < self.base:
            raise refusal(f"burst {self.burst} is below {self.bare} {self.base}", "a greater one")
        return self

    @model_validator(mode="after")
    def _has_a_bucket(self) -> Self:
        if self.burst is None and self.burst_for is not None:
            raise refusal("burst_for without burst has no effect", "burst_for beside burst")
        facts = self.facts
        if facts.burst > BUCKET_BYTES_MAX:
            longest = Duration(BUCKET_BYTES_MAX * 10**9 // (facts.peak - facts.baseline))
            message = f"{self.burst} for {self.lasting} are too many bytes for a bucket"
            raise refusal(message, f"a burst_for of at most {longest} here")
        return self

    @property
    def base(self) -> Bandwidth:
        """The bandwidth for ever."""
        assert self.bare is not None
        bandwidth: Bandwidth = getattr(self, self.bare)
        return bandwidth

    @property
    def lasting(self) -> Duration:
        """How long a full bucket lasts."""
        return BURST_FOR if self.burst_for is None else self.burst_for

    @property
    def facts(self) -> BurstFacts:
        """Bytes a second, and bytes in the bucket."""
        baseline = int(self.base)
        peak = baseline if self.burst is None else int(self.burst)
        return BurstFacts(baseline, peak, (peak - baseline) * int(self.lasting) // 10**9)


def _burst_of(facts: BurstFacts) -> dict[str, Any]:
    spare = facts.peak - facts.baseline
    if spare == 0:
        return {}
    return {"burst": Bandwidth(facts.peak), "burst_for": Duration(facts.burst * 10**9 // spare)}


class Network(_Bursting):
    """The interface of an instance: a bare bandwidth, or a baseline and a burst above it."""

    baseline: PositiveBandwidth = Bandwidth(1_250_000_000)

    bare = "baseline"

    @classmethod
    def of(cls, facts: BurstFacts) -> Self:
        """The interface with these bytes a second."""
        return cls(baseline=Bandwidth(facts.baseline), **_burst_of(facts))


class Disk(_Bursting):
    """What the disks of an instance give together, or its network volume."""

    bandwidth: PositiveBandwidth = Bandwidth(GP3_BYTES_PER_SECOND)
    iops: Annotated[int, whole(1, COUNT_MAX)] = GP3_IOPS
    """Operations a second."""
    count: Annotated[int, whole(0, 1024)] = 0
    """Local disks, which are taken of the host's; 0 is a network volume."""

    bare = "bandwidth"

    @classmethod
    def of(cls, bandwidth: BurstFacts, iops: int, count: int) -> Self:
        """Disks with these bytes and operations a second."""
        burst = _burst_of(bandwidth)
        return cls(bandwidth=Bandwidth(bandwidth.baseline), iops=iops, count=count, **burst)


class Gpu(Model):
    """The accelerators of an instance."""

    count: Annotated[int, whole(0, 1024)] = 1
    speed: Annotated[float, number(1e-6, 1000.0)] = 1.0
    """Of one; 1.0 is the reference, a T4."""

    bare = "count"

    @model_validator(mode="after")
    def _is_there(self) -> Self:
        if self.count == 0 and self.speed != 1.0:
            raise refusal("speed without accelerators has no effect", "a count of 1 or more")
        return self


class NetworkStep(Model):
    """A transfer through the interface of an instance: bare bytes are sent."""

    bytes: StepSize
    direction: Literal["in", "out"] = "out"
    """Each has the bandwidth of the interface and a bucket of its own."""

    bare = "bytes"


class DiskStep(Model):
    """Reading and writing: it takes as long as the slower of the two."""

    bytes: StepSize | None = None
    ops: Annotated[int, whole(1, COUNT_MAX)] | None = None

    bare = "bytes"

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if self.bytes is None and self.ops is None:
            raise refusal("neither bytes nor ops", "bytes, ops or both")
        return self


class GpuStep(Model):
    """Time on one reference accelerator: a bare distribution, or with batches."""

    work: Distribution
    batch: Annotated[int, whole(1, 65_536)] = 1
    """Requests that wait and are taken up together, at most."""
    marginal: Annotated[float, number(0.0, 1.0)] = 0.1
    """What each further one of a batch adds, as a share of the work."""

    bare = "work"

    @classmethod
    def expand(cls, value: Any) -> Any:
        """A distribution alone, be it bare or a mapping, is the work."""
        if isinstance(value, dict) and value and set(value) <= set(Distribution.model_fields):
            return {"work": value}
        return super().expand(value)
