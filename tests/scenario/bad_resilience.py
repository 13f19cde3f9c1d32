"""Ways to break what callers do beyond their first attempt."""

from scenario.breaking import DELETE, Case, same

USERS = "traffic.users"
RETRY = f"{USERS}.retry"
BREAKER = f"{USERS}.circuit_breaker"
CALL = "services.page.steps.2.call"
THINK = "traffic.clerks.arrivals.closed.think"
BASE = {"exponential": {"base": "1s"}}

RESILIENCE: list[Case] = [
    *same(f"{RETRY}.attempts", [0, -1, 2.5, "3", True, 10**7]),
    (f"{RETRY}.attempts", DELETE, None, "missing"),
    (f"{RETRY}.attemps", 3, None, "attempts"),
    (f"{RETRY}.retries", 3, None, "no key"),
    *same(RETRY, ["often", [3], 0]),
    *same(f"{RETRY}.jitter", ["Full", "half", 1, None]),
    (f"{RETRY}.jitter", "decorelated", None, "decorrelated"),
    *same(f"{RETRY}.backoff", ["1s", 1, {}, {"linear": "1s"}, "exponential"]),
    (f"{RETRY}.backoff", {"fixed": "1s", **BASE}, None, "one"),
    (f"{RETRY}.backoff", {"fixed": "-1s"}, f"{RETRY}.backoff.fixed", ""),
    (f"{RETRY}.backoff", {"exponential": {"cap": "1s"}}, None, "missing"),
    (f"{RETRY}.backoff.exponential.base", "0s", None, "more than 0"),
    (f"{RETRY}.backoff.exponential.cap", "1ms", f"{RETRY}.backoff.exponential", "at least 50ms"),
    (f"{RETRY}.backoff.exponential.factor", 3, None, "no key"),
    (
        RETRY,
        {"attempts": 2, "backoff": {"fixed": "1s"}, "jitter": "decorrelated"},
        None,
        "needs a base",
    ),
    *same(f"{RETRY}.budget.share", ["110%", -0.1, "ten", "10 %%", None]),
    (f"{RETRY}.budget", {"reserve": 5}, f"{RETRY}.budget.share", "missing"),
    *same(f"{RETRY}.budget.reserve", [0, 0.5, -1, "many", float("nan"), 1e10]),
    *same(f"{RETRY}.budget.rate", ["0/s", 3, "3s"]),
    *same(f"{USERS}.deadline", ["0s", "-1s", 2, "soon", [], None]),
    (f"{USERS}.deadlines", "1s", None, "deadline"),
    (
        USERS,
        {"to": "front", "rate": "40/s", "on_timeout": "abandon"},
        f"{USERS}.on_timeout",
        "beside timeout or deadline",
    ),
    *same(f"{USERS}.hedge", ["0s", 5, [], {"before": "1s"}], ""),
    *same(f"{USERS}.hedge.after", ["0s", "-1s", 1]),
    *same(THINK.replace("think", "give_up"), [0, -1, 1.5, "3", True]),
    *same(BREAKER, ["on", 5, []]),
    (BREAKER, {"open": "1s"}, None, "nothing opens it"),
    (BREAKER, {"failures": 3}, f"{BREAKER}.open", "missing"),
    (BREAKER, {"failures": 3, "window": 5, "open": "1s"}, None, "no effect"),
    (BREAKER, {"failure_rate": 0, "open": "1s"}, None, "always reached"),
    *same(f"{BREAKER}.failures", [0, -1, 1.5, "3"]),
    *same(f"{BREAKER}.failure_rate", ["200%", -1, "half"]),
    *same(f"{BREAKER}.window", [0, 2**21, 1.5]),
    *same(f"{BREAKER}.open", ["0s", 30, "-1s"]),
    *same(f"{BREAKER}.probes", [0, -1, "1"]),
    (f"{BREAKER}.half_open", 3, None, "no key"),
    # The same words on calls.
    *same(f"{CALL}.retry.attempts", [0, "3", 1.5]),
    (
        f"{CALL}.retry",
        {"attempts": 2, "jitter": "none", "budgt": 1},
        f"{CALL}.retry.budgt",
        "budget",
    ),
    (f"{CALL}.deadline", "0s", None, "more than 0"),
    (f"{CALL}.hedge", "0s", None, "more than 0"),
    (f"{CALL}.circuit_breaker", {"open": "1s"}, None, "nothing opens it"),
    (f"{CALL}.abandon", True, None, "no key"),
    # A service that calls itself so rarely that it ends, but not when each call is tried thrice.
    (
        "services.query.steps",
        [
            {
                "choose": [
                    {"weight": 1, "steps": [{"call": {"to": "db", "retry": {"attempts": 3}}}]},
                    {"weight": 1, "steps": [{"compute": "1ms"}]},
                ]
            }
        ],
        None,
        "",
    ),
    (
        "traffic.clerks",
        {
            "to": "db",
            "arrivals": {"closed": {"users": 3, "think": "0s"}},
            "circuit_breaker": {"failures": 3, "open": "1s"},
        },
        THINK,
        "stand still",
    ),
]
