"""Queues, what is sent to them and who lives on them, in words."""

from collections.abc import Iterator

from nephoscope.scenario import Scenario
from nephoscope.scenario.queue import IN_FLIGHT, NamedQueue, Send
from nephoscope.scenario.service import Service


def queue_words(scenario: Scenario) -> Iterator[str]:
    """A line for each queue."""
    for name, queue in scenario.queues.items():
        yield f"{name}: {', '.join(_rules(queue))}"


def _rules(queue: NamedQueue) -> Iterator[str]:
    yield f"{queue.type}, hidden for {queue.visibility_timeout}, kept for {queue.retention}"
    if queue.delay:
        yield f"delayed by {queue.delay}"
    if (letters := queue.dead_letter) is not None:
        yield f"to {letters.queue} after {letters.max_receives:,} receives"
    if queue.in_flight != IN_FLIGHT:
        yield f"at most {queue.in_flight:,} in flight"
    if queue.duplicates:
        yield f"duplicates with probability {queue.duplicates:g}"
    if queue.short_poll != 1.0:
        yield f"a short poll sees {queue.short_poll:g} of it"
    if queue.type == "fifo":
        if queue.throughput != "standard":
            yield f"{queue.throughput} throughput"
        if queue.deduplication is not None:
            yield f"deduplication by {queue.deduplication.by} in a {queue.deduplication.scope}"


def send_words(send: Send) -> str:
    """A step that sends."""
    group = "" if send.group is None else f" in the group {send.group}"
    delay = "" if send.delay is None else f", delayed by {send.delay}"
    return f"send to {send.to}{group}{delay}"


def consumes_words(service: Service) -> str:
    """Where a service has its work from, if that is a queue."""
    consumes = service.consumes
    if consumes is None:
        return ""
    batch = f", {consumes.batch} at once" if consumes.batch > 1 else ""
    wait = "" if consumes.wait is None else f", waiting for {consumes.wait}"
    beat = "" if consumes.heartbeat is None else f", a heartbeat every {consumes.heartbeat}"
    ends = ", abandoned when their timeout ends" if consumes.on_timeout == "abandon" else ""
    return f", messages of {consumes.queue}{batch}{wait}{beat}{ends}"
