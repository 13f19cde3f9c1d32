"""What queues, topics, buses and pipes cost: lines of the bill, by what the engine counted.

What is free in a month is taken off where the account says so: of each kind so much for each month
that the run has begun, less what had been used before, in the order of the lines. So it is with the
requests of queues that cost more than those beyond them.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nephoscope.scenario import Scenario
from nephoscope.scenario.language.bus import Bus, BusTarget
from nephoscope.scenario.language.entries import AUTO
from nephoscope.scenario.language.provider import Provider, Used
from nephoscope.scenario.language.service import all_steps
from nephoscope.scenario.language.topic import Subscription

Tree = dict[str, Any]

# Of a million requests, each up to so many of a month. Amazon SQS, us-east-1, 2024.
USD_PER_MILLION_REQUESTS = {
    "standard": ((10**11, 0.40), (2 * 10**11, 0.30), (math.inf, 0.24)),
    "fifo": ((10**11, 0.50), (2 * 10**11, 0.40), (math.inf, 0.35)),
}

# Of a request of a key by which queues are encrypted. AWS Key Management Service, us-east-1, 2024.
USD_PER_KEY_REQUEST = 0.03 / 10_000

# Of a million messages published, and delivered by HTTP or, of a FIFO topic, to queues; of the GB
# that FIFO topics take in and deliver, and that filters of bodies look at. Amazon SNS, us-east-1,
# 2024-12.
USD_PER_MILLION_PUBLISHED = {"standard": 0.50, "fifo": 0.30}
USD_PER_MILLION_BY_HTTP = 0.60
USD_PER_MILLION_IN_ORDER = 0.01
USD_PER_GB_IN = 0.017
USD_PER_GB_OUT = 0.001
USD_PER_GB_SCANNED = 0.09
# Of a million deliveries outside; text messages have the price that their subscription tells.
USD_PER_MILLION_OUTSIDE = {"email": 20.0, "mobile_push": 0.50, "firehose": 0.19}

# Of a million events put, delivered by HTTP, taken in by pipes, and looked at for their schemas; of
# the GB that archives take, and hold for a month. Amazon EventBridge, us-east-1, 2024. Matching and
# other deliveries are free.
USD_PER_MILLION_PUT = 1.00
USD_PER_MILLION_TO_HTTP = 0.20
USD_PER_MILLION_PIPED = 0.40
USD_PER_MILLION_DISCOVERED = 0.10
USD_PER_GB_ARCHIVED = 0.10
USD_PER_GB_MONTH = 0.023

HOURS_PER_MONTH = 730

# Free in a month: requests of queues and of standard topics, and deliveries of topics.
FREE = {
    "queue_requests": 1_000_000,
    "topic_requests": 1_000_000,
    "http_deliveries": 100_000,
    "emails": 1_000,
}

# Each begun is a request.
CHUNK = 64 * 1024


class _Account:
    """What is left of its free amounts, nothing where they are not taken off, and its requests."""

    def __init__(self, provider: Provider, now_ns: int) -> None:
        self._months = max(1, -(-now_ns // (HOURS_PER_MONTH * 3600 * 10**9)))
        used = provider.used or Used()
        self._left = {
            kind: max(most * self._months - getattr(used, kind), 0) if provider.free_tier else 0
            for kind, most in FREE.items()
        }
        fifo = used.fifo_requests
        self._requests = {"standard": used.queue_requests - fifo, "fifo": fifo}

    def billed(self, line: Tree, kind: str, count: int) -> int:
        """How many of so many are billed; the line tells of the others."""
        free = min(count, self._left[kind])
        self._left[kind] -= free
        if free:
            line[f"free_{kind}"] = line.get(f"free_{kind}", 0) + free
        return count - free

    def requests_usd(self, line: Tree, kind: str, count: int) -> float:
        """What so many requests of queues of a type cost; the line tells of those that are free."""
        end = self._requests[kind] + count
        begin = end - self.billed(line, "queue_requests", count)
        self._requests[kind] = end
        return queue_requests_usd(kind, begin, end, self._months)


def queue_requests_usd(kind: str, begin: int, end: int, months: int = 1) -> float:
    """What the requests of a type of queue cost from `begin` to `end` of all in so many months."""
    usd, below = 0.0, 0.0
    for most, price in USD_PER_MILLION_REQUESTS[kind]:
        count = min(end, most * months) - max(begin, below)
        usd += max(count, 0) * price / 1e6
        below = most * months
    return usd


def message_costs(scenario: Scenario, numbers: Mapping[str, Any]) -> Tree:
    """The lines of all that have any, by section."""
    account = _Account(scenario.provider, int(numbers["now_ns"]))
    sections = {
        "queues": _queue_costs(scenario, numbers, account),
        "topics": _topic_costs(scenario, numbers.get("topics", ()), account),
        "buses": _bus_costs(scenario, numbers.get("buses", ())),
        "pipes": _pipe_costs(scenario, numbers.get("pipes", ())),
    }
    return {name: lines for name, lines in sections.items() if lines}


def chunks(size: int) -> int:
    """As how many requests a message of so many bytes is billed; at least one."""
    return max(1, -(-size // CHUNK))


def _queue_costs(scenario: Scenario, found: Mapping[str, Any], account: _Account) -> Tree:
    """A line for each queue, by its requests, which the engine counts as they are billed."""
    lines: Tree = {}
    for numbers in found.get("queues", ()):
        kind = scenario.queues[numbers["name"]].type
        requests = int(numbers["requests"])
        line: Tree = {"type": kind, "requests": requests}
        usd = account.requests_usd(line, kind, requests)
        if scenario.queues[numbers["name"]].encryption is not None:
            line["key_requests"] = _key_requests(scenario, numbers, int(found["now_ns"]))
            usd += line["key_requests"] * USD_PER_KEY_REQUEST
        lines[numbers["name"]] = line | {"usd": usd}
    return lines


def _key_requests(scenario: Scenario, numbers: Mapping[str, Any], now_ns: int) -> int:
    """For each time that a data key is used two of everybody who sends, one of who receives.

    All topics are one sender, and so are all buses; each pipe is one by itself.
    """
    name = numbers["name"]
    encryption = scenario.queues[name].encryption
    assert encryption is not None
    senders = sum(traffic.to == name for traffic in scenario.traffic.values())
    receivers = 0
    for service in scenario.services.values():
        sends = (step.send for step in all_steps(service.steps))
        senders += any(send is not None and send.to == name for send in sends)
        receivers += service.consumes is not None and service.consumes.queue == name
    topics = (each for topic in scenario.topics.values() for each in topic.subscriptions)
    senders += any(name in (each.to, each.dead_letter) for each in topics)
    rules = (rule for bus in scenario.buses.values() for rule in bus.rules.values())
    targets = (target for rule in rules for target in rule.targets)
    senders += any(name in (target.to, target.dead_letter) for target in targets)
    senders += sum(pipe.to == name for pipe in scenario.pipes.values())
    receivers += sum(pipe.source == name for pipe in scenario.pipes.values())
    asked = 2 * senders * bool(numbers["sent"]) + receivers * bool(numbers["received"])
    times = -(-now_ns // int(encryption.key_reuse))
    return int(asked * times)


def _topic_costs(
    scenario: Scenario, topics: Iterable[Mapping[str, Any]], account: _Account
) -> Tree:
    """A line for each topic: what was published, and what deliveries and filters cost."""
    lines: Tree = {}
    for numbers in topics:
        topic = scenario.topics[numbers["name"]]
        size = int(topic.message_size)
        published = int(numbers["published"]) + int(numbers["deduplicated"])
        requests = _calls(numbers["calls"], size)
        line: Tree = {"type": topic.type, "published": published, "by_http": 0}
        standard = topic.type == "standard"
        billed = account.billed(line, "topic_requests", requests) if standard else requests
        usd = billed * USD_PER_MILLION_PUBLISHED[topic.type] / 1e6
        if size:
            line["gb"] = published * size / 1e9
        if size or requests != published:
            line["requests"] = requests
        if topic.type == "fifo":
            usd += published * size / 1e9 * USD_PER_GB_IN
        for subscription, delivered in zip(topic.subscriptions, numbers["delivered"], strict=True):
            usd += _delivery_usd(scenario, subscription, int(delivered), line, account)
            if topic.type == "fifo":
                usd += int(delivered) * USD_PER_MILLION_IN_ORDER / 1e6
                usd += int(delivered) * size / 1e9 * USD_PER_GB_OUT
        bodies = sum(s.filtered and s.filter_scope == "body" for s in topic.subscriptions)
        if size and bodies:
            line["scanned_gb"] = int(numbers["published"]) * bodies * size / 1e9
            usd += line["scanned_gb"] * USD_PER_GB_SCANNED
        lines[numbers["name"]] = line | {"usd": usd}
    return lines


def _delivery_usd(
    scenario: Scenario, subscription: Subscription, delivered: int, line: Tree, account: _Account
) -> float:
    """What deliveries cost that do not go to queues; the line counts them."""
    if (endpoint := subscription.endpoint) is not None:
        line[endpoint] = line.get(endpoint, 0) + delivered
        if subscription.usd_per_message is not None:
            return delivered * subscription.usd_per_message
        billed = account.billed(line, "emails", delivered) if endpoint == "email" else delivered
        return billed * USD_PER_MILLION_OUTSIDE[endpoint] / 1e6
    if subscription.to in scenario.queues:
        return 0.0
    line["by_http"] += delivered
    return account.billed(line, "http_deliveries", delivered) * USD_PER_MILLION_BY_HTTP / 1e6


def _calls(calls: Sequence[int], size: int) -> int:
    """As how many requests calls are billed, of which the i-th are of i + 1 messages."""
    return sum(int(n) * chunks(size * entries) for entries, n in enumerate(calls, 1))


def _bus_costs(scenario: Scenario, buses: Iterable[Mapping[str, Any]]) -> Tree:
    """A line for each bus: what was put, there or by replays, kept, and went out by HTTP."""
    lines: Tree = {}
    for numbers in buses:
        bus = scenario.buses[numbers["name"]]
        targets = [target for rule in bus.rules.values() for target in rule.targets]
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
            usd += _archive_usd(bus, numbers, line)
        if bus.event_size == AUTO:
            requests = int(numbers["chunks"]) + int(numbers["replayed_chunks"])
        else:
            requests = (put + line.get("replayed", 0)) * chunks(int(bus.event_size))
        if bus.event_size:
            line["requests"] = requests
        if elsewhere := _elsewhere(targets, numbers["delivered"]):
            line["other_accounts"] = elsewhere
            requests += elsewhere * chunks(int(bus.event_size))
        usd += requests * USD_PER_MILLION_PUT / 1e6
        if bus.schema_discovery:
            line["discovered"] = put
            usd += put * USD_PER_MILLION_DISCOVERED / 1e6
        lines[numbers["name"]] = line | {"usd": usd}
    return lines


def _pipe_costs(scenario: Scenario, pipes: Iterable[Mapping[str, Any]]) -> Tree:
    """A line for each pipe: what its filter let through, each time, and what went out by HTTP."""
    lines: Tree = {}
    for numbers in pipes:
        pipe = scenario.pipes[numbers["name"]]
        size = int(scenario.queues[pipe.source].message_size)
        requests = (int(numbers["received"]) - int(numbers["filtered"])) * chunks(size)
        asks = pipe.to in scenario.load_balancers or pipe.to in scenario.fleets
        by_http = int(numbers["delivered"]) if asks else 0
        usd = requests * USD_PER_MILLION_PIPED / 1e6 + by_http * USD_PER_MILLION_TO_HTTP / 1e6
        lines[numbers["name"]] = {"requests": requests, "by_http": by_http, "usd": usd}
    return lines


def _elsewhere(targets: Iterable[BusTarget], delivered: Iterable[int]) -> int:
    """Deliveries to other accounts, for which the sender pays as for what is put."""
    pairs = zip(targets, delivered, strict=True)
    return sum(int(count) for target, count in pairs if target.other_account)


def _archive_usd(bus: Bus, numbers: Mapping[str, Any], line: Tree) -> float:
    """What an archive takes and holds, where the size of events is known; the line tells it."""
    if not bus.event_size:
        return 0.0
    if bus.event_size == AUTO:
        taken, held_s = int(numbers["archived_bytes"]), float(numbers["held_s"])
    else:
        size = int(bus.event_size)
        taken, held_s = int(numbers["archived"]) * size, float(numbers["held_s"]) * size
    archived_gb, held_gb_months = taken / 1e9, held_s / 1e9 / (HOURS_PER_MONTH * 3600)
    line |= {"archived_gb": archived_gb, "held_gb_months": held_gb_months}
    return archived_gb * USD_PER_GB_ARCHIVED + held_gb_months * USD_PER_GB_MONTH
