"""Instance types and host types as they are offered: what they have and what they cost.

>>> from nephoscope import catalog
>>> facts = catalog.find("c5.large")
>>> facts.family, facts.vcpus, facts.memory_gib
('compute optimised', 2, 4.0)
>>> [facts.name for facts in catalog.select("c7g")]
['c7g.large', 'c7g.xlarge', 'c7g.16xlarge']
>>> len(catalog.types()) > 70
True
"""

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
    "FAMILIES",
    "PRICES",
    "REFERENCE_CLOCK_GHZ",
    "HostTypeFacts",
    "InstanceTypeFacts",
    "alternatives",
    "find",
    "find_host",
    "hosts",
    "select",
    "types",
]
