"""What running instances cost: a price by type, system, purchase and tenancy, and a bill by line.

On-demand prices with shared tenancy are the provider's (`PRICES`). Two figures are assumptions and
parameters: a spot instance costs `SPOT_FACTOR` of the on-demand price, licences in full (the real
price moves from day to day), and an instance with dedicated tenancy `DEDICATED_FACTOR` of the
shared price. With tenancy `host` the host is billed, whatever runs on it, and the instance only for
its licence. The fee for each region with dedicated instances is not included.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from nephoscope.catalog.instance_types import InstanceTypeFacts, find
from nephoscope.catalog.operating_systems import OperatingSystem, operating_system
from nephoscope.errors import CatalogError, shorten
from nephoscope.nearest import listing, nearest

SPOT_FACTOR = 0.3
DEDICATED_FACTOR = 1.06
USD_PER_ADDRESS_HOUR = 0.005  # of a public IPv4 address, in use or idle, since 2024-02
PURCHASES = ("on_demand", "spot")
TENANCIES = ("shared", "dedicated", "host")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for an hour of one instance; the licence is part of the whole."""

    usd_per_hour: float
    licence_usd_per_hour: float


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds billed for one instance."""

    instance_type: str
    system: str
    billed_s: int
    purchase: str = "on_demand"
    tenancy: str = "shared"


@dataclass(frozen=True, slots=True)
class BillLine:
    """The instances of one type, system, purchase option and tenancy; the licence is part of it."""

    instance_type: str
    system: str
    purchase: str
    tenancy: str
    instances: int
    billed_s: int
    usd: float
    licence_usd: float

    @property
    def name(self) -> str:
        """A name for the line, such as `m5.large windows spot`; shared tenancy goes unsaid."""
        words = [self.instance_type, self.system, self.purchase]
        return " ".join(words if self.tenancy == "shared" else [*words, self.tenancy])


def price(
    instance_type: str | InstanceTypeFacts,
    system: str | OperatingSystem = "linux",
    purchase: str = "on_demand",
    tenancy: str = "shared",
    *,
    spot_factor: float = SPOT_FACTOR,
    dedicated_factor: float = DEDICATED_FACTOR,
) -> Price:
    """The price of an hour; raises CatalogError where a word is unknown or nothing is sold."""
    facts = find(instance_type) if isinstance(instance_type, str) else instance_type
    os = operating_system(system) if isinstance(system, str) else system
    _require(purchase, PURCHASES, "purchase option")
    _require(tenancy, TENANCIES, "tenancy")
    licence = 0.0
    if os.licence_included:
        if facts.windows_usd_per_hour is None:
            message = f"{facts.name} is not sold with {os.name}"
            raise CatalogError(message, "a type that has a price for it")
        licence = facts.windows_usd_per_hour - facts.linux_usd_per_hour
    machine = facts.linux_usd_per_hour
    machine *= {"shared": 1.0, "dedicated": dedicated_factor, "host": 0.0}[tenancy]
    machine *= spot_factor if purchase == "spot" else 1.0
    return Price(machine + licence, licence)


def bill(
    usages: Iterable[Usage],
    *,
    spot_factor: float = SPOT_FACTOR,
    dedicated_factor: float = DEDICATED_FACTOR,
) -> tuple[BillLine, ...]:
    """A line for each type, system, purchase option and tenancy, in the order of their words.

    Seconds are added up before they are priced, so the order of the usages does not matter.
    """
    sums: dict[tuple[str, str, str, str], tuple[int, int]] = {}
    for usage in usages:
        words = (
            usage.instance_type,
            operating_system(usage.system).name,
            usage.purchase,
            usage.tenancy,
        )
        instances, seconds = sums.get(words, (0, 0))
        sums[words] = instances + 1, seconds + usage.billed_s
    lines = []
    for words, (instances, seconds) in sorted(sums.items()):
        each = price(*words, spot_factor=spot_factor, dedicated_factor=dedicated_factor)
        usd = each.usd_per_hour * seconds / 3600
        licence = each.licence_usd_per_hour * seconds / 3600
        lines.append(BillLine(*words, instances, seconds, usd, licence))
    return tuple(lines)


def _require(word: str, allowed: tuple[str, ...], what: str) -> None:
    if word not in allowed:
        message = f"no {what} {shorten(word)}"
        raise CatalogError(message, listing(allowed), nearest(word, allowed))
