"""What operators do to queues, as the core takes it."""

from collections.abc import Mapping

from nephoscope import _core
from nephoscope.scenario.queue import Redrive
from nephoscope.scenario.queue_specs import UNGROUPED
from nephoscope.scenario.scenario import Scenario

# In place of the queue that a redrive goes to: where each message came from.
HOME = UNGROUPED - 1


def queue_actions(
    scenario: Scenario, queues: Mapping[str, int]
) -> list[_core.queues.QueueActionSpec]:
    """As the core takes them."""
    specs = []
    for action in scenario.actions:
        what = action.redrive or action.purge
        if what is None:
            continue
        spec = _core.queues.QueueActionSpec()
        spec.at_ns = int(action.at)
        spec.queue = queues[what.queue]
        spec.to = UNGROUPED
        if action.purge is not None:
            spec.lasts_ns = int(action.purge.lasts)
        if action.redrive is not None:
            targets = redrive_targets(scenario, action.redrive)
            spec.to = queues[targets[0]] if len(targets) == 1 else HOME
            spec.per_second = int(float(action.redrive.rate))
        specs.append(spec)
    return specs


def redrive_targets(scenario: Scenario, redrive: Redrive) -> list[str]:
    """Where its messages go: to one queue, or each to that of several whose dead letter it is."""
    if redrive.to is not None:
        return [redrive.to]
    return [
        source
        for source, queue in scenario.queues.items()
        if queue.dead_letter is not None and queue.dead_letter.queue == redrive.queue
    ]
