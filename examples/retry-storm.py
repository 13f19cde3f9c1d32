"""A short rush, and what it leaves behind: by what clients do when they get no answer.

The same customers with the same requests in every line. Fifteen seconds of twice the load begin at
60 s; the columns are answers over requests before the rush, during it, in the minute after it and
in the last of ten minutes, and how many attempts were made for a request in that one.

    python examples/retry-storm.py
"""

from pathlib import Path
from typing import Any

import nephoscope as nph

CUSTOMERS = "traffic.customers"
WAITS = {"exponential": {"base": "100ms", "cap": "2s"}}

CLIENTS: dict[str, dict[str, Any]] = {
    "no second attempt": {"retry": {"attempts": 1}},
    "3 attempts at once": {},
    "3, backoff": {"retry": {"attempts": 3, "backoff": WAITS}},
    "3, backoff and full jitter": {"retry": {"attempts": 3, "backoff": WAITS, "jitter": "full"}},
    "3 at once, budget 10 %": {"retry": {"attempts": 3, "budget": "10%"}},
    "3 at once, circuit breaker": {
        "circuit_breaker": {"failure_rate": "50%", "window": 1000, "open": "2s", "probes": 10}
    },
    "3 at once, deadline 1 s": {"deadline": "1s"},
}

# s
SPANS = {"before": (10, 60), "rush": (60, 75), "after": (75, 135), "at last": (540, 600)}


def share(result: nph.Result, counted: str, of: str, span: tuple[int, int]) -> float:
    """One count over another in a span of the run."""
    _, some = result.series(counted)
    _, all_ = result.series(of)
    return float(some[slice(*span)].sum() / all_[slice(*span)].sum())


def main() -> None:
    """Print a line for each kind of client."""
    scenario = nph.Scenario.load(Path(__file__).parent / "retry-storm.yaml")
    print("clients                     " + "".join(f"{name:>10}" for name in SPANS) + "  attempts")
    for name, settings in CLIENTS.items():
        result = scenario.replace({f"{CUSTOMERS}.{k}": v for k, v in settings.items()}).run()
        offered = f"{CUSTOMERS}.offered"
        shares = [share(result, f"{CUSTOMERS}.completed", offered, at) for at in SPANS.values()]
        attempts = share(result, "load_balancers.front-door.requests", offered, SPANS["at last"])
        print(f"{name:28}" + "".join(f"{100 * s:8.1f} %" for s in shares) + f"{attempts:10.2f}")


if __name__ == "__main__":
    main()
