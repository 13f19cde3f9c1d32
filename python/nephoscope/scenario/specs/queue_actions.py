"""What operators do to queues, as the core takes it."""

import itertools
from collections.abc import Iterator, Mapping

from nephoscope import _core
from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.language.propagation import Propagation
from nephoscope.scenario.language.queue import ATTRIBUTES, Redrive
from nephoscope.scenario.scenario import Scenario
from nephoscope.scenario.specs.queue import UNGROUPED

# In place of the queue that a redrive goes to: where each message came from.
HOME = UNGROUPED - 1

# The key of each attribute in the core.
_CORE = {"visibility_timeout": "visibility_ns", "delay": "delay_ns", "retention": "retention_ns"}

AT_ONCE = Distribution.model_validate("0s")


def queue_actions(
    scenario: Scenario, queues: Mapping[str, int], propagation: Propagation
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
    return [*specs, *_changes(scenario, queues, propagation)]


def _changes(
    scenario: Scenario, queues: Mapping[str, int], propagation: Propagation
) -> Iterator[_core.queues.QueueActionSpec]:
    """Of each attribute by itself: a change that a later one of it overtakes never comes."""
    order = sorted(range(len(scenario.actions)), key=lambda i: scenario.actions[i].at)
    changes = {i: it for i in order if (it := scenario.actions[i].change) is not None}
    for queue, attribute in itertools.product(queues, ATTRIBUTES):
        asked = {
            i: (scenario.actions[i].at, it.takes or AT_ONCE)
            for i, it in changes.items()
            if it.queue == queue and attribute in it.attributes
        }
        for i, effect in propagation.effects(asked, f"queues/{queue}/changes"):
            spec = _core.queues.QueueActionSpec()
            spec.at_ns = effect
            spec.queue = queues[queue]
            spec.to = UNGROUPED
            setattr(spec, _CORE[attribute], int(changes[i].attributes[attribute]))
            yield spec


def redrive_targets(scenario: Scenario, redrive: Redrive) -> list[str]:
    """Where its messages go: to one queue, or each to that of several whose dead letter it is."""
    if redrive.to is not None:
        return [redrive.to]
    return [
        source
        for source, queue in scenario.queues.items()
        if queue.dead_letter is not None and queue.dead_letter.queue == redrive.queue
    ]
