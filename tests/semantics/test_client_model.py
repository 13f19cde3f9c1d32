"""Random clients on random loads: the engine against the same rules written plainly."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest

from semantics.client_model import NEVER, Clients, Rules
from semantics.lab import Lab, Tree, fleet, outcome, scenario, work

MS = 10**6


def odd(rng: random.Random, low: int, high: int) -> int:
    """A time of about so many ms, to the nanosecond, so that no two instants are equal."""
    return rng.randrange(low * MS, high * MS) | 1


def rules(rng: random.Random) -> Rules:
    """Each feature in about half of the cases."""

    def now_and_then(value: Any, otherwise: Any = 0) -> Any:
        return value if rng.random() < 0.5 else otherwise

    return Rules(
        servers=rng.choice([1, 2, 3]),
        backlog=rng.choice([0, 1, 3, 10]),
        timeout=now_and_then(odd(rng, 50, 400)),
        abandons=rng.random() < 0.4,
        attempts=rng.choice([1, 2, 3, 6]),
        base=odd(rng, 5, 300),
        cap=now_and_then(odd(rng, 300, 800), NEVER),
        share=now_and_then(rng.choice([0, 100, 250, 1000]), None),
        reserve=rng.choice([1, 2, 10]),
        deadline=now_and_then(odd(rng, 100, 900)),
        hedge=now_and_then(odd(rng, 30, 200)),
        failures=now_and_then(rng.choice([1, 2, 5])),
        open=odd(rng, 50, 500),
        probes=rng.choice([1, 2, 3]),
    )


def written(rule: Rules, lab: Lab, arrivals: list[int], works: list[int]) -> Tree:
    """The same in the words of the scenario language."""
    exponential = {"base": f"{rule.base}ns"}
    if rule.cap != NEVER:
        exponential["cap"] = f"{rule.cap}ns"
    retry: Tree = {"attempts": rule.attempts, "backoff": {"exponential": exponential}}
    if rule.share is not None:
        retry["budget"] = {"share": rule.share / 1000, "reserve": rule.reserve}
    keys: Tree = {"retry": retry}
    if rule.timeout:
        keys["timeout"] = f"{rule.timeout}ns"
        keys["on_timeout"] = "abandon" if rule.abandons else "finish"
    if rule.deadline:
        keys["deadline"] = f"{rule.deadline}ns"
    if rule.hedge:
        keys["hedge"] = f"{rule.hedge}ns"
    if rule.failures:
        breaker = {"failures": rule.failures, "open": f"{rule.open}ns", "probes": rule.probes}
        keys["circuit_breaker"] = breaker
    instants = [f"{t // 10**9}.{t % 10**9:09}" for t in arrivals]
    sizes = [f"{t // 10**9}.{t % 10**9:09}" for t in works]
    trace = {"file": str(lab.column(instants)), "column": "value"}
    size = {"replay": {"file": str(lab.column(sizes)), "column": "value"}}
    return scenario(
        {"to": "door", "arrivals": {"trace": trace}, **keys},
        work({"compute": size}, backlog=rule.backlog),
        fleets={"web": fleet(count=rule.servers)},
        balancers={"door": {"targets": ["web"], "routing": "round_robin"}},
        duration="1000s",
    )


def drawn(seed: int) -> tuple[Rules, list[int], list[int]]:
    """Rules, arrivals and works."""
    rng = random.Random(seed)
    rule = rules(rng)
    if not rule.timeout:  # then nobody can abandon
        rule = dataclasses.replace(rule, abandons=False)
    gap = rng.choice([20, 50, 100, 200])
    arrivals = sorted(odd(rng, 0, 300 * gap) for _ in range(300))
    return rule, arrivals, [odd(rng, 1, rng.choice([50, 200, 400])) for _ in arrivals]


@pytest.mark.parametrize("seed", range(120))
def test_the_engine_does_what_the_rules_say(lab, seed):
    rule, arrivals, works = drawn(seed)
    model = Clients(rule, arrivals, works)
    result = outcome(written(rule, lab, arrivals, works))
    source, door = result["traffic.customers"], result["load_balancers.door"]
    counts = model.counts
    for key in ("offered", "completed", "rejected", "failed", "timed_out", "retries", "hedges"):
        assert source[key] == counts[key], key
    assert source["out_of_budget"] == counts["out_of_budget"]
    if rule.failures:
        expected = {"opened": counts["opened"], "held_back": counts["held_back"]}
        assert source["circuit_breaker"] == expected
    assert door["requests"] == counts["attempts"]
    for key in ("completed", "rejected", "timed_out"):
        assert door[key] == counts[f"attempts {key}"], key
    assert result["fleets.web.wasted"] == counts["wasted"]
    assert result.histogram("traffic.customers").sum == sum(model.latencies)
    targets = result["load_balancers.door.targets"]
    busy = sum(target["utilization"] for target in targets.values()) * 1000
    assert busy == pytest.approx(counts["busy"] / 1e9, rel=1e-12)


def test_the_rules_are_used():
    """Nothing is proved by clients to whom nothing happens."""
    keys = ("retries", "hedges", "out_of_budget", "held_back", "opened", "wasted", "timed_out")
    counts = [Clients(*drawn(seed)).counts for seed in range(120)]
    seen = {key: sum(count[key] > 0 for count in counts) for key in keys}
    assert all(count > 20 for count in seen.values()), seen
