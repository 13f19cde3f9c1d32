"""Instance types as they are offered: what they have and what they cost.

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
from nephoscope.catalog.instance_types import (
    FAMILIES,
    PRICES,
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
    "BurstFacts",
    "CpuCreditFacts",
    "InstanceTypeFacts",
    "alternatives",
    "burstable_types",
    "cpu_credits",
    "find",
    "gp2_volume",
    "network_interface",
    "select",
    "types",
]
