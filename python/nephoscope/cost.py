"""What a scenario costs: lines of a bill, from what the engine metered and the catalogue's prices.

The bill is of the whole run, warm-up included, for that is what is paid.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nephoscope import catalog
from nephoscope.message_costs import HOURS_PER_MONTH, message_costs
from nephoscope.scenario import Scenario
from nephoscope.scenario.language.arrivals import NoOptions
from nephoscope.scenario.language.fleet import Fleet
from nephoscope.scenario.language.life import Purchase

Tree = dict[str, Any]

# The least that a dedicated host is billed, whatever runs on it.
HOST_MINIMUM_S = 60

# A standard alarm of Amazon CloudWatch, us-east-1, 2024-07; Auto Scaling itself is free of charge.
USD_PER_ALARM_MONTH = 0.10

# Of a policy: to scale out and to scale in.
ALARMS = {"target_tracking": 2, "step": 1, "simple": 1}


def costs(
    scenario: Scenario, numbers: Mapping[str, Any], makes: Mapping[str, Sequence[Fleet]]
) -> Tree | None:
    """A line for each thing that has a price, and their sum; None if nothing has.

    `makes` are all that the instances of each fleet have been, as the numbers count them.
    """
    found = _instance_costs(numbers["fleets"], makes)
    seconds = max(HOST_MINIMUM_S, -(-int(numbers["now_ns"]) // 10**9))
    for name, hosts in scenario.hosts.items():
        if hosts.usd_per_hour is not None:
            billed_s = seconds * hosts.count
            usd = hosts.usd_per_hour * billed_s / 3600
            line: Tree = {"hosts": hosts.count, "billed_s": billed_s, "usd": usd}
            found.setdefault("hosts", {})[name] = line
    if lines := _volume_costs(scenario, numbers["fleets"]):
        found["volumes"] = lines
    if lines := _address_costs(scenario, numbers["fleets"]):
        found["addresses"] = lines
    if lines := _balancer_costs(scenario, numbers["load_balancer_use"]):
        found["load_balancers"] = lines
    found |= message_costs(scenario, numbers)
    if lines := _alarm_costs(scenario, int(numbers["now_ns"])):
        found["alarms"] = lines
    if not found:
        return None
    total = sum(line["usd"] for section in found.values() for line in section.values())
    return {"total": total} | found


def _instance_costs(
    fleets: Iterable[Mapping[str, Any]], makes: Mapping[str, Sequence[Fleet]]
) -> Tree:
    """A line for each fleet whose instance type has a price.

    Where a refresh has changed that, or there are several, the line has the sums, and a line for
    each of the types.

    Seconds are billed by instance and start, at least the minimum of the operating system
    (catalog.operating_systems), and priced by type, system and purchase option (catalog.price).
    """
    lines: Tree = {}
    surplus: Tree = {}
    for numbers in fleets:
        fleet, *others = makes[numbers["name"]]
        if others:
            _add_renewed(numbers, makes[numbers["name"]], lines, surplus)
        elif fleet.instance_type.type is not None:
            lines[numbers["name"]] = _bought(fleet, numbers)
            if "credits_charged" in numbers:
                surplus[numbers["name"]] = _surplus(fleet, float(numbers["credits_charged"]))
    sections = {"instances": lines, "cpu_credits": surplus}
    return {name: section for name, section in sections.items() if section}


def _line(fleet: Fleet, billed_s: int, by_price_s: Sequence[int] = ()) -> Tree:
    """Of so many seconds; where spot has prices of its own, so many at each."""
    price = _price(fleet)
    hours = billed_s / 3600
    points = () if fleet.purchase.spot is None else fleet.purchase.spot.prices or ()
    spot_usd = sum(usd * s for (_, usd), s in zip(points, by_price_s, strict=True)) / 3600
    return {
        "instance_type": fleet.instance_type.type,
        "os": fleet.os,
        "purchase": fleet.purchase.form,
        "tenancy": fleet.tenancy,
        "billed_s": billed_s,
        "usd": price.usd_per_hour * hours + spot_usd,
        "licence_usd": price.licence_usd_per_hour * hours,
    }


def _bought(fleet: Fleet, numbers: Mapping[str, Any]) -> Tree:
    """The line of a fleet; of one that buys both ways the sums, and a line for each of them."""
    billed_s = int(numbers["billed_s"])
    by_price_s = numbers.get("billed_by_price_s", ())
    if "on_demand_billed_s" not in numbers:
        return _line(fleet, billed_s, by_price_s)
    on_demand_s = int(numbers["on_demand_billed_s"])
    firm = fleet.model_copy(update={"purchase": Purchase(on_demand=NoOptions())})
    parts = [_line(firm, on_demand_s), _line(fleet, billed_s - on_demand_s, by_price_s)]
    sums = {key: sum(part[key] for part in parts) for key in ("billed_s", "usd", "licence_usd")}
    return parts[1] | {"purchase": "mixed"} | sums | {"purchases": parts}


def _add_renewed(
    numbers: Mapping[str, Any], makes: Sequence[Fleet], lines: Tree, surplus: Tree
) -> None:
    """The lines of a fleet whose instances have been of several types or systems."""
    columns = numbers["makes"]
    priced = [(i, make) for i, make in enumerate(makes) if make.instance_type.type is not None]
    parts = [_bought(make, _of_make(numbers, i)) for i, make in priced]
    if parts:
        sums = {key: sum(part[key] for part in parts) for key in ("billed_s", "usd", "licence_usd")}
        last = parts[0 if makes[0].other_types else -1]
        line = {key: value for key, value in last.items() if key != "purchases"}
        lines[numbers["name"]] = line | sums | {"types": parts}
    charges = [
        _surplus(make, float(columns["credits_charged"][i]))
        for i, make in priced
        if make.instance_type.burstable
    ]
    if charges:
        keys = ("vcpu_hours", "usd")
        surplus[numbers["name"]] = {key: sum(part[key] for part in charges) for key in keys}


def _of_make(numbers: Mapping[str, Any], i: int) -> Tree:
    """What was billed of the instances of one make; on demand too, where a fleet buys both ways."""
    keys = ["billed_s", *(["on_demand_billed_s"] if "on_demand_billed_s" in numbers else [])]
    return {key: int(numbers["makes"][key][i]) for key in keys}


def _volume_costs(scenario: Scenario, fleets: Iterable[Mapping[str, Any]]) -> Tree:
    """A line for each fleet whose volumes have a price, for as long as instances had them."""
    lines: Tree = {}
    for numbers in fleets:
        volume = scenario.fleets[numbers["name"]].volume
        if volume is None or volume.usd_per_gib_month is None:
            continue
        assert volume.size is not None
        months = int(numbers["lived_ns"]) / 1e9 / 3600 / HOURS_PER_MONTH
        gib_months = int(volume.size) / 2**30 * months
        usd = gib_months * volume.usd_per_gib_month
        lines[numbers["name"]] = {"gib_months": gib_months, "usd": usd}
    return lines


def _address_costs(scenario: Scenario, fleets: Iterable[Mapping[str, Any]]) -> Tree:
    """A line for each fleet whose instances have addresses, for as long as they had them."""
    lines: Tree = {}
    for numbers in fleets:
        address = scenario.fleets[numbers["name"]].elastic_address
        if address is not None:
            hours = int(numbers["lived_ns"]) / 1e9 / 3600
            lines[numbers["name"]] = {"hours": hours, "usd": hours * address.usd_per_hour}
    return lines


def _alarm_costs(scenario: Scenario, now_ns: int) -> Tree:
    """A line for each fleet with alarms, of its policies or its own, for as long as they were."""
    lines: Tree = {}
    months = now_ns / 1e9 / 3600 / HOURS_PER_MONTH
    for name, fleet in scenario.fleets.items():
        alarms = sum(ALARMS.get(policy.form, 0) for policy in fleet.scaling) + len(fleet.alarms)
        if alarms:
            lines[name] = {"alarms": alarms, "usd": alarms * months * USD_PER_ALARM_MONTH}
    return lines


def _balancer_costs(scenario: Scenario, used: Iterable[Mapping[str, Any]]) -> Tree:
    """A line for each load balancer that has a price, of all its listeners together."""
    uses: dict[str, list[catalog.ListenerUse]] = {}
    for numbers in used:
        name = numbers["name"]
        balancer = scenario.load_balancers[name]
        opened = numbers.get("connections", [None] * len(numbers["requests"]))
        hours = tuple(
            catalog.LoadBalancerHour(
                int(requests), int(active), made if made is None else int(made)
            )
            for requests, active, made in zip(
                numbers["requests"], numbers["active"], opened, strict=True
            )
        )
        use = catalog.ListenerUse(hours, **balancer.use)
        uses.setdefault(balancer.listener_of or name, []).append(use)
    lines: Tree = {}
    for name, listeners in uses.items():
        kind = scenario.load_balancers[name].type
        bill = catalog.listeners_bill(kind, listeners)
        line: Tree = {"type": kind, "hours": bill.hours}
        if bill.unit_hours is not None:
            line["unit_hours"] = bill.unit_hours
        lines[name] = line | {"gb": bill.gb, "usd": bill.usd}
    return lines


def _price(fleet: Fleet) -> catalog.Price:
    kind, spot = fleet.instance_type.type, fleet.purchase.spot
    assert kind is not None
    factor = catalog.SPOT_FACTOR if spot is None or spot.discount is None else 1.0 - spot.discount
    if spot is not None and spot.prices is not None:
        factor = 0.0  # what remains are licences
    return catalog.price(kind, fleet.os, fleet.purchase.form, fleet.tenancy, spot_factor=factor)


def _surplus(fleet: Fleet, credits_charged: float) -> Tree:
    """What surplus CPU credits cost; 60 of them are a vCPU-hour."""
    kind = fleet.instance_type.type
    assert kind is not None
    windows = catalog.operating_system(fleet.os).licence_included
    price = catalog.cpu_credits(kind).surplus_usd_per_vcpu_hour(windows=windows)
    hours = credits_charged / 60
    return {"vcpu_hours": hours, "usd": price * hours}
