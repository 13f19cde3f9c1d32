"""Families of systems whose clients try again."""

from __future__ import annotations

from typing import Any

from theory import laws, reads
from theory.engine import Run
from theory.models import Model

Tree = dict[str, Any]


def retries(failure: float, limit: int, **keys: float) -> Model:
    """Attempts fail independently; `limit` retries at most."""
    kept = 1 - failure ** (limit + 1)
    served = {"steps": [{"fail": failure}], "concurrency": 1000}
    rate = 100.0

    def read(run: Run) -> reads.Figures:
        counts = run.traffic("customers")
        return {
            "attempts": 1 + counts["retries"] / counts["offered"],
            "exhausted": counts["failed"] / counts["offered"],
        }

    return Model(
        f"retries p={failure:g} R={limit}",
        laws.station(rate, served, retry={"attempts": limit + 1}),
        rate,
        read,
        {"attempts": kept / (1 - failure), "exhausted": failure ** (limit + 1)},
        warmup=1.0,
        **keys,
    )


def backoff(base: float, cap: float, limit: int, jitter: str, **keys: float) -> Model:
    """Requests that always fail: the waits of `limit` retries, by the number that wait."""
    rate, waits = 100.0, [min(cap, base * 2**k) for k in range(limit)]
    rule = {
        "attempts": limit + 1,
        "backoff": {"exponential": {"base": f"{base}s", "cap": f"{cap}s"}},
        "jitter": jitter,
    }
    served = {"steps": [{"fail": 1.0}], "concurrency": 1000}

    def waiting(run: Run) -> reads.Figures:
        return {"total": run.in_flight("customers") / rate}

    return Model(
        f"backoff {jitter} base={base:g} cap={cap:g} retries={limit}",
        laws.station(rate, served, retry=rule),
        rate,
        lambda _: {},
        {"total": sum(waits) * {"none": 1.0, "full": 0.5, "equal": 0.75}[jitter]},
        warmup=sum(waits) + 1.0,  # the first requests are through: the number is stationary
        sample=waiting,
        samples=1000,
        **keys,
    )


def retrial(load: float, rate: float, **keys: float) -> Model:
    """M/M/1 without a queue, whose refused clients come back at `rate` each (Falin, Templeton).

    Who is in orbit is in flight and not served. Time spent in flight, over the window, is the mean
    number in flight by Little's identity, but for the few who were there at its edges.
    """
    rule = {"attempts": 1_000_000, "backoff": {"fixed": {"exponential": f"{1 / rate!r}s"}}}
    served = laws.service(laws.law("exp"), concurrency=1, backlog=0)

    def orbit(run: Run) -> reads.Figures:
        latency, web = run.latency("customers"), run.fleet("web")
        in_flight = latency.mean * latency.count / run.window()
        return {"orbit": in_flight - web["run_ns"] / web["vcpu_ns"]}

    return Model(
        f"M/M/1 retrial lam={load:g} nu={rate:g}",
        laws.station(load, served, retry=rule),
        load,
        orbit,
        {"orbit": load**2 * (1 + rate) / ((1 - load) * rate)},
        warmup=1000.0,
        **keys,
    )
