"""Random ways of going about a request: retries, deadlines, hedges, circuit breakers.

Each is made of one number, so that it takes little of what there is to draw for a whole system.
"""

from __future__ import annotations

import random
from typing import Any

from properties import strategies as st

Tree = dict[str, Any]

TIMES = ("1ms", "20ms", "100ms", "400ms", "2s")
BUDGETS: tuple[Tree, ...] = (
    {},
    {"budget": "20%"},
    {"budget": {"share": 0.05, "reserve": 1}},
    {"budget": {"share": 0, "reserve": 2, "rate": "1/s"}},
)
BREAKERS: tuple[Tree, ...] = (
    {"failures": 2},
    {"failure_rate": "50%", "window": 5},
    {"failures": 3, "failure_rate": 0.9, "window": 4},
)


def backoff(rng: random.Random) -> Tree:
    kind = rng.choice(["none", "fixed", "law", "exponential", "exponential"])
    if kind == "none":
        return {}
    jitter = rng.choice(["none", "full", "equal"])
    if kind == "fixed":
        return {"backoff": {"fixed": rng.choice(TIMES)}, "jitter": jitter}
    if kind == "law":
        return {"backoff": {"fixed": {"exponential": rng.choice(TIMES)}}, "jitter": jitter}
    cap = rng.choice([{}, {"cap": "3s"}])
    exponential = {"base": rng.choice(TIMES), **cap}
    jitter = rng.choice([jitter, "decorrelated"])
    return {"backoff": {"exponential": exponential}, "jitter": jitter}


def resilience_of(number: int) -> Tree:
    """What a caller does beyond sending once."""
    rng = random.Random(number)
    made: Tree = {}
    if rng.random() < 0.75:
        attempts = rng.choice([1, 2, 2, 3, 3, 5])
        made["retry"] = {"attempts": attempts, **backoff(rng), **rng.choice(BUDGETS)}
    if rng.random() < 0.3:
        made["deadline"] = rng.choice(TIMES)
    if rng.random() < 0.3:
        made["hedge"] = rng.choice(TIMES)
    if rng.random() < 0.25:
        rule = {"open": rng.choice(TIMES), "probes": rng.choice([1, 2])}
        made["circuit_breaker"] = rng.choice(BREAKERS) | rule
    return made


def resilience() -> st.SearchStrategy[Tree]:
    """Nothing, in one case of two."""
    return st.integers(0, 2**16).map(lambda number: resilience_of(number) if number % 2 else {})
