"""What load balancers cost: a price an hour, and one for what they do in it.

Application, Network and Gateway Load Balancers are billed by capacity units (LCU, NLCU, GLCU): in
each hour the greatest of what they did in each dimension, over what a unit holds. A Classic Load
Balancer is billed by the gigabyte. An hour that has begun counts in full; what is done in it is
spread over the whole hour. The prices in `load_balancers.csv` are the provider's, of one region and
date, and a gigabyte is 10^9 bytes. What a unit holds depends on the traffic, too: the protocol of a
Network Load Balancer, or whether the targets of an Application Load Balancer are Lambda functions.
"""

import csv
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources

from nephoscope.catalog.instance_types import or_none
from nephoscope.errors import CatalogError, shorten
from nephoscope.nearest import listing, nearest

HOUR_S = 3600
MINUTES = 60


@dataclass(frozen=True, slots=True)
class LoadBalancerPrice:
    """Prices of a type, and what one capacity unit holds; None where it is not billed so."""

    type: str
    traffic: str
    """The protocol, or the kind of targets."""
    usd_per_hour: float
    usd_per_unit_hour: float | None
    connections_per_s: float | None
    """New connections."""
    active_connections: float | None
    """At once, as a mean over the hour."""
    gb_per_hour: float | None
    rules_per_s: float | None
    """Evaluations of rules."""
    free_rules: int | None
    """Of each request, that are not counted."""
    usd_per_gb: float | None
    region: str
    as_of: str


@dataclass(frozen=True, slots=True)
class LoadBalancerHour:
    """What a load balancer did in one hour of the clock."""

    requests: int
    active: int
    """Requests under way at the end of each minute, added up; or open connections."""
    connections: int | None = None
    """That were opened, where that is known: else each is opened for some requests."""


@dataclass(frozen=True, slots=True)
class ListenerUse:
    """What came through a listener in each hour, and what a request is to the bill there."""

    hours: tuple[LoadBalancerHour, ...]
    traffic: str | None = None
    requests_per_connection: int = 1
    bytes_per_request: int = 0
    rules: int = 0


@dataclass(frozen=True, slots=True)
class LoadBalancerBill:
    """What it comes to."""

    hours: int
    unit_hours: float | None
    gb: float
    usd: float


def load_balancer_prices() -> tuple[LoadBalancerPrice, ...]:
    """Every type there is."""
    return _prices()


def load_balancer_price(kind: str, traffic: str | None = None) -> LoadBalancerPrice:
    """The prices of a type, and of its usual traffic unless told.

    Raises CatalogError, with the nearest, where there is none.
    """
    known = {price.traffic: price for price in _prices() if price.type == kind}
    if not known:
        types = list(dict.fromkeys(price.type for price in _prices()))
        message = f"no type of load balancer {shorten(kind)}"
        raise CatalogError(message, listing(types), nearest(kind, types))
    if traffic is None:
        return next(iter(known.values()))
    if traffic in known:
        return known[traffic]
    message = f"no traffic of {kind} load balancers {shorten(traffic)}"
    raise CatalogError(message, listing(known), nearest(traffic, known))


def capacity_units(
    price: LoadBalancerPrice,
    hour: LoadBalancerHour,
    *,
    requests_per_connection: int = 1,
    bytes_per_request: int = 0,
    rules: int = 0,
) -> float:
    """Units of one hour: the greatest dimension. A connection is active while a request is."""
    use = ListenerUse((hour,), None, requests_per_connection, bytes_per_request, rules)
    return max(_dimensions(price, use, hour))


def _dimensions(
    price: LoadBalancerPrice, use: ListenerUse, hour: LoadBalancerHour
) -> tuple[float, ...]:
    """What was done in an hour over what a unit holds: 0 where it is not billed so."""
    rate = hour.requests / HOUR_S
    opened = hour.requests / use.requests_per_connection
    if hour.connections is not None:
        opened = hour.connections
    evaluations = rate * max(use.rules - (price.free_rules or 0), 0)
    dimensions = (
        (opened / HOUR_S, price.connections_per_s),
        (hour.active / MINUTES, price.active_connections),
        (hour.requests * use.bytes_per_request / 1e9, price.gb_per_hour),
        (evaluations, price.rules_per_s),
    )
    return tuple(0.0 if holds is None else used / holds for used, holds in dimensions)


def load_balancer_bill(
    kind: str,
    hours: Iterable[LoadBalancerHour],
    *,
    traffic: str | None = None,
    requests_per_connection: int = 1,
    bytes_per_request: int = 0,
    rules: int = 0,
) -> LoadBalancerBill:
    """The bill of a load balancer of one listener for all its hours."""
    use = ListenerUse(tuple(hours), traffic, requests_per_connection, bytes_per_request, rules)
    return listeners_bill(kind, [use])


def listeners_bill(kind: str, listeners: Sequence[ListenerUse]) -> LoadBalancerBill:
    """The bill of a load balancer and all its listeners, which have the same hours.

    Each dimension is added up over the listeners, and the greatest sum of an hour is billed.
    """
    prices = [load_balancer_price(kind, it.traffic) for it in listeners]
    units = 0.0
    for together in zip(*(it.hours for it in listeners), strict=True):
        each = map(_dimensions, prices, listeners, together)
        units += max(map(sum, zip(*each, strict=True)))
    gb = sum(
        sum(hour.requests for hour in it.hours) * it.bytes_per_request / 1e9 for it in listeners
    )
    price, count = prices[0], len(listeners[0].hours)
    usd = price.usd_per_hour * count
    usd += (price.usd_per_unit_hour or 0.0) * units + (price.usd_per_gb or 0.0) * gb
    return LoadBalancerBill(count, units if price.usd_per_unit_hour is not None else None, gb, usd)


@functools.cache
def _prices() -> tuple[LoadBalancerPrice, ...]:
    table = resources.files("nephoscope.catalog").joinpath("load_balancers.csv")
    rows = csv.DictReader(table.read_text(encoding="utf-8").splitlines(), strict=True)
    return tuple(map(_price, rows))


def _price(row: dict[str, str]) -> LoadBalancerPrice:
    return LoadBalancerPrice(
        type=row["type"],
        traffic=row["traffic"],
        usd_per_hour=float(row["usd_per_hour"]),
        usd_per_unit_hour=or_none(float, row["usd_per_unit_hour"]),
        connections_per_s=or_none(float, row["connections_per_s"]),
        active_connections=or_none(float, row["active_connections"]),
        gb_per_hour=or_none(float, row["gb_per_hour"]),
        rules_per_s=or_none(float, row["rules_per_s"]),
        free_rules=or_none(int, row["free_rules"]),
        usd_per_gb=or_none(float, row["usd_per_gb"]),
        region=row["region"],
        as_of=row["as_of"],
    )
