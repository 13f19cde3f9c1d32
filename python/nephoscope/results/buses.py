"""What a run found in its buses, from the engine's numbers."""

from collections.abc import Mapping
from typing import Any

from nephoscope.results.topics import AT_TIMES
from nephoscope.scenario.specs.dead_letters import ENDS, FAILURES

Tree = dict[str, Any]

# Of the whole run, of each rule: matched x targets + duplicated = delivered + dead_lettered +
# dropped + pending.
DELIVERIES = ("delivered", "retried", "dead_lettered", "dropped", "pending")


def bus_tree(numbers: Mapping[str, Any]) -> Tree:
    """The figures of one bus, and of each of its rules with its targets."""
    put = int(numbers["published"])
    keys = DELIVERIES + tuple(key for key in AT_TIMES if key in numbers)
    rules: Tree = {}
    for number, name in enumerate(numbers.get("rules", ())):
        row = [at for at, rule in enumerate(numbers["rule"]) if rule == number]
        rules[name] = {"matched": put - int(numbers["filtered"][row[0]])}
        if "scheduled" in numbers and numbers["timed"][row[0]]:
            rules[name]["scheduled"] = int(numbers["scheduled"][row[0]])
            rules[name]["matched"] += rules[name]["scheduled"]
        if "archived" in numbers:
            rules[name]["replayed"] = int(numbers["replayed_to"][row[0]])
            rules[name]["matched"] += rules[name]["replayed"]
        rules[name] |= {key: sum(int(numbers[key][at]) for at in row) for key in keys}
        rules[name]["targets"] = {
            str(i): {key: int(numbers[key][at]) for key in keys} | _given_up(numbers, at)
            for i, at in enumerate(row)
        }
    tree: Tree = {"put": put, "matched": sum(rule["matched"] for rule in rules.values())}
    tree |= {key: sum(rule[key] for rule in rules.values()) for key in DELIVERIES}
    if "scheduled" in numbers:
        tree["scheduled"] = sum(rule.get("scheduled", 0) for rule in rules.values())
    if numbers["throttled"]:
        tree["throttled"] = int(numbers["throttled"])
    if "malformed" in numbers:
        tree["malformed"] = int(numbers["malformed"])
    if "archived" in numbers:
        tree |= {key: int(numbers[key]) for key in ("archived", "replayed", "replaying")}
        if numbers["refused_replays"]:
            tree["refused_replays"] = int(numbers["refused_replays"])
    tree |= {key: sum(map(int, numbers[key])) for key in AT_TIMES if key in numbers}
    return tree | {"rules": rules}


def _given_up(numbers: Mapping[str, Any], target: int) -> Tree:
    """Of a target at which anything was given up."""
    counts = list(map(int, numbers["given_up"][target])) if "given_up" in numbers else []
    if not any(counts):
        return {}
    failures, ends = counts[: len(FAILURES)], counts[len(FAILURES) : -1]
    by_failure = dict(zip(FAILURES, failures, strict=True))
    by_end = dict(zip(ENDS, ends, strict=True))
    return {"given_up": {"failures": by_failure, "ends": by_end, "retries": counts[-1]}}
