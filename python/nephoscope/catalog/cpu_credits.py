"""CPU credits of the burstable types: the published table and its reader.

One credit is one vCPU at full use for a minute. A type earns as many credits an hour as its
baseline spends, and holds at most what it earns in 24 hours.
"""

import csv
import functools
from dataclasses import dataclass
from fractions import Fraction
from importlib import resources

from nephoscope.errors import CatalogError, shorten
from nephoscope.nearest import listing, nearest

MODES = ("standard", "unlimited")

_DAY_NS = 86_400 * 10**9


@dataclass(frozen=True, slots=True)
class _FamilyRules:
    default_mode: str
    kept_days: int  # the balance of a stopped instance
    surplus_usd: float  # a vCPU-hour
    surplus_usd_windows: float | None


# By prefix. The prices of t4g and of Windows are reported, not stated by the provider's guide.
_RULES = {
    "t2": _FamilyRules("standard", 0, 0.05, 0.096),
    "t3": _FamilyRules("unlimited", 7, 0.05, 0.096),
    "t3a": _FamilyRules("unlimited", 7, 0.05, 0.096),
    "t4g": _FamilyRules("unlimited", 7, 0.04, None),
}

# Of all launches and starts of T2 in standard mode in 24 hours, by account and Region.
LAUNCHES_WITH_CREDITS = 100


@dataclass(frozen=True, slots=True)
class CpuCreditFacts:
    """What is published of a type's credits; `baseline_percent` is of each vCPU."""

    name: str
    vcpus: int
    credits_per_hour: Fraction
    credits_max: Fraction
    baseline_percent: Fraction
    launch_credits: int

    @property
    def prefix(self) -> str:
        """The name without the size: `t3` of `t3.nano`."""
        return self.name.partition(".")[0]

    @property
    def baseline_vcpus(self) -> float:
        """All vCPUs together, as fast as an empty balance lets them, in vCPUs."""
        return float(self.vcpus * self.baseline_percent / 100)

    @property
    def millicredits_per_hour(self) -> int:
        """The same as `credits_per_hour`, whole."""
        return int(self.credits_per_hour * 1000)

    @property
    def default_mode(self) -> str:
        """`standard` for T2, `unlimited` for the others."""
        return _RULES[self.prefix].default_mode

    @property
    def kept_ns(self) -> int:
        """How long a stopped instance keeps its balance: T2 not at all, the others for 7 days."""
        return _RULES[self.prefix].kept_days * _DAY_NS

    def surplus_usd_per_vcpu_hour(self, *, windows: bool = False) -> float:
        """What 60 surplus credits cost; raises CatalogError where that is not sold."""
        rules = _RULES[self.prefix]
        price = rules.surplus_usd_windows if windows else rules.surplus_usd
        if price is None:
            raise CatalogError(f"no Windows on {self.name}", "windows=False")
        return price


def cpu_credits(name: str) -> CpuCreditFacts:
    """The credits of the type of that name; raises CatalogError where it has none."""
    known = _by_name()
    if name in known:
        return known[name]
    sizes = [other for other in known if other.startswith(f"{name.partition('.')[0]}.")]
    allowed = listing(sizes) or listing(list(known)) or "a burstable type"
    message = f"no CPU credits for {shorten(name)}"
    raise CatalogError(message, allowed, nearest(name, known))


def burstable_types() -> tuple[CpuCreditFacts, ...]:
    """Every type that has CPU credits."""
    return tuple(_by_name().values())


@functools.cache
def _by_name() -> dict[str, CpuCreditFacts]:
    table = resources.files("nephoscope.catalog").joinpath("cpu_credits.csv")
    rows = csv.DictReader(table.read_text(encoding="utf-8").splitlines(), strict=True)
    return {
        row["name"]: CpuCreditFacts(
            name=row["name"],
            vcpus=int(row["vcpus"]),
            credits_per_hour=Fraction(row["credits_per_hour"]),
            credits_max=Fraction(row["credits_max"]),
            baseline_percent=Fraction(row["baseline_percent"]),
            launch_credits=int(row["launch_credits"]),
        )
        for row in rows
    }
