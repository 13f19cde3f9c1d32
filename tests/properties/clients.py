"""Random ways of going about a request: retries, deadlines, hedges, circuit breakers."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Tree = dict[str, Any]

TIMES = st.sampled_from(["1ms", "20ms", "100ms", "400ms", "2s"])


@st.composite
def backoffs(draw) -> Tree:
    kind = draw(st.sampled_from(["none", "fixed", "law", "exponential", "exponential"]))
    if kind == "none":
        return {}
    jitter = draw(st.sampled_from(["none", "full", "equal"]))
    if kind == "fixed":
        return {"backoff": {"fixed": draw(TIMES)}, "jitter": jitter}
    if kind == "law":
        return {"backoff": {"fixed": {"exponential": draw(TIMES)}}, "jitter": jitter}
    jitter = draw(st.sampled_from([jitter, "decorrelated"]))
    cap = draw(st.sampled_from([{}, {"cap": "3s"}]))
    return {"backoff": {"exponential": {"base": draw(TIMES), **cap}}, "jitter": jitter}


@st.composite
def budgets(draw) -> Tree:
    return draw(
        st.sampled_from(
            [
                {},
                {"budget": "20%"},
                {"budget": {"share": 0.05, "reserve": 1}},
                {"budget": {"share": 0, "reserve": 2, "rate": "1/s"}},
            ]
        )
    )


@st.composite
def breakers(draw) -> Tree:
    rule = draw(
        st.sampled_from(
            [
                {"failures": 2},
                {"failure_rate": "50%", "window": 5},
                {"failures": 3, "failure_rate": 0.9, "window": 4},
            ]
        )
    )
    return rule | {"open": draw(TIMES), "probes": draw(st.sampled_from([1, 2]))}


@st.composite
def resilience(draw) -> Tree:
    """What a caller does beyond sending once: nothing, in one case of two."""
    made: Tree = {}
    if draw(st.booleans()):
        return made
    if draw(st.integers(0, 3)):
        attempts = draw(st.sampled_from([1, 2, 2, 3, 3, 5]))
        made["retry"] = {"attempts": attempts, **draw(backoffs()), **draw(budgets())}
    if draw(st.integers(0, 2)) == 0:
        made["deadline"] = draw(TIMES)
    if draw(st.integers(0, 2)) == 0:
        made["hedge"] = draw(TIMES)
    if draw(st.integers(0, 3)) == 0:
        made["circuit_breaker"] = draw(breakers())
    return made
