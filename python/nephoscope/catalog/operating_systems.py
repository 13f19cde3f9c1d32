"""Operating systems: how long they take to boot and to stop, and how they are billed.

The durations are in the words of the scenario language. None is published as a law: they are
assumptions, chosen to agree with what is published (a launch of Linux serves after half a minute
to two minutes; a standard image of Windows restarts several times and often takes 15 minutes, one
with pre-provisioned snapshots a few). A scenario may set each of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from nephoscope.errors import CatalogError, shorten
from nephoscope.nearest import listing, nearest

LAWS = ("pending", "boot", "restart", "resume", "reboot", "stop", "hibernate", "terminate")

# Seconds of a unit that is billed, and the least that a start is billed.
BILLING = {"second": (1, 60), "hour": (3600, 3600)}


@dataclass(frozen=True, slots=True)
class OperatingSystem:
    """A system that an instance runs.

    `laws` has how long each of `LAWS` takes: `pending` from a start until the instance is running;
    from then until the guest serves `boot` (first start), `restart` (later ones), `resume` (after
    hibernation) and `reboot`; `stop` and `hibernate` from the request until it is stopped;
    `terminate` until it is terminated. `prices` names the column of the table of types.
    """

    name: str
    prices: str
    laws: Mapping[str, Any]
    billed_by: str = "second"
    aliases: tuple[str, ...] = ()

    @property
    def billing_unit_s(self) -> int:
        """Running time is rounded up to whole units."""
        return BILLING[self.billed_by][0]

    @property
    def billing_minimum_s(self) -> int:
        """The least that a start is billed."""
        return BILLING[self.billed_by][1]

    @property
    def licence_included(self) -> bool:
        """Whether the price of an instance has a licence in it."""
        return self.prices != "linux"


def _uniform(least: str, most: str) -> dict[str, dict[str, str]]:
    return {"uniform": {"min": least, "max": most}}


_LINUX = {
    "pending": {"lognormal": {"mean": "5s", "cv": 0.3}},
    "boot": _uniform("20s", "40s"),
    "restart": _uniform("15s", "30s"),
    "resume": _uniform("10s", "30s"),
    "reboot": _uniform("15s", "30s"),
    "stop": _uniform("10s", "60s"),
    "hibernate": _uniform("20s", "2m"),
    "terminate": _uniform("5s", "30s"),
}
_WINDOWS = {
    "pending": _uniform("5s", "10s"),
    "boot": _uniform("10m", "15m"),
    "restart": _uniform("1m", "3m"),
    "resume": _uniform("30s", "90s"),
    "reboot": _uniform("1m", "3m"),
    "stop": _uniform("30s", "2m"),
    "hibernate": _uniform("30s", "3m"),
    "terminate": _uniform("5s", "30s"),
}

_SYSTEMS = (
    OperatingSystem(
        "linux",
        "linux",
        MappingProxyType(_LINUX),
        aliases=("amazon_linux", "ubuntu", "debian", "linux_unix"),
    ),
    OperatingSystem(
        "windows", "windows", MappingProxyType(_WINDOWS), aliases=("windows_server", "win")
    ),
    OperatingSystem(
        "windows_fast_launch",
        "windows",
        MappingProxyType(_WINDOWS | {"boot": _uniform("4m", "6m")}),
        aliases=("windows_fast",),
    ),
)


def operating_systems() -> tuple[OperatingSystem, ...]:
    """Every system of the catalogue."""
    return _SYSTEMS


def operating_system(name: str) -> OperatingSystem:
    """The system of that name or usual alias; raises CatalogError, with the nearest word."""
    known = {word: system for system in _SYSTEMS for word in (system.name, *system.aliases)}
    plain = name.lower().replace(" ", "_").replace("-", "_").replace("/", "_")
    if plain in known:
        return known[plain]
    message = f"no operating system {shorten(name)} in the catalogue"
    raise CatalogError(message, listing(s.name for s in _SYSTEMS), nearest(name, known))
