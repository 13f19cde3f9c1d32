"""How much of a host's local disks an instance takes.

Where both are types of the catalogue this goes by size: four i3.large share a disk of i3.metal.
Disks of no known size are taken whole.
"""

from nephoscope import catalog
from nephoscope.scenario.language.hosts import Hosts
from nephoscope.scenario.language.instance_type import InstanceType


def of_host(hosts: Hosts) -> int:
    """What the disks of a host have to give: gigabytes, or disks where their size is unknown."""
    return hosts.type.disk * (_disk_gb(hosts) or 1)


def taken(kind: InstanceType, hosts: Hosts) -> int:
    """What of that an instance takes."""
    size = _disk_gb(hosts)
    if size is None:
        return kind.disk.count
    own = None if kind.type is None else catalog.find(kind.type).disk_gb
    return kind.disk.count * (own or size)


def _disk_gb(hosts: Hosts) -> int | None:
    name = hosts.type.type
    return None if name is None else catalog.find_host(name).disk_gb
