"""What a scenario costs: lines of a bill, from what the engine metered and the catalogue's prices.

The bill is of the whole run, warm-up included, for that is what is paid.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nephoscope import catalog
from nephoscope.scenario import Scenario
from nephoscope.scenario.fleet import Fleet

Tree = dict[str, Any]

# The least that a dedicated host is billed, whatever runs on it.
HOST_MINIMUM_S = 60

# A standard alarm of Amazon CloudWatch, us-east-1, 2024-07; Auto Scaling itself is free of charge.
USD_PER_ALARM_MONTH = 0.10
HOURS_PER_MONTH = 730

# Of a policy: to scale out and to scale in.
ALARMS = {"target_tracking": 2, "step": 1, "simple": 1}


# Of a million requests, Amazon SQS, us-east-1, 2024. The first million of a month, which is free,
# is not taken off: it is the account's, not the scenario's.
USD_PER_MILLION_REQUESTS = {"standard": 0.40, "fifo": 0.50}

# Of a million messages published, and delivered by HTTP or, of a FIFO topic, to queues; Amazon SNS,
# us-east-1, 2024-12. What is free in a month is not taken off; sizes are not known, so that what
# FIFO topics cost by the GB is left out.
USD_PER_MILLION_PUBLISHED = {"standard": 0.50, "fifo": 0.30}
USD_PER_MILLION_BY_HTTP = 0.60
USD_PER_MILLION_IN_ORDER = 0.01

# Of a million events put, and delivered by HTTP; Amazon EventBridge, us-east-1, 2024. Matching and
# other deliveries are free; sizes are not known, so that every event is one of up to 64 KB.
USD_PER_MILLION_PUT = 1.00
USD_PER_MILLION_TO_HTTP = 0.20


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
    if lines := _balancer_costs(scenario, numbers["load_balancer_use"]):
        found["load_balancers"] = lines
    if lines := _queue_costs(scenario, numbers.get("queues", ())):
        found["queues"] = lines
    if lines := _topic_costs(scenario, numbers.get("topics", ())):
        found["topics"] = lines
    if lines := _bus_costs(scenario, numbers.get("buses", ())):
        found["buses"] = lines
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

    Where a refresh has changed that, the line has the sums, and a line for each of the types.

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
            lines[numbers["name"]] = _line(fleet, int(numbers["billed_s"]))
            if "credits_charged" in numbers:
                surplus[numbers["name"]] = _surplus(fleet, float(numbers["credits_charged"]))
    sections = {"instances": lines, "cpu_credits": surplus}
    return {name: section for name, section in sections.items() if section}


def _line(fleet: Fleet, billed_s: int) -> Tree:
    price = _price(fleet)
    hours = billed_s / 3600
    return {
        "instance_type": fleet.instance_type.type,
        "os": fleet.os,
        "purchase": fleet.purchase.form,
        "tenancy": fleet.tenancy,
        "billed_s": billed_s,
        "usd": price.usd_per_hour * hours,
        "licence_usd": price.licence_usd_per_hour * hours,
    }


def _add_renewed(
    numbers: Mapping[str, Any], makes: Sequence[Fleet], lines: Tree, surplus: Tree
) -> None:
    """The lines of a fleet whose instances have been of several types or systems."""
    columns = numbers["makes"]
    priced = [(i, make) for i, make in enumerate(makes) if make.instance_type.type is not None]
    parts = [_line(make, int(columns["billed_s"][i])) for i, make in priced]
    if parts:
        sums = {key: sum(part[key] for part in parts) for key in ("billed_s", "usd", "licence_usd")}
        lines[numbers["name"]] = parts[-1] | sums | {"types": parts}
    charges = [
        _surplus(make, float(columns["credits_charged"][i]))
        for i, make in priced
        if make.instance_type.burstable
    ]
    if charges:
        keys = ("vcpu_hours", "usd")
        surplus[numbers["name"]] = {key: sum(part[key] for part in charges) for key in keys}


def _alarm_costs(scenario: Scenario, now_ns: int) -> Tree:
    """A line for each fleet with policies that have alarms, by the time that they were there."""
    lines: Tree = {}
    months = now_ns / 1e9 / 3600 / HOURS_PER_MONTH
    for name, fleet in scenario.fleets.items():
        alarms = sum(ALARMS.get(policy.form, 0) for policy in fleet.scaling)
        if alarms:
            lines[name] = {"alarms": alarms, "usd": alarms * months * USD_PER_ALARM_MONTH}
    return lines


def _balancer_costs(scenario: Scenario, used: Iterable[Mapping[str, Any]]) -> Tree:
    """A line for each load balancer that has a price (catalog.load_balancer_bill)."""
    lines: Tree = {}
    for numbers in used:
        balancer = scenario.load_balancers[numbers["name"]]
        hours = [
            catalog.LoadBalancerHour(int(requests), int(active))
            for requests, active in zip(numbers["requests"], numbers["active"], strict=True)
        ]
        bill = catalog.load_balancer_bill(balancer.type, hours, **balancer.use)
        line: Tree = {"type": balancer.type, "hours": bill.hours}
        if bill.unit_hours is not None:
            line["unit_hours"] = bill.unit_hours
        lines[numbers["name"]] = line | {"gb": bill.gb, "usd": bill.usd}
    return lines


def _queue_costs(scenario: Scenario, queues: Iterable[Mapping[str, Any]]) -> Tree:
    """A line for each queue, by its requests: a call each, whatever it holds and comes to."""
    lines: Tree = {}
    for numbers in queues:
        kind = scenario.queues[numbers["name"]].type
        requests = int(numbers["requests"])
        usd = requests * USD_PER_MILLION_REQUESTS[kind] / 1e6
        lines[numbers["name"]] = {"type": kind, "requests": requests, "usd": usd}
    return lines


def _topic_costs(scenario: Scenario, topics: Iterable[Mapping[str, Any]]) -> Tree:
    """A line for each topic: what was published, and what deliveries cost where they do."""
    lines: Tree = {}
    for numbers in topics:
        topic = scenario.topics[numbers["name"]]
        published = int(numbers["published"]) + int(numbers["deduplicated"])
        usd = published * USD_PER_MILLION_PUBLISHED[topic.type] / 1e6
        line: Tree = {"type": topic.type, "published": published, "by_http": 0}
        pairs = zip(topic.subscriptions, numbers["delivered"], strict=True)
        for subscription, delivered in pairs:
            if subscription.to not in scenario.queues:
                line["by_http"] += int(delivered)
                usd += int(delivered) * USD_PER_MILLION_BY_HTTP / 1e6
            elif topic.type == "fifo":
                usd += int(delivered) * USD_PER_MILLION_IN_ORDER / 1e6
        lines[numbers["name"]] = line | {"usd": usd}
    return lines


def _bus_costs(scenario: Scenario, buses: Iterable[Mapping[str, Any]]) -> Tree:
    """A line for each bus: what was put, there or by replays, and what went out by HTTP."""
    lines: Tree = {}
    for numbers in buses:
        targets = [t for r in scenario.buses[numbers["name"]].rules.values() for t in r.targets]
        put = int(numbers["published"])
        by_http = sum(
            int(delivered)
            for target, delivered in zip(targets, numbers["delivered"], strict=True)
            if target.to not in scenario.queues and target.to not in scenario.topics
        )
        line: Tree = {"put": put, "by_http": by_http}
        if "archived" in numbers:
            line["replayed"] = int(numbers["replayed"])
        paid = (put + line.get("replayed", 0)) * USD_PER_MILLION_PUT
        usd = (paid + by_http * USD_PER_MILLION_TO_HTTP) / 1e6
        lines[numbers["name"]] = line | {"usd": usd}
    return lines


def _price(fleet: Fleet) -> catalog.Price:
    kind, spot = fleet.instance_type.type, fleet.purchase.spot
    assert kind is not None
    factor = catalog.SPOT_FACTOR if spot is None or spot.discount is None else 1.0 - spot.discount
    return catalog.price(kind, fleet.os, fleet.purchase.form, fleet.tenancy, spot_factor=factor)


def _surplus(fleet: Fleet, credits_charged: float) -> Tree:
    """What surplus CPU credits cost; 60 of them are a vCPU-hour."""
    kind = fleet.instance_type.type
    assert kind is not None
    windows = catalog.operating_system(fleet.os).licence_included
    price = catalog.cpu_credits(kind).surplus_usd_per_vcpu_hour(windows=windows)
    hours = credits_charged / 60
    return {"vcpu_hours": hours, "usd": price * hours}
