"""What is offered: instance types, operating systems, and what they cost.

>>> from nephoscope import catalog
>>> facts = catalog.find("c5.large")
>>> facts.family, facts.vcpus, facts.memory_gib
('compute optimised', 2, 4.0)
>>> [facts.name for facts in catalog.select("c7g")]
['c7g.large', 'c7g.xlarge', 'c7g.16xlarge']
>>> len(catalog.types()) > 70
True
>>> catalog.price("m5.large", "windows").usd_per_hour
0.188
"""

from nephoscope.catalog.instance_types import (
    FAMILIES,
    PRICES,
    InstanceTypeFacts,
    alternatives,
    find,
    select,
    types,
)
from nephoscope.catalog.operating_systems import (
    OperatingSystem,
    operating_system,
    operating_systems,
)
from nephoscope.catalog.prices import (
    DEDICATED_FACTOR,
    PURCHASES,
    SPOT_FACTOR,
    TENANCIES,
    BillLine,
    Price,
    Usage,
    bill,
    price,
)

__all__ = [
    "DEDICATED_FACTOR",
    "FAMILIES",
    "PRICES",
    "PURCHASES",
    "SPOT_FACTOR",
    "TENANCIES",
    "BillLine",
    "InstanceTypeFacts",
    "OperatingSystem",
    "Price",
    "Usage",
    "alternatives",
    "bill",
    "find",
    "operating_system",
    "operating_systems",
    "price",
    "select",
    "types",
]
