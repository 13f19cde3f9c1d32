"""What queues, topics and buses cost: lines of the bill, from what the engine counted of them.

What is free in a month is not taken off: it is the account's, not the scenario's.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nephoscope.scenario import Scenario

Tree = dict[str, Any]

# Of a million requests, Amazon SQS, us-east-1, 2024.
USD_PER_MILLION_REQUESTS = {"standard": 0.40, "fifo": 0.50}

# Of a million messages published, and delivered by HTTP or, of a FIFO topic, to queues; of the GB
# that FIFO topics take in and deliver, and that filters of bodies look at. Amazon SNS, us-east-1,
# 2024-12.
USD_PER_MILLION_PUBLISHED = {"standard": 0.50, "fifo": 0.30}
USD_PER_MILLION_BY_HTTP = 0.60
USD_PER_MILLION_IN_ORDER = 0.01
USD_PER_GB_IN = 0.017
USD_PER_GB_OUT = 0.001
USD_PER_GB_SCANNED = 0.09
# Of a million deliveries outside; the price of a text message is that of its country, and left out.
USD_PER_MILLION_OUTSIDE = {"email": 20.0, "sms": 0.0, "mobile_push": 0.50, "firehose": 0.19}

# Of a million events put, and delivered by HTTP; of the GB that archives take. Amazon EventBridge,
# us-east-1, 2024. Matching and other deliveries are free.
USD_PER_MILLION_PUT = 1.00
USD_PER_MILLION_TO_HTTP = 0.20
USD_PER_GB_ARCHIVED = 0.10

# Each begun is a request.
CHUNK = 64 * 1024


def message_costs(scenario: Scenario, numbers: Mapping[str, Any]) -> Tree:
    """The lines of all that have any, by section."""
    sections = {
        "queues": _queue_costs(scenario, numbers.get("queues", ())),
        "topics": _topic_costs(scenario, numbers.get("topics", ())),
        "buses": _bus_costs(scenario, numbers.get("buses", ())),
    }
    return {name: lines for name, lines in sections.items() if lines}


def chunks(size: int) -> int:
    """As how many requests a message of so many bytes is billed; at least one."""
    return max(1, -(-size // CHUNK))


def _queue_costs(scenario: Scenario, queues: Iterable[Mapping[str, Any]]) -> Tree:
    """A line for each queue, by its requests, which the engine counts as they are billed."""
    lines: Tree = {}
    for numbers in queues:
        kind = scenario.queues[numbers["name"]].type
        requests = int(numbers["requests"])
        usd = requests * USD_PER_MILLION_REQUESTS[kind] / 1e6
        lines[numbers["name"]] = {"type": kind, "requests": requests, "usd": usd}
    return lines


def _topic_costs(scenario: Scenario, topics: Iterable[Mapping[str, Any]]) -> Tree:
    """A line for each topic: what was published, and what deliveries and filters cost."""
    lines: Tree = {}
    for numbers in topics:
        topic = scenario.topics[numbers["name"]]
        size = int(topic.message_size)
        published = int(numbers["published"]) + int(numbers["deduplicated"])
        requests = _calls(numbers["calls"], size)
        usd = requests * USD_PER_MILLION_PUBLISHED[topic.type] / 1e6
        line: Tree = {"type": topic.type, "published": published, "by_http": 0}
        if size:
            line["gb"] = published * size / 1e9
        if size or requests != published:
            line["requests"] = requests
        if topic.type == "fifo":
            usd += published * size / 1e9 * USD_PER_GB_IN
        pairs = zip(topic.subscriptions, numbers["delivered"], strict=True)
        for subscription, delivered in pairs:
            if subscription.endpoint is not None:
                line[subscription.endpoint] = line.get(subscription.endpoint, 0) + int(delivered)
                usd += int(delivered) * USD_PER_MILLION_OUTSIDE[subscription.endpoint] / 1e6
            elif subscription.to not in scenario.queues:
                line["by_http"] += int(delivered)
                usd += int(delivered) * USD_PER_MILLION_BY_HTTP / 1e6
            elif topic.type == "fifo":
                usd += int(delivered) * USD_PER_MILLION_IN_ORDER / 1e6
                usd += int(delivered) * size / 1e9 * USD_PER_GB_OUT
        bodies = sum(s.filter is not None and s.filter_scope == "body" for s in topic.subscriptions)
        if size and bodies:
            line["scanned_gb"] = int(numbers["published"]) * bodies * size / 1e9
            usd += line["scanned_gb"] * USD_PER_GB_SCANNED
        lines[numbers["name"]] = line | {"usd": usd}
    return lines


def _calls(calls: Sequence[int], size: int) -> int:
    """As how many requests calls are billed, of which the i-th are of i + 1 messages."""
    return sum(int(n) * chunks(size * entries) for entries, n in enumerate(calls, 1))


def _bus_costs(scenario: Scenario, buses: Iterable[Mapping[str, Any]]) -> Tree:
    """A line for each bus: what was put, there or by replays, kept, and went out by HTTP."""
    lines: Tree = {}
    for numbers in buses:
        bus = scenario.buses[numbers["name"]]
        targets = [target for rule in bus.rules.values() for target in rule.targets]
        size = int(bus.event_size)
        put = int(numbers["published"])
        by_http = sum(
            int(delivered)
            for target, delivered in zip(targets, numbers["delivered"], strict=True)
            if target.to not in scenario.queues and target.to not in scenario.topics
        )
        line: Tree = {"put": put, "by_http": by_http}
        usd = by_http * USD_PER_MILLION_TO_HTTP / 1e6
        if "archived" in numbers:
            line["replayed"] = int(numbers["replayed"])
            if size:
                line["archived_gb"] = int(numbers["archived"]) * size / 1e9
                usd += line["archived_gb"] * USD_PER_GB_ARCHIVED
        requests = (put + line.get("replayed", 0)) * chunks(size)
        if size:
            line["requests"] = requests
        usd += requests * USD_PER_MILLION_PUT / 1e6
        lines[numbers["name"]] = line | {"usd": usd}
    return lines
