"""Instance types and host types as they are offered: what they have and what they cost.

>>> from nephoscope import catalog
>>> facts = catalog.find("c5.large")
>>> facts.family, facts.vcpus, facts.memory_gib
('compute optimised', 2, 4.0)
>>> [facts.name for facts in catalog.select("c7g")]
['c7g.large', 'c7g.xlarge', 'c7g.16xlarge']
>>> len(catalog.types()) > 70
True
>>> credits = catalog.cpu_credits("t3.nano")
>>> int(credits.credits_per_hour), int(credits.credits_max), credits.default_mode
(6, 144, 'unlimited')
>>> catalog.gp2_volume(100).seconds
2000.0
"""

from nephoscope.catalog.buckets import API_BUCKETS, BurstFacts, gp2_volume, network_interface
from nephoscope.catalog.cpu_credits import CpuCreditFacts, burstable_types, cpu_credits
from nephoscope.catalog.host_types import HostTypeFacts, find_host, hosts
from nephoscope.catalog.instance_types import (
    FAMILIES,
    PRICES,
    REFERENCE_CLOCK_GHZ,
    InstanceTypeFacts,
    alternatives,
    find,
    select,
    types,
)

__all__ = [
    "API_BUCKETS",
    "FAMILIES",
    "PRICES",
    "REFERENCE_CLOCK_GHZ",
    "BurstFacts",
    "CpuCreditFacts",
    "HostTypeFacts",
    "InstanceTypeFacts",
    "alternatives",
    "burstable_types",
    "cpu_credits",
    "find",
    "find_host",
    "gp2_volume",
    "hosts",
    "network_interface",
    "select",
    "types",
]
