"""Token buckets as the provider has them: volumes, network interfaces, calls of the interface."""

from dataclasses import dataclass

from nephoscope.catalog.instance_types import InstanceTypeFacts
from nephoscope.errors import CatalogError

# What leaves the region, or passes the internet gateway, has half of the bandwidth of a large
# type, and of others so many bytes a second.
LARGE_VCPUS = 32
LEAVING_BYTES_PER_SECOND = 625_000_000

GP2_CREDITS = 5_400_000  # I/Os in a full bucket, with which a volume starts
GP2_BURST_IOPS = 3_000
GP2_IOPS_PER_GIB = 3
GP2_IOPS_LEAST = 100
GP2_IOPS_MOST = 16_000
GP2_GIB_MOST = 16_384

# Of a single network flow outside and inside a cluster placement group, bytes a second.
FLOW_BYTES_PER_SECOND = 5 * 10**9 // 8
FLOW_BYTES_PER_SECOND_IN_CLUSTER = 10 * 10**9 // 8

# By call: what a full bucket holds and what comes in a second. A call that finds too little is
# refused with `RequestLimitExceeded`. One token is an instance, a host or a request, as named. The
# bucket of requests of RunInstances is reported, the others are published.
API_BUCKETS = {
    "RunInstances/instances": (1000, 2),
    "RunInstances/requests": (5, 2),
    "DescribeHosts/requests": (100, 20),
}


@dataclass(frozen=True, slots=True)
class BurstFacts:
    """A rate for ever, a rate while the bucket lasts, both a second, and the bucket's tokens."""

    baseline: int
    peak: int
    burst: int

    @property
    def seconds(self) -> float | None:
        """How long a full bucket lasts at the peak; None where the baseline is the peak."""
        spare = self.peak - self.baseline
        return self.burst / spare if spare > 0 else None


def gp2_volume(gib: int) -> BurstFacts:
    """The I/Os of a gp2 volume: 3 a second for each GiB, 100 to 16,000, and a burst to 3,000."""
    if not 1 <= gib <= GP2_GIB_MOST:
        raise CatalogError(f"no gp2 volume of {gib} GiB", f"1 to {GP2_GIB_MOST} GiB")
    baseline = min(max(GP2_IOPS_LEAST, GP2_IOPS_PER_GIB * gib), GP2_IOPS_MOST)
    return BurstFacts(baseline, max(baseline, GP2_BURST_IOPS), GP2_CREDITS)


def network_interface(facts: InstanceTypeFacts, burst_seconds: int = 300) -> BurstFacts:
    """Bytes of one direction of a type's network.

    The size of the bucket is not published, only that a full one lasts "5 to 60 minutes": it is
    what `burst_seconds` at the peak take. A type without a published baseline has its peak always.
    """
    peak = round(facts.network_peak_gbps * 10**9 / 8)
    gbps = facts.network_baseline_gbps
    baseline = peak if gbps is None else round(gbps * 10**9 / 8)
    return BurstFacts(baseline, peak, (peak - baseline) * burst_seconds)


def leaving_region(link: BurstFacts, vcpus: int) -> BurstFacts:
    """The same interface for what leaves the region, of a type with so many vCPUs.

    Half of the bandwidth has half of the bucket, which lasts as long. Below, the bucket is that of
    the type, so it lasts for longer.
    """
    if vcpus >= LARGE_VCPUS:
        return BurstFacts(max(link.baseline // 2, 1), max(link.peak // 2, 1), link.burst // 2)
    return at_most(link, LEAVING_BYTES_PER_SECOND)


def at_most(link: BurstFacts, rate: int) -> BurstFacts:
    """A link that reaches no more than that: the bucket stays, and lasts for longer."""
    baseline, peak = min(link.baseline, rate), min(link.peak, rate)
    return BurstFacts(baseline, peak, link.burst if peak > baseline else 0)
