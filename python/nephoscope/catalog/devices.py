"""What the devices of an instance type give: its disks and its accelerators.

The table of types has how many there are and of what kind. How fast one is, is assumed here from
what is published of some of them:

* a local SSD gives in proportion to its size, as those of i3 do (i3.16xlarge: 8 of 1,900 GB, 16 GB
  and 3.3 million reads of 4 KiB a second);
* a local HDD as one of d3.8xlarge (24 of them: 4.6 GB a second), and as many operations as a disk
  of 7,200 turns a minute makes at random;
* a type without disks has a gp3 volume with its 3,000 operations a second, behind the bandwidth of
  its type, which is at the peak for 30 minutes and is never the volume's own;
* an accelerator is as fast as its peak in dense 16-bit arithmetic, with a T4 as 1. Loads that wait
  for memory, or that are not compiled for it, are slower: who has measured writes `gpu: {speed}`.
"""

from nephoscope.catalog.buckets import BurstFacts
from nephoscope.catalog.instance_types import InstanceTypeFacts

SSD_BYTES_PER_SECOND_PER_GB = 1_000_000
SSD_IOPS_PER_GB = 200
SSD_BYTES_PER_SECOND_MOST = 2_000_000_000
SSD_IOPS_MOST = 400_000
HDD_BYTES_PER_SECOND = 190_000_000
HDD_IOPS = 150

GP3_BYTES_PER_SECOND = 125_000_000
GP3_IOPS = 3_000
EBS_BURST_SECONDS = 1_800

REFERENCE_ACCELERATOR = "T4"
# Published peaks, 10^12 dense 16-bit operations a second.
ACCELERATOR_TERAFLOPS = {
    "T4": 65,
    "V100": 125,
    "A10G": 70,
    "A100": 312,
    "H100": 989,
    "Inferentia": 64,
    "Inferentia2": 190,
    "Trainium": 190,
}


def accelerator_speed(facts: InstanceTypeFacts) -> float:
    """Of one accelerator of the type, in T4s; 1 where there is none."""
    if facts.accelerator is None:
        return 1.0
    reference = ACCELERATOR_TERAFLOPS[REFERENCE_ACCELERATOR]
    return ACCELERATOR_TERAFLOPS[facts.accelerator] / reference


def disk_bandwidth(facts: InstanceTypeFacts) -> BurstFacts:
    """Bytes a second of all local disks together, or of the network volume."""
    if facts.disks:
        return _constant(facts.disks * _ssd_or_hdd(facts)[0])
    if facts.ebs_baseline_mbps is None or facts.ebs_peak_mbps is None:
        return _constant(GP3_BYTES_PER_SECOND)
    baseline, peak = (mbps * 125_000 for mbps in (facts.ebs_baseline_mbps, facts.ebs_peak_mbps))
    return BurstFacts(baseline, peak, (peak - baseline) * EBS_BURST_SECONDS)


def disk_iops(facts: InstanceTypeFacts) -> BurstFacts:
    """Operations a second of all local disks together, or of the network volume."""
    return _constant(facts.disks * _ssd_or_hdd(facts)[1] if facts.disks else GP3_IOPS)


def _ssd_or_hdd(facts: InstanceTypeFacts) -> tuple[int, int]:
    if facts.disk_kind == "hdd":
        return HDD_BYTES_PER_SECOND, HDD_IOPS
    size = facts.disk_gb or 0
    return (
        min(size * SSD_BYTES_PER_SECOND_PER_GB, SSD_BYTES_PER_SECOND_MOST),
        min(size * SSD_IOPS_PER_GB, SSD_IOPS_MOST),
    )


def _constant(rate: int) -> BurstFacts:
    return BurstFacts(rate, rate, 0)
