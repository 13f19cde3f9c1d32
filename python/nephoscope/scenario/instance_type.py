"""Instance types: those of the catalogue by their names, and machines of one's own measure."""

from dataclasses import dataclass
from typing import Annotated, Any

from nephoscope import catalog
from nephoscope.catalog.devices import accelerator_speed, disk_bandwidth, disk_iops
from nephoscope.errors import CatalogError, shorten
from nephoscope.nearest import listing
from nephoscope.scenario.devices import Disk, Gpu, Network
from nephoscope.scenario.fields import PositiveSize, Scalar, number, refusal, whole
from nephoscope.scenario.named_type import NamedType
from nephoscope.scenario.units import Size

_CUSTOM = "a custom type such as {vcpus: 2, memory: 4GiB}"


def _facts(name: Any) -> catalog.InstanceTypeFacts:
    """What the catalogue has under that name, if a fleet can run on it."""
    if not isinstance(name, str):
        raise refusal(f"{shorten(name)} is not an instance type", f"a name, or {_CUSTOM}")
    try:
        facts = catalog.find(name)
    except CatalogError as error:
        allowed = f"{error.allowed}; or {_CUSTOM}"
        raise refusal(error.message, allowed, error.suggestion) from None
    if facts.burstable:
        raise refusal(
            f"{name} is burstable: CPU credits are not built yet in this version of nephoscope",
            f"types such as {listing(other.name for other in catalog.alternatives(facts))}",
        )
    return facts


def _catalogue_name() -> Scalar:
    names = [facts.name for facts in catalog.types() if not facts.burstable]
    return Scalar(lambda value: _facts(value).name, {"enum": names})


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What the devices of an instance give: bytes and operations a second, accelerators in T4s."""

    network: catalog.BurstFacts
    disk_bandwidth: catalog.BurstFacts
    disk_iops: catalog.BurstFacts
    accelerator_speed: float


class InstanceType(NamedType):
    """A type of the catalogue, or a machine whose vCPUs have the reference speed unless told."""

    type: Annotated[str, _catalogue_name()] | None = None
    """Name of a type in the catalogue, which brings all that follows."""
    vcpus: Annotated[int, whole(1, 4096)] = 1
    memory: PositiveSize = Size(2**30)
    speed: Annotated[float, number(0.0, 1000.0, open_low=True)] = 1.0
    """Of one vCPU; 1.0 is the reference."""

    network: Network = Network()
    disk: Disk = Disk()
    gpu: Gpu = Gpu(count=0)

    @property
    def devices(self) -> DeviceFacts:
        """As the catalogue has them, or as they are described."""
        if self.type is None:
            bandwidth, iops = int(self.disk.bandwidth), self.disk.iops
            return DeviceFacts(
                self.network.facts,
                catalog.BurstFacts(bandwidth, bandwidth, 0),
                catalog.BurstFacts(iops, iops, 0),
                self.gpu.speed,
            )
        facts = catalog.find(self.type)
        return DeviceFacts(
            catalog.network_interface(facts),
            disk_bandwidth(facts),
            disk_iops(facts),
            accelerator_speed(facts),
        )

    @property
    def accelerators(self) -> int:
        """How many an instance has."""
        return self.gpu.count if self.type is None else catalog.find(self.type).accelerators

    @property
    def disks(self) -> int:
        """Local ones."""
        return 0 if self.type is None else catalog.find(self.type).disks

    custom = _CUSTOM

    @classmethod
    def brought_by(cls, name: Any) -> dict[str, Any]:
        """The size and the speed of a type in the catalogue."""
        facts = _facts(name)
        memory = Size(round(facts.memory_gib * 2**30))
        return {"vcpus": facts.vcpus, "memory": memory, "speed": facts.speed}
