"""The consumers of a queue as the servers of one line."""

import math
from collections.abc import Iterator
from dataclasses import replace

from nephoscope.scenario import Scenario
from nephoscope.theory.answer import NEGLIGIBLE, Answer, Figure
from nephoscope.theory.figures import latencies, run_notes
from nephoscope.theory.flows import Flows
from nephoscope.theory.moments import NS
from nephoscope.theory.stations import Station, fit_of


def queue_answer(
    scenario: Scenario,
    flows: Flows,
    name: str,
    station: Station | str,
    reasons: list[str],
    known: frozenset[str],
) -> Answer:
    """The model of a fleet that consumes a queue, or every reason against one.

    `known` are the fleets whose messages are known to be a Poisson process.
    """
    part = f"fleets.{name}"
    fleet = scenario.fleets[name]
    consumes = scenario.services[fleet.service].consumes
    assert consumes is not None
    reasons = [*reasons, *_queue_reasons(scenario, flows, name, known)]
    if isinstance(station, str) or reasons:
        return Answer(part, reasons=tuple(reasons))
    if station.shared or not station.in_order:
        return Answer(part, reasons=("its workers share their vCPUs",))
    # Messages are taken by whoever is free: one line, and all workers of all instances.
    joined = replace(station, servers=station.servers * fleet.first)
    fit = fit_of(joined, flows.means[consumes.queue])
    if isinstance(fit, str):
        return Answer(part, reasons=(fit,))
    hidden = scenario.queues[consumes.queue].visibility_timeout
    # The work alone, at worst: what waits in the queue is not hidden.
    if (share := _beyond(station, float(hidden) / NS)) > NEGLIGIBLE:
        words = f"work may outlast the visibility timeout of {hidden} (at most {100 * share:.2g} %)"
        return Answer(part, reasons=(words,))
    kept = scenario.queues[consumes.queue].retention
    if fit.beyond(float(kept) / NS) > NEGLIGIBLE:
        return Answer(part, reasons=(f"messages may grow older than {kept}, and expire",))
    busy = flows.means[name] * flows.demands[name].compute
    busy /= fleet.first * fleet.instance_type.vcpus
    figures = (
        *latencies(f"queues.{consumes.queue}.age_s", fit, f"age in {consumes.queue}"),
        Figure("busy", f"{part}.utilization", busy, busy, unit="share"),
    )
    notes = (*fit.notes, *run_notes(scenario, fit, 1))
    return Answer(part, fit.model, fit.source, figures, (), notes, poisson_out=fit.reversible)


def _queue_reasons(
    scenario: Scenario, flows: Flows, name: str, known: frozenset[str]
) -> Iterator[str]:
    consumes = scenario.services[scenario.fleets[name].service].consumes
    assert consumes is not None
    queue = consumes.queue
    rules = scenario.queues[queue]
    for path, _ in flows.feeders[queue]:
        section, _, who = path.partition(".")
        outside = section == "traffic" and scenario.traffic[who].arrivals.poisson is not None
        if not outside and who not in known:
            yield f"its messages come from {who}, and not as a Poisson process from outside"
    if len(flows.shares[queue]) > 1:
        yield f"several fleets consume {queue}"
    if any(pipe.source == queue for pipe in scenario.pipes.values()):
        yield f"a pipe receives from {queue} beside it"
    if rules.type == "fifo":
        yield "in a FIFO queue the messages of a group are worked one at a time"
    workers = scenario.fleets[name].first * (
        scenario.services[scenario.fleets[name].service].concurrency
        or scenario.fleets[name].instance_type.vcpus
    )
    if workers > rules.in_flight:
        yield f"its workers are more than the {rules.in_flight:,} messages that may be in flight"
    if rules.duplicates:
        yield "its queue delivers duplicates"
    if rules.disorder:
        yield "its queue does not keep the order"
    if any(it.change is not None and it.change.queue == queue for it in scenario.actions):
        yield "attributes of its queue change"
    if rules.delay:
        yield "its queue delays messages"
    if flows.demands[name].success < 1.0:
        yield "messages that fail come again after their visibility timeout"
    if consumes.batch > 1:
        yield "its workers take several messages at once"
    if not (rules.wait if consumes.wait is None else consumes.wait):
        yield "its workers poll without waiting, and look again only after a while"


def _beyond(station: Station, limit: float) -> float:
    """At most this share of the work takes longer."""
    law = station.service
    if law.exponential:
        return math.exp(-limit / law.m1)
    if law.m2 <= law.m1**2 * (1.0 + 1e-12):
        return float(law.m1 >= limit)
    if limit <= law.m1:
        return 1.0
    variance = law.m2 - law.m1**2
    return min(variance / (variance + (limit - law.m1) ** 2), law.m1 / limit)
