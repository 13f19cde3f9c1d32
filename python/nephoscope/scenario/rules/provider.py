"""Quotas by number: a scenario with more than its account may have is refused."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from nephoscope import catalog
from nephoscope.errors import EventError, Problem
from nephoscope.patterns import write_value
from nephoscope.patterns.json_value import read_value
from nephoscope.scenario.files.document import Document, Where
from nephoscope.scenario.files.plain_values import mapping, sequence
from nephoscope.scenario.rules.references import entries, target_fleet, written_targets

# Where it is, and how many there are.
Count = tuple[Where, int]

_DEFAULT_REGION = catalog.REGIONS[0]
_SCHEDULED = "scheduled"


def quotas_of(tree: Any) -> dict[str, int]:
    """The quotas that count, by name; none where they are not enforced."""
    provider = mapping(mapping(tree).get("provider"))
    region = provider.get("region", _DEFAULT_REGION)
    if provider.get("quotas") != "enforced" or region not in catalog.REGIONS:
        return {}
    return catalog.quotas(region)


def provider_problems(document: Document) -> Iterator[Problem]:
    """Everything of which there is too much."""
    quotas = quotas_of(document.tree)
    region = mapping(document.tree.get("provider")).get("region", _DEFAULT_REGION)
    for name, counted in _COUNTED.items() if quotas else ():
        for where, count in counted(document.tree):
            if count > quotas[name]:
                message = f"{count:,} {name.replace('_', ' ')} are more than the quota"
                allowed = f"at most {quotas[name]:,} in {region}, or quotas: none"
                yield document.problem(where, message, allowed=allowed, at_key=True)


def _in_section(section: str) -> Callable[[Any], Iterator[Count]]:
    def counted(tree: Any) -> Iterator[Count]:
        yield (section,), len(mapping(mapping(tree).get(section)))

    return counted


def _rules_of_buses(tree: Any) -> Iterator[Count]:
    for where, bus in entries(tree, "buses"):
        yield (*where, "rules"), len(mapping(bus.get("rules")))


def _letters_of_patterns(tree: Any) -> Iterator[Count]:
    for where, bus in entries(tree, "buses"):
        yield (*where, "archive", "pattern"), _letters(mapping(bus.get("archive")).get("pattern"))
        for name, rule in mapping(bus.get("rules")).items():
            yield (*where, "rules", name, "pattern"), _letters(mapping(rule).get("pattern"))


def _letters(pattern: Any) -> int:
    """Of a pattern as JSON, without blanks where it is not written as a text."""
    if pattern is None or isinstance(pattern, str):
        return len(pattern or "")
    try:
        return len(write_value(read_value(pattern, "it", EventError)))
    except EventError:
        return 0


def _filter_policies(tree: Any) -> Iterator[Count]:
    """At the subscriptions with which there are more than before, all topics together."""
    total = 0
    for where, topic in entries(tree, "topics"):
        each = sequence(topic.get("subscriptions"))
        filtered = sum(mapping(it).get("filter") is not None for it in each)
        total += filtered
        if filtered:
            yield (*where, "subscriptions"), total


def _subscriptions_of_topics(tree: Any) -> Iterator[Count]:
    """Of standard topics: a FIFO topic never has so many."""
    for where, topic in entries(tree, "topics"):
        if topic.get("type", "standard") == "standard":
            yield (*where, "subscriptions"), len(sequence(topic.get("subscriptions")))


def _schedules(tree: Any) -> Iterator[Count]:
    """Rules that have one at any time, at the buses with which there are more than before."""
    total = 0
    for where, bus in entries(tree, "buses"):
        before = total
        for rule in mapping(bus.get("rules")).values():
            versions = (rule, *sequence(mapping(rule).get("changes")))
            total += any(mapping(it).get("schedule") is not None for it in versions)
        if total > before:
            yield (*where, "rules"), total


def _balancers(kind: str) -> Callable[[Any], Iterator[Count]]:
    def counted(tree: Any) -> Iterator[Count]:
        parts = [part for _, part in entries(tree, "load_balancers")]
        wholes = [part for part in parts if part.get("listener_of") is None]
        types = [part.get("type", "application") for part in wholes]
        yield ("load_balancers",), types.count(kind)

    return counted


def _of_balancers(
    counted: Callable[[Any, dict[str, Any]], int], *types: str, key: Where = ()
) -> Callable[[Any], Iterator[Count]]:
    """Of each balancer and its listeners, at the one with which there are more than before."""

    def together(tree: Any) -> Iterator[Count]:
        totals: Counter[str] = Counter()
        for where, balancer in entries(tree, "load_balancers"):
            count = counted(tree, balancer)
            if balancer.get("type", "application") in types and count:
                whole = str(balancer.get("listener_of") or where[1])
                totals[whole] += count
                yield (*where, *key), totals[whole]

    return together


def _listeners(_tree: Any, _balancer: dict[str, Any]) -> int:
    """A balancer is the first of its own."""
    return 1


def _groups(_tree: Any, balancer: dict[str, Any]) -> int:
    """Targets that are in none are one."""
    return len(mapping(balancer.get("groups"))) or 1


def _targets(tree: Any, balancer: dict[str, Any]) -> int:
    """Instances of the fleets behind it, as many as there may be."""
    fleets = mapping(mapping(tree).get("fleets"))
    behind = [target_fleet(target) for _, target in written_targets(balancer)]
    return sum(_most(mapping(fleets[name]).get("count", 1)) for name in behind if name in fleets)


def _rules(_tree: Any, balancer: dict[str, Any]) -> int:
    rules = balancer.get("rules")
    return rules if isinstance(rules, int) else 0


def _most(count: Any) -> int:
    most = count.get("max", count.get("desired")) if isinstance(count, dict) else count
    return most if isinstance(most, int) else 0


def _policies(*, scheduled: bool) -> Callable[[Any], Iterator[Count]]:
    def counted(tree: Any) -> Iterator[Count]:
        for where, fleet in entries(tree, "fleets"):
            policies = map(mapping, sequence(fleet.get("scaling")))
            yield (
                (*where, "scaling"),
                sum((_SCHEDULED in policy) == scheduled for policy in policies),
            )

    return counted


def _steps_of_policies(tree: Any) -> Iterator[Count]:
    for where, fleet in entries(tree, "fleets"):
        for i, policy in enumerate(map(mapping, sequence(fleet.get("scaling")))):
            steps = sequence(mapping(policy.get("step")).get("steps"))
            yield (*where, "scaling", i, "step", "steps"), len(steps)


def _target_groups(tree: Any) -> Iterator[Count]:
    """Of each fleet, among the targets of all balancers."""
    times: Counter[str] = Counter()
    for _, balancer in entries(tree, "load_balancers"):
        times.update(target_fleet(target) or "" for _, target in written_targets(balancer))
    for where, _ in entries(tree, "fleets"):
        yield where, times[str(where[1])]


def _placement_groups(tree: Any) -> Iterator[Count]:
    """At the fleets with which there are more than before."""
    named: set[str] = set()
    for where, fleet in entries(tree, "fleets"):
        group = mapping(fleet.get("placement")).get("group")
        if isinstance(group, str) and group not in named:
            named.add(group)
            yield (*where, "placement", "group"), len(named)


_COUNTED: dict[str, Callable[[Any], Iterator[Count]]] = {
    "buses": _in_section("buses"),
    "pipes": _in_section("pipes"),
    "rules_of_a_bus": _rules_of_buses,
    "letters_of_a_pattern": _letters_of_patterns,
    "topics": _in_section("topics"),
    "filter_policies": _filter_policies,
    "subscriptions_of_a_topic": _subscriptions_of_topics,
    "schedules": _schedules,
    "application_balancers": _balancers("application"),
    "classic_balancers": _balancers("classic"),
    "listeners_of_a_balancer": _of_balancers(_listeners, "application"),
    "target_groups_of_a_balancer": _of_balancers(_groups, "application"),
    "targets_of_a_balancer": _of_balancers(_targets, "application", "classic"),
    "rules_of_a_balancer": _of_balancers(_rules, "application", key=("rules",)),
    "scaling_groups": _in_section("fleets"),
    "policies_of_a_group": _policies(scheduled=False),
    "scheduled_actions_of_a_group": _policies(scheduled=True),
    "steps_of_a_policy": _steps_of_policies,
    "target_groups_of_a_group": _target_groups,
    "placement_groups": _placement_groups,
}
