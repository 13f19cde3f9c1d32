"""Queues and their consumers, as the core takes them."""

from nephoscope import _core
from nephoscope.scenario.language.queue import Consumes, NamedQueue, QueueRules

# Calls a second that a FIFO queue takes of one action, and of one action and message group; with
# high throughput, in us-east-1.
FIFO_CALLS, FIFO_HIGH_CALLS = 300, 70_000

# In place of the group of messages that have none.
UNGROUPED = 2**32 - 1


class Groups:
    """Message groups by their names, numbered as they are met."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, name: str | None) -> int:
        """Of a group, or that there is none."""
        return UNGROUPED if name is None else self._numbers.setdefault(name, len(self._numbers))


def queue_rules(queue: QueueRules, high_calls: int = FIFO_HIGH_CALLS) -> _core.queues.QueueSpec:
    """A queue but for its dead letters; `high_calls` is what high throughput is in its region."""
    spec = _core.queues.QueueSpec()
    spec.fifo = queue.type == "fifo"
    spec.message_bytes = int(queue.message_size)
    spec.in_flight_max = queue.in_flight
    if spec.fifo and queue.throughput != "unlimited":
        high = queue.throughput == "high"
        spec.calls_per_second = high_calls if high else FIFO_CALLS
        spec.group_calls_per_second = FIFO_CALLS if high else 0
    if queue.deduplication is not None:
        spec.content_deduplication = int(queue.deduplication.by == "content")
        spec.group_deduplication = int(queue.deduplication.scope == "group")
    spec.visibility_ns = int(queue.visibility_timeout)
    spec.delay_ns = int(queue.delay)
    spec.retention_ns = int(queue.retention)
    spec.duplicates = queue.duplicates
    spec.sampled = queue.short_poll
    spec.disorder = queue.disorder
    return spec


def consume_spec(consumes: Consumes, number: int, queue: NamedQueue) -> _core.queues.ConsumeSpec:
    """How the workers of a service come by their work."""
    spec = _core.queues.ConsumeSpec()
    spec.queue = number
    spec.batch = consumes.batch
    spec.wait_ns = int(queue.wait if consumes.wait is None else consumes.wait)
    spec.heartbeat_ns = int(consumes.heartbeat or 0)
    spec.abandons = consumes.on_timeout == "abandon"
    return spec
