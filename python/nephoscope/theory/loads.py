"""Utilisation and stability: what every fleet and every queue has to carry."""

import math
from collections.abc import Iterator

from nephoscope.scenario import Scenario
from nephoscope.theory.answer import Load, QueueLoad
from nephoscope.theory.flows import Flows


def fleet_loads(scenario: Scenario, flows: Flows) -> Iterator[Load]:
    """A load for each fleet."""
    for name in scenario.fleets:
        yield _fleet_load(scenario, flows, name)


def _direct(flows: Flows, name: str) -> bool:
    """Whether all that comes to a fleet comes without a balancer or a queue."""
    return all(
        path.partition(".")[0] not in ("load_balancers", "queues")
        for path, _ in flows.feeders[name]
    )


def _fleet_load(scenario: Scenario, flows: Flows, name: str) -> Load:
    fleet, demand = scenario.fleets[name], flows.demands[name]
    service = scenario.services[fleet.service]
    # What comes straight to a fleet goes to its first running instance.
    serving = min(fleet.first, 1) if _direct(flows, name) else fleet.first
    vcpus = fleet.instance_type.vcpus
    rate, peak = flows.means[name], flows.peaks[name]
    room = serving * vcpus
    workers = None
    fewer = service.concurrency if service.discipline == "fifo" or service.consumes else None
    held = flows.alone[name]
    if serving and (held > demand.compute or (fewer or vcpus) < vcpus):
        limit = fewer or (vcpus if service.discipline == "fifo" else None)
        workers = rate * held / (serving * limit) if limit else None
    return Load(
        name,
        rate,
        peak,
        name in flows.at_most,
        name in flows.assumed,
        demand.compute,
        serving,
        fleet.first - serving,
        vcpus,
        rate * demand.compute / room if room else 0.0,
        peak * demand.compute / room if room else 0.0,
        workers,
        tuple(_notes(scenario, flows, name)),
    )


def account_limits(scenario: Scenario, name: str) -> bool:
    """Whether launches of a fleet may be refused for the limits of its account."""
    account = scenario.accounts.get(scenario.fleets[name].tenant)
    return account is not None and (account.vcpus or account.spot_vcpus) is not None


def _notes(scenario: Scenario, flows: Flows, name: str) -> Iterator[str]:
    fleet, demand = scenario.fleets[name], flows.demands[name]
    if fleet.hosts is not None:
        yield f"of what the hosts {fleet.hosts} give it"
    if demand.devices:
        yield f"without what {', '.join(demand.devices)} steps take"
    if demand.called:
        yield f"as if nobody ever waited at {', '.join(demand.called)}"
    if account_limits(scenario, name):
        yield "if its account lets it have them all"
    if fleet.scaling:
        needed = flows.means[name] * demand.compute / fleet.instance_type.vcpus
        yield f"with the instances at the start; all the work would keep {needed:.3g} busy"


def queue_loads(scenario: Scenario, flows: Flows) -> Iterator[QueueLoad]:
    """A load for each queue."""
    for name, queue in scenario.queues.items():
        consumers = [fleet for fleet, _ in flows.shares[name]]
        pipes = [it for it, pipe in scenario.pipes.items() if pipe.source == name]
        sent = flows.means[name]
        takers = {*consumers, *pipes}
        received = sent * sum(often for to, often, _ in flows.ways[name] if to in takers)
        notes = []
        if queue.type == "fifo":
            notes.append("the messages of a group are worked one at a time, which may be less")
        if queue.duplicates:
            sent_twice = f"{100 * queue.duplicates:.3g} % of its messages come twice besides"
            notes.append(sent_twice)
        held = any(flows.demands[it].called or flows.demands[it].devices for it in consumers)
        if held:
            notes.append("its consumers may take less, for they wait for calls or devices")
        capacity = sum(_capacity(scenario, flows, it) for it in consumers) if consumers else None
        if pipes:
            capacity = math.inf
            notes.append("a pipe takes as many as its target does")
        yield QueueLoad(name, sent, received, name in flows.at_most, capacity, tuple(notes))


def _capacity(scenario: Scenario, flows: Flows, name: str) -> float:
    """Messages a second that a fleet can work at most, by its workers and by its vCPUs."""
    fleet, demand = scenario.fleets[name], flows.demands[name]
    vcpus = fleet.instance_type.vcpus
    workers = scenario.services[fleet.service].concurrency or vcpus
    hold, compute = flows.alone[name], demand.compute
    by_workers = workers / hold if hold > 0.0 else float("inf")
    by_vcpus = vcpus / compute if compute > 0.0 else float("inf")
    return fleet.first * min(by_workers, by_vcpus)
