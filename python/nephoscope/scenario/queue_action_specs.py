"""What operators do to queues, as the core takes it."""

from collections.abc import Mapping

from nephoscope import _core
from nephoscope.scenario.queue_specs import UNGROUPED
from nephoscope.scenario.scenario import Scenario


def queue_actions(
    scenario: Scenario, queues: Mapping[str, int]
) -> list[_core.queues.QueueActionSpec]:
    """As the core takes them."""
    specs = []
    for action in scenario.actions:
        name = action.purge if action.redrive is None else action.redrive.queue
        if name is None:
            continue
        spec = _core.queues.QueueActionSpec()
        spec.at_ns = int(action.at)
        spec.queue = queues[name]
        spec.to = UNGROUPED
        if action.redrive is not None:
            spec.to = queues[action.redrive.to or redrive_target(scenario, name)]
            spec.per_second = int(float(action.redrive.rate))
        specs.append(spec)
    return specs


def redrive_target(scenario: Scenario, name: str) -> str:
    """The one queue whose dead letters this one has."""
    return next(
        source
        for source, queue in scenario.queues.items()
        if queue.dead_letter is not None and queue.dead_letter.queue == name
    )
