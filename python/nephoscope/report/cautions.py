"""What a scenario is warned of: what is allowed, and can hardly be meant."""

from collections.abc import Iterator

import numpy as np

from nephoscope import _core
from nephoscope.report.terminal import count, share
from nephoscope.scenario import Scenario
from nephoscope.scenario.compile import compile_scenario
from nephoscope.theory import Explanation, Load

# What chooses among instances, so that all of a fleet get something.
_CHOOSERS = ("load_balancers", "queues")
# More instances than these are not placed for the sake of a warning.
_PLACED_MAX = 100_000
# What delivers, and has dead letters.
_PUSHERS = ("topics", "buses")


def cautions(scenario: Scenario, explanation: Explanation) -> Iterator[str]:
    """All warnings, and where models are outside of what they are good for."""
    yield from warnings(scenario, explanation)
    for answer in explanation.answers:
        name = answer.part.partition(".")[2]
        yield from (f"{name}, {answer.model}: {note}" for note in answer.notes)


def warnings(scenario: Scenario, explanation: Explanation) -> Iterator[str]:
    """Parts of which more is asked than they can do, and parts that do not do what they seem to."""
    for load in explanation.loads:
        if load.overloaded and not load.at_most:
            busy = "; ".join((f"by theory {_held(load)}", *load.notes))
            yield f"{load.fleet}: more comes than it can work on ({busy})"
    for queue in explanation.queues:
        if queue.overloaded and not queue.at_most:
            yield f"{queue.queue}: more messages come than its consumers can take"
        if queue.capacity is None and _is_filled(scenario, explanation, queue.queue):
            yield f"{queue.queue}: nobody consumes it"
    yield from _unbalanced(scenario, explanation)
    yield from zone_warnings(scenario)


def _held(load: Load) -> str:
    """What there is too little of: vCPUs, or workers."""
    if load.utilization < 1.0 and load.workers is not None:
        return f"its workers held {share(load.workers)} of the time"
    return f"{share(load.utilization)} busy"


def _is_filled(scenario: Scenario, explanation: Explanation, queue: str) -> bool:
    """Whether messages are sent to a queue; letters of the dead are kept, not worked on."""
    letters = {it.dead_letter for topic in scenario.topics.values() for it in topic.subscriptions}
    letters |= {
        it.dead_letter
        for bus in scenario.buses.values()
        for rule in bus.rules.values()
        for it in rule.targets
    }
    senders = {"traffic", "fleets", "pipes"}
    if queue not in letters:
        senders.update(_PUSHERS)
    feeds = explanation.flows.feeders[queue]
    return any(rate and path.partition(".")[0] in senders for path, rate in feeds)


def _unbalanced(scenario: Scenario, explanation: Explanation) -> Iterator[str]:
    """Fleets of several instances that something is sent to, and nothing chooses among."""
    for name, fleet in scenario.fleets.items():
        straight = [
            path.partition(".")[2]
            for path, rate in explanation.flows.feeders[name]
            if rate and path.partition(".")[0] not in _CHOOSERS
        ]
        if straight and fleet.most > 1:
            yield (
                f"{name}: what comes straight to it, from {', '.join(straight)}, goes to the first "
                f"running one of its {count(fleet.most)} instances: a load balancer spreads it"
            )


def zone_warnings(scenario: Scenario) -> Iterator[str]:
    """Fleets that may be in several zones, and are launched into one."""
    spread = {}
    for name, fleet in scenario.fleets.items():
        if fleet.hosts is not None and fleet.first > 1:
            there = dict.fromkeys(scenario.hosts[fleet.hosts].all_zones)
            open_to = [it for it in there if fleet.zones is None or it in fleet.zones]
            if len(open_to) > 1:
                spread[name] = open_to
    placed_first = sum(it.first for it in scenario.fleets.values())
    if not spread or placed_first > _PLACED_MAX:
        return
    # Placed as a run places them: the engine is asked before it has done anything else.
    spec = compile_scenario(scenario, seed=scenario.seed, warmup_ns=0)
    for numbers in _core.World(spec).results()["places"]:
        name = numbers["name"]
        placed = np.asarray(numbers["host"])[np.asarray(numbers["present"], dtype=bool)]
        if name not in spread or len(placed) < 2:
            continue
        pool = scenario.hosts[str(scenario.fleets[name].hosts)]
        zones = {pool.all_zones[host % len(pool.all_zones)] for host in placed.tolist()}
        if len(zones) == 1:
            yield (
                f"{name}: all {count(len(placed))} instances are in zone {zones.pop()}, though "
                f"{', '.join(spread[name])} are open to it ({pool.place}; `place: spread` of the "
                "hosts and `zone_balance: best_effort` of the fleet take other zones too)"
            )
