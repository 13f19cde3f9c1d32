"""Instance types: those of the catalogue by their names, and machines of one's own measure."""

from typing import Annotated, Any, Self

from pydantic import model_validator

from nephoscope import catalog
from nephoscope.catalog.devices import accelerator_speed, disk_bandwidth, disk_iops
from nephoscope.catalog.instance_types import vcpus_are_cores
from nephoscope.errors import CatalogError, shorten
from nephoscope.scenario.language.devices import Disk, Gpu, Network
from nephoscope.scenario.language.fields import (
    PositiveSize,
    Scalar,
    number,
    refusal,
    whole,
    words_like,
)
from nephoscope.scenario.language.named_type import NamedType
from nephoscope.scenario.units import Size

_CUSTOM = "a custom type such as {vcpus: 2, memory: 4GiB}"
_OWN_NAME = r"[a-z]+[0-9]+[a-z]*\.[0-9a-z]+"


def _facts(name: Any) -> catalog.InstanceTypeFacts:
    """What the catalogue has under that name."""
    if not isinstance(name, str):
        raise refusal(f"{shorten(name)} is not an instance type", f"a name, or {_CUSTOM}")
    try:
        return catalog.find(name)
    except CatalogError as error:
        allowed = f"{error.allowed}; or {_CUSTOM}"
        raise refusal(error.message, allowed, error.suggestion) from None


def _catalogue_name() -> Scalar:
    names = [facts.name for facts in catalog.types()]
    return Scalar(lambda value: _facts(value).name, {"enum": names})


class InstanceType(NamedType):
    """A type of the catalogue, or a machine whose vCPUs have the reference speed unless told."""

    type: Annotated[str, _catalogue_name()] | None = None
    """Name of a type in the catalogue, which brings all that follows."""
    name: Annotated[str, words_like(_OWN_NAME, "a name such as c5n.large")] | None = None
    """Of a custom type: the real one that it stands for, by which dedicated hosts tell families and
    sizes apart, accounts the groups of families, and hosts whose vCPUs are cores."""
    vcpus: Annotated[int, whole(1, 4096)] = 1
    memory: PositiveSize = Size(2**30)
    speed: Annotated[float, number(1e-6, 1000.0)] = 1.0
    """Of one vCPU; 1.0 is the reference."""
    network: Network = Network()
    disk: Disk = Disk()
    gpu: Gpu = Gpu(count=0)

    @model_validator(mode="after")
    def _is_none_of_the_catalogue(self) -> Self:
        if self.name is not None and any(it.name == self.name for it in catalog.types()):
            raise refusal(f"{self.name} is in the catalogue", f"type: {self.name}, or another name")
        return self

    @property
    def known_as(self) -> str | None:
        """Its name, of the catalogue or its own."""
        return self.type or self.name

    @property
    def burstable(self) -> bool:
        """Whether full use of its vCPUs spends CPU credits."""
        return self.type is not None and catalog.find(self.type).burstable

    @property
    def vcpus_are_cores(self) -> bool:
        """Whether each of its vCPUs takes all threads of a core."""
        return self.known_as is not None and vcpus_are_cores(self.known_as)

    custom = _CUSTOM

    @classmethod
    def brought_by(cls, name: Any) -> dict[str, Any]:
        """Size, speed and devices of a type in the catalogue."""
        facts = _facts(name)
        return {
            "vcpus": facts.vcpus,
            "memory": Size(round(facts.memory_gib * 2**30)),
            "speed": facts.speed,
            "network": Network.of(catalog.network_interface(facts)),
            "disk": Disk.of(disk_bandwidth(facts), disk_iops(facts), facts.disks),
            "gpu": Gpu(count=facts.accelerators, speed=accelerator_speed(facts)),
        }
