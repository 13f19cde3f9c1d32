"""Names of operating systems, as the catalogue has them."""

from typing import Annotated, Any

from nephoscope import catalog
from nephoscope.errors import CatalogError, shorten
from nephoscope.nearest import listing
from nephoscope.scenario.language.fields import Scalar, refusal


def _read(value: Any) -> str:
    names = [system.name for system in catalog.operating_systems()]
    if not isinstance(value, str):
        raise refusal(f"{shorten(value)} is not an operating system", listing(names))
    try:
        return catalog.operating_system(value).name
    except CatalogError as error:
        raise refusal(error.message, error.allowed, error.suggestion) from None


def _words() -> list[str]:
    return [word for it in catalog.operating_systems() for word in (it.name, *it.aliases)]


SystemName = Annotated[str, Scalar(_read, {"enum": _words()})]
