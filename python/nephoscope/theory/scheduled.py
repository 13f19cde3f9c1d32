"""What comes to targets by the schedules of rules, without a put."""

from collections.abc import Iterator

from nephoscope.errors import PatternError
from nephoscope.scenario import Scenario
from nephoscope.scenario.language.bus import Rule


def scheduled(scenario: Scenario) -> Iterator[tuple[str, str, float, int]]:
    """Bus, target, events a second on average over the run, and how often each is tried again."""
    seconds = int(scenario.duration) / 1e9
    for name, bus in scenario.buses.items():
        for rule in bus.rules.values():
            try:
                instants = _instants(scenario, rule)
            except PatternError:
                continue  # more instants than a run may have: it will be refused
            for target in rule.targets if instants else ():
                yield name, target.to, instants / seconds, target.retry.attempts


def _instants(scenario: Scenario, rule: Rule) -> int:
    """How many of a rule fall into the run, each of its versions from when it is asked for on."""
    run = int(scenario.duration)
    begins = [0, *(int(change.at) for change in rule.changes)]
    found = 0
    for version, since, until in zip(rule.versions, begins, [*begins[1:], run], strict=True):
        if version.schedule is None or not version.enabled or since >= run:
            continue
        times = version.schedule.instants(scenario.start, run, since)
        found += int((times < until).sum())
    return found
