"""What the devices of an instance type give: its disks and its accelerators.

The table of types has how many there are and of what kind. How fast one is, is assumed here from
what is published of some of them:

* a local SSD gives in proportion to its size, as those of i3 do (the provider's announcement of
  i3.16xlarge: 8 of 1,900 GB, 16 GB and 3.3 million operations of 4 KiB a second), and never more
  than one of those by much; both limits are assumptions, as is that other types are alike;
* a local HDD gives what one of d3.8xlarge does (24 of them: 4.6 GB a second, from memory and not
  checked), and as many operations as a disk of 7,200 turns a minute makes at random: 150, a rule
  of thumb;
* a type without disks has a gp3 volume with its published 3,000 operations a second. Its bytes are
  limited by the published volume bandwidth of the type alone, as if enough of them were paid for;
  the peak lasts the published 30 minutes;
* an accelerator is as fast as its published peak in dense 16-bit arithmetic, with a T4 as 1. Loads
  that wait for memory, or that are not made for it, are slower: who has measured writes
  `gpu: {speed}`.
"""

from typing import Any

from nephoscope.catalog.buckets import BurstFacts
from nephoscope.catalog.instance_types import InstanceTypeFacts

SSD_BYTES_PER_SECOND_PER_GB = 1_000_000
SSD_IOPS_PER_GB = 200
SSD_BYTES_PER_SECOND_MOST = 2_000_000_000
SSD_IOPS_MOST = 400_000
HDD_BYTES_PER_SECOND = 190_000_000
HDD_IOPS = 150

GP3_BYTES_PER_SECOND = 125_000_000  # published: 125 MiB
GP3_IOPS = 3_000
EBS_BURST_SECONDS = 1_800

REFERENCE_ACCELERATOR = "T4"
# Peaks of one device, 10^12 dense operations on 16-bit floating-point numbers a second. Those of
# T4, V100 (SXM2), A100 and H100 (SXM) are of their makers' data sheets, on tensor cores and without
# sparsity; those of Inferentia, Inferentia2 and Trainium of the architecture pages of the AWS
# Neuron documentation, each of the whole chip. That of A10G, which is made for one provider, is
# what is commonly given for it, and not checked against a data sheet.
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


def device_rates(facts: InstanceTypeFacts) -> dict[str, Any]:
    """What the disks of the type give together and how fast one of its accelerators is.

    Every figure with the unit in its key, for programs; the speed, in T4s, is None where there are
    no accelerators. Assumed as this module says.
    """
    disk = disk_bandwidth(facts)
    return {
        "disk_baseline_bytes_per_s": disk.baseline,
        "disk_peak_bytes_per_s": disk.peak,
        "disk_iops": disk_iops(facts),
        "accelerator_speed": accelerator_speed(facts) if facts.accelerators else None,
    }


def accelerator_speed(facts: InstanceTypeFacts) -> float:
    """Of one accelerator of the type, in T4s; 1 where there is none."""
    if facts.accelerator is None:
        return 1.0
    reference = ACCELERATOR_TERAFLOPS[REFERENCE_ACCELERATOR]
    return ACCELERATOR_TERAFLOPS[facts.accelerator] / reference


def disk_bandwidth(facts: InstanceTypeFacts) -> BurstFacts:
    """Bytes a second of all local disks together, or of the network volume.

    Units of the bucket are bytes. A type without a published volume bandwidth has that of gp3.
    """
    if facts.disks:
        return _constant(facts.disks * _ssd_or_hdd(facts)[0])
    if facts.ebs_baseline_mbps is None or facts.ebs_peak_mbps is None:
        return _constant(GP3_BYTES_PER_SECOND)
    baseline, peak = (mbps * 125_000 for mbps in (facts.ebs_baseline_mbps, facts.ebs_peak_mbps))
    return BurstFacts(baseline, peak, (peak - baseline) * EBS_BURST_SECONDS)


def disk_iops(facts: InstanceTypeFacts) -> int:
    """Operations a second of all local disks together, or of the network volume."""
    return facts.disks * _ssd_or_hdd(facts)[1] if facts.disks else GP3_IOPS


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
