"""Instance types: those of the catalogue by their names, and machines of one's own measure."""

from typing import Annotated, Any

from pydantic import SerializerFunctionWrapHandler, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from nephoscope import catalog
from nephoscope.errors import CatalogError, shorten
from nephoscope.nearest import listing
from nephoscope.scenario.fields import PositiveSize, Scalar, number, refusal, whole
from nephoscope.scenario.model import Model
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


class InstanceType(Model):
    """A type of the catalogue, or a machine whose vCPUs have the reference speed unless told."""

    type: Annotated[str, _catalogue_name()] | None = None
    """Name of a type in the catalogue, which brings all that follows."""
    vcpus: Annotated[int, whole(1, 4096)] = 1
    memory: PositiveSize = Size(2**30)
    speed: Annotated[float, number(0.0, 1000.0, open_low=True)] = 1.0
    """Of one vCPU; 1.0 is the reference."""

    bare = "type"
    later = frozenset({"network", "disk", "gpu"})

    @model_validator(mode="before")
    @classmethod
    def _bring(cls, value: Any) -> Any:
        """A name of the catalogue with what it brings."""
        written = value if isinstance(value, cls) else cls.expand(value)
        if not isinstance(written, dict) or "type" not in written:
            return value
        try:
            facts = _facts(written["type"])
        except PydanticCustomError:  # the field says so, at its place
            return value
        own = [key for key in cls.model_fields if key in written and key != "type"]
        if own:
            message = f"{facts.name} brings its own {', '.join(own)}"
            raise refusal(message, f"{facts.name} alone, or {_CUSTOM}")
        memory = Size(round(facts.memory_gib * 2**30))
        return {**written, "vcpus": facts.vcpus, "memory": memory, "speed": facts.speed}

    @model_serializer(mode="wrap")
    def _write(self, whole_of: SerializerFunctionWrapHandler) -> Any:
        """What a name brings is not written beside it."""
        return whole_of(self) if self.type is None else self.type
