"""What is offered: instance types, host types, operating systems, and what they cost.

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
>>> catalog.price("m5.large", "windows").usd_per_hour
0.188
"""

from nephoscope.catalog.buckets import API_BUCKETS, BurstFacts, gp2_volume, network_interface
from nephoscope.catalog.cpu_credits import CpuCreditFacts, burstable_types, cpu_credits
from nephoscope.catalog.devices import device_rates
from nephoscope.catalog.host_types import HostTypeFacts, find_host, hosts, select_hosts
from nephoscope.catalog.instance_types import (
    FAMILIES,
    PRICES,
    REFERENCE_CLOCK_GHZ,
    InstanceTypeFacts,
    find,
    select,
    types,
    vcpus_are_cores,
)
from nephoscope.catalog.load_balancers import (
    ListenerUse,
    LoadBalancerBill,
    LoadBalancerHour,
    LoadBalancerPrice,
    capacity_units,
    listeners_bill,
    load_balancer_bill,
    load_balancer_price,
    load_balancer_prices,
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
from nephoscope.catalog.quotas import REGIONS, Quota, quota_table, quotas

__all__ = [
    "API_BUCKETS",
    "DEDICATED_FACTOR",
    "FAMILIES",
    "PRICES",
    "PURCHASES",
    "REFERENCE_CLOCK_GHZ",
    "REGIONS",
    "SPOT_FACTOR",
    "TENANCIES",
    "BillLine",
    "BurstFacts",
    "CpuCreditFacts",
    "HostTypeFacts",
    "InstanceTypeFacts",
    "ListenerUse",
    "LoadBalancerBill",
    "LoadBalancerHour",
    "LoadBalancerPrice",
    "OperatingSystem",
    "Price",
    "Quota",
    "Usage",
    "bill",
    "burstable_types",
    "capacity_units",
    "cpu_credits",
    "device_rates",
    "find",
    "find_host",
    "gp2_volume",
    "hosts",
    "listeners_bill",
    "load_balancer_bill",
    "load_balancer_price",
    "load_balancer_prices",
    "network_interface",
    "operating_system",
    "operating_systems",
    "price",
    "quota_table",
    "quotas",
    "select",
    "select_hosts",
    "types",
    "vcpus_are_cores",
]
