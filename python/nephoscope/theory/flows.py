"""How many requests and messages come to each part in a second, by the programs of the services.

Rates are long-run averages of a system that keeps up and loses nothing but by `fail` steps: what
rejections, timeouts and filters do to them is not known without a run, so a rate behind a filter
is the most that there can be.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nephoscope.scenario import Scenario
from nephoscope.scenario.language.topic import DeliveryRetry
from nephoscope.scenario.language.traffic import Traffic
from nephoscope.theory.closed_users import throughput_bound
from nephoscope.theory.demand import (
    SURE,
    Demand,
    Kinds,
    attempts,
    demand_of,
    in_vain,
    mixed_kinds,
    tries,
)
from nephoscope.theory.moments import NS, law_of
from nephoscope.theory.scheduled import scheduled

_ROUNDS_MAX = 2_000
_CLOSE = 1e-12

# Whom a part leads to: the destination, how often for each request, whether that is the most.
Way = tuple[str, float, bool]

# A path, and the requests or messages a second from there.
Feed = tuple[str, float]

_SECTIONS = ("fleets", "load_balancers", "queues", "topics", "buses", "pipes")


@dataclass(frozen=True)
class Source:
    """What a kind of traffic sends."""

    mean: float
    peak: float
    at_most: bool = False
    """Closed users send less when they have to wait."""


@dataclass(frozen=True)
class Flows:
    """Rates by the name of a part."""

    sources: dict[str, Source]
    means: dict[str, float]
    peaks: dict[str, float]
    at_most: frozenset[str]
    """Parts of which the rates are upper bounds."""
    demands: dict[str, Demand]
    """By fleet."""
    alone: dict[str, float]
    """Mean time of a request at a fleet or a balancer where nobody ever waits, calls included."""
    ways: dict[str, list[Way]]
    shares: dict[str, tuple[tuple[str, float], ...]]
    """Of each balancer and queue, the part of each fleet."""
    assumed: frozenset[str]
    """Fleets of which the shares are those of equal treatment, not of a rule."""
    feeders: dict[str, list[Feed]]
    """Of each part, who sends to it."""


def flows_of(scenario: Scenario) -> Flows:
    """The flows of a scenario."""
    shares = {name: tuple(_shares(scenario, name)) for name in scenario.load_balancers}
    shares |= {name: tuple(_consumers(scenario, name)) for name in scenario.queues}
    demands, success = _settled(scenario, shares)
    alone = _alone(scenario, demands, shares)
    ways = {
        name: list(_ways(scenario, name, demands, success, shares)) for name in _parts(scenario)
    }
    sources = {
        name: source_of(scenario, traffic, alone.get(traffic.to, 0.0))
        for name, traffic in scenario.traffic.items()
    }
    often = {
        name: attempts(success.get(traffic.to, SURE), tries(traffic.retry))
        for name, traffic in scenario.traffic.items()
    }
    ends = [(t.to, sources[name], often[name]) for name, t in scenario.traffic.items()]
    timed = [
        (bus, to, rate * attempts(success.get(to, SURE), retries + 1))
        for bus, to, rate, retries in scheduled(scenario)
    ]
    ends += [(to, Source(rate, rate), 1.0) for _, to, rate in timed]
    means = _spread(ways, [(to, source.mean * k) for to, source, k in ends])
    peaks = _spread(ways, [(to, source.peak * k) for to, source, k in ends])
    bounded = _bounded(ways, {to for to, source, _ in ends if source.at_most})
    assumed = frozenset(
        fleet
        for name in shares
        if _is_assumed(scenario, name, shares[name])
        for fleet, _ in shares[name]
    )
    first = [(f"traffic.{name}", sources[name].mean * often[name]) for name in scenario.traffic]
    fed = _feeders(scenario, ways, first, means)
    for bus, to, rate in timed:
        fed[to].append((f"buses.{bus}", rate))
    return Flows(sources, means, peaks, bounded, demands, alone, ways, shares, assumed, fed)


def _feeders(
    scenario: Scenario, ways: dict[str, list[Way]], ends: list[Feed], means: dict[str, float]
) -> dict[str, list[Feed]]:
    """Who sends to each part, by their paths, and how much."""
    found: dict[str, list[Feed]] = {name: [] for name in ways}
    for traffic, (path, rate) in zip(scenario.traffic.values(), ends, strict=True):
        found[traffic.to].append((path, rate))
    for section in _SECTIONS:
        for part in getattr(scenario, section):
            rates: dict[str, float] = {}
            for to, often, _ in ways[part]:
                rates[to] = rates.get(to, 0.0) + means[part] * often
            for to, rate in rates.items():
                if rate > 0.0:
                    found[to].append((f"{section}.{part}", rate))
    return found


def source_of(scenario: Scenario, traffic: Traffic, cycle: float) -> Source:
    """The rates of a kind of traffic; `cycle` is the time of a request that never waits."""
    arrivals, files = traffic.arrivals, scenario.files
    if traffic.rate is not None:
        return Source(float(traffic.rate), float(traffic.rate))
    if arrivals.mmpp is not None:
        rates = np.array([float(rate) for rate in arrivals.mmpp.rates])
        stays = np.array([float(stay) for stay in arrivals.mmpp.mean_stay])
        return Source(float(rates @ stays / stays.sum()), float(rates.max()))
    if arrivals.profile is not None:
        return _profile(scenario, arrivals.profile)
    if arrivals.closed is not None:
        think = law_of(arrivals.closed.think, files).m1
        most = throughput_bound(arrivals.closed.users, think + cycle, float("inf"))
        return Source(most, most, at_most=True)
    assert arrivals.trace is not None
    start, end = _window(scenario)
    if arrivals.trace.column is not None:
        instants = files.instants_ns(arrivals.trace) / NS
        inside = instants[(instants >= start) & (instants < end)]
        rate = len(inside) / (end - start)
        return Source(rate, rate)
    edges_ns, counts = files.counts_of(arrivals.trace)
    edges = edges_ns / NS
    lengths = np.clip(np.minimum(edges[1:], end) - np.maximum(edges[:-1], start), 0.0, None)
    spans = np.diff(edges)
    rates = np.divide(counts, spans, out=np.zeros(len(spans)), where=spans > 0)
    seen = rates[lengths > 0]
    return Source(float(rates @ lengths / (end - start)), float(seen.max(initial=0.0)))


def _profile(scenario: Scenario, points: tuple[tuple[object, object], ...]) -> Source:
    """The mean and the most of a rate that is linear between points, in the measured window."""
    start, end = _window(scenario)
    times = np.array([float(time) / NS for time, _ in points])  # type: ignore[arg-type]
    rates = np.array([float(rate) for _, rate in points])  # type: ignore[arg-type]
    cuts = np.unique(np.concatenate([[start, end], times[(times > start) & (times < end)]]))
    # Two points at one instant are a step: each side is asked a little within.
    inside = (cuts[1:] - cuts[:-1]) * 1e-9
    left = np.interp(cuts[:-1] + inside, times, rates)
    right = np.interp(cuts[1:] - inside, times, rates)
    mean = float(((left + right) / 2.0) @ np.diff(cuts) / (end - start))
    return Source(mean, float(max(left.max(), right.max())))


def _window(scenario: Scenario) -> tuple[float, float]:
    warmup = 0.0 if scenario.warmup == "auto" else float(scenario.warmup) / NS
    return warmup, float(scenario.duration) / NS


def _parts(scenario: Scenario) -> Iterator[str]:
    for section in _SECTIONS:
        yield from getattr(scenario, section)


def _shares(scenario: Scenario, name: str) -> Iterator[tuple[str, float]]:
    """The part of each fleet of what a balancer passes on: by weights and numbers."""
    balancer = scenario.load_balancers[name]
    groups = [(group.weight, group.targets) for group in (balancer.groups or {}).values()]
    groups = groups or [(1, balancer.targets or ())]
    total = sum(weight for weight, _ in groups)
    for weight, targets in groups:
        parts = [(it.fleet, float(it.weight) * scenario.fleets[it.fleet].first) for it in targets]
        whole = sum(part for _, part in parts)
        if whole > 0.0 and total > 0:
            yield from ((fleet, weight / total * part / whole) for fleet, part in parts)


def _consumers(scenario: Scenario, queue: str) -> Iterator[tuple[str, float]]:
    """The part of each fleet of what is in a queue: by workers."""
    workers = {
        name: fleet.first * (service.concurrency or fleet.instance_type.vcpus)
        for name, fleet in scenario.fleets.items()
        if (service := scenario.services[fleet.service]).consumes is not None
        and service.consumes.queue == queue
    }
    whole = sum(workers.values())
    yield from ((name, number / whole) for name, number in workers.items() if number)


def _is_assumed(scenario: Scenario, name: str, shares: tuple[tuple[str, float], ...]) -> bool:
    if len({fleet for fleet, _ in shares}) < 2:
        return False
    balancer = scenario.load_balancers.get(name)
    ruled = ("random", "weighted_random", "round_robin")
    return balancer is None or balancer.routing.form not in ruled or balancer.routing.mitigates


def _settled(
    scenario: Scenario, shares: dict[str, tuple[tuple[str, float], ...]]
) -> tuple[dict[str, Demand], dict[str, Kinds]]:
    """The demands of all fleets, and the chance of success at every fleet and balancer.

    A call that fails fails its caller, round cycles too: repeated until nothing changes.
    """
    success: dict[str, Kinds] = {}
    demands: dict[str, Demand] = {}
    for _ in range(_ROUNDS_MAX):
        demands = {
            name: demand_of(scenario, fleet, success) for name, fleet in scenario.fleets.items()
        }
        found = {name: demand.kinds for name, demand in demands.items()}
        for name in scenario.load_balancers:
            parts = shares[name]
            found[name] = mixed_kinds([(k, found[it]) for it, k in parts]) if parts else SURE
        if all(abs(_mean(found[it]) - _mean(success.get(it, SURE))) < _CLOSE for it in found):
            return demands, found
        success = found
    return demands, success


def _mean(kinds: Kinds) -> float:
    return sum(share * chance for share, chance in kinds)


def _ways(
    scenario: Scenario,
    name: str,
    demands: dict[str, Demand],
    success: dict[str, Kinds],
    shares: dict[str, tuple[tuple[str, float], ...]],
) -> Iterator[Way]:
    """Where one request or message at a part leads to."""
    if name in scenario.fleets:
        yield from ((to, often, False) for to, often in demands[name].leads)
    elif name in scenario.load_balancers:
        yield from ((fleet, share, False) for fleet, share in shares[name])
    elif name in scenario.queues:
        yield from _received(scenario, name, success, shares[name])
    elif name in scenario.topics:
        topic = scenario.topics[name]
        for each in topic.subscriptions:
            if each.to is None:
                continue
            retries = (each.retry or topic.retry or DeliveryRetry()).retries
            often = attempts(success.get(each.to, SURE), retries + 1)
            at_most = each.filtered or not each.from_start
            at_most = at_most or each.client_errors + each.server_errors > 0.0
            yield each.to, (1.0 + topic.duplicates) * often, at_most
    elif name in scenario.pipes:
        yield scenario.pipes[name].to, 1.0, scenario.pipes[name].filter is not None
    else:
        bus = scenario.buses[name]
        for rule in bus.rules.values():
            matches = any(version.pattern is not None for version in rule.versions)
            for target in rule.targets if matches else ():
                often = attempts(success.get(target.to, SURE), target.retry.attempts + 1)
                yield target.to, (1.0 + bus.duplicates) * often, True


def _received(
    scenario: Scenario, name: str, success: dict[str, Kinds], shares: tuple[tuple[str, float], ...]
) -> Iterator[Way]:
    """Where messages of a queue go: pipes and who else receives get all of them at most."""
    letters = scenario.queues[name].dead_letter
    most = None if letters is None else letters.max_receives
    pipes = {it: pipe for it, pipe in scenario.pipes.items() if pipe.source == name}
    beside = len(pipes) > 1 or bool(pipes and shares)
    at_most = beside or any(pipe.filter is not None for pipe in pipes.values())
    lost = 0.0
    for fleet, share in shares:
        yield fleet, share * attempts(success[fleet], most), beside
        lost += share * in_vain(success[fleet], most) if most is not None else 0.0
    for it, pipe in pipes.items():
        taken = success.get(pipe.to, SURE)
        often = attempts(taken, most)
        yield it, often, beside or (pipe.filter is not None and often > 1.0)
        lost += in_vain(taken, most) if most is not None else 0.0
    if letters is not None and lost > 0.0:
        yield letters.queue, lost, at_most


def _spread(ways: dict[str, list[Way]], ends: list[tuple[str, float]]) -> dict[str, float]:
    """All rates, from those that come in: pushed on until nothing is left to push."""
    rates = dict.fromkeys(ways, 0.0)
    moving: dict[str, float] = {}
    for to, rate in ends:
        moving[to] = moving.get(to, 0.0) + rate
    least = _CLOSE * max(sum(moving.values()), 1e-300)
    for _ in range(_ROUNDS_MAX):
        following: dict[str, float] = {}
        for name, rate in moving.items():
            rates[name] += rate
            for to, often, _ in ways[name]:
                following[to] = following.get(to, 0.0) + rate * often
        moving = {name: rate for name, rate in following.items() if rate > least}
        if not moving:
            break
    return rates


def _bounded(ways: dict[str, list[Way]], first: set[str]) -> frozenset[str]:
    bounded = set(first)
    bounded |= {to for part in ways.values() for to, _, at_most in part if at_most}
    queue = list(bounded)
    while queue:
        for to, _, _ in ways[queue.pop()]:
            if to not in bounded:
                bounded.add(to)
                queue.append(to)
    return frozenset(bounded)


def _alone(
    scenario: Scenario,
    demands: dict[str, Demand],
    shares: dict[str, tuple[tuple[str, float], ...]],
) -> dict[str, float]:
    """The mean times of requests that never wait: the least that a caller sees."""
    alone = dict.fromkeys([*scenario.fleets, *scenario.load_balancers], 0.0)
    for _ in range(_ROUNDS_MAX):
        before = dict(alone)
        for name, demand in demands.items():
            called = sum(k * before.get(it, 0.0) for it, k in demand.leads if it in demand.called)
            alone[name] = demand.hold.m1 + called
        for name in scenario.load_balancers:
            alone[name] = sum(share * alone[fleet] for fleet, share in shares[name])
        if all(abs(alone[name] - before[name]) <= _CLOSE * alone[name] for name in alone):
            break
    return alone
