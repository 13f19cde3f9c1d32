"""What comes to targets by the schedules of rules, without a put."""

from collections.abc import Iterator

from nephoscope.errors import PatternError
from nephoscope.scenario import Scenario


def scheduled(scenario: Scenario) -> Iterator[tuple[str, str, float, int]]:
    """Bus, target, events a second on average over the run, and how often each is tried again."""
    seconds = int(scenario.duration) / 1e9
    for name, bus in scenario.buses.items():
        for rule in bus.rules.values():
            if rule.schedule is None:
                continue
            try:
                instants = rule.schedule.instants(scenario.start, int(scenario.duration))
            except PatternError:
                continue  # more instants than a run may have: it will be refused
            for target in rule.targets:
                yield name, target.to, len(instants) / seconds, target.retry.attempts
