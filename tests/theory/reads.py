"""What is read from a run at its end, and sampled in its course; times in seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from theory.engine import Latency, Run

Figures = dict[str, float]
Read = Callable[[Run], Figures]

LEVELS = (0.5, 0.9, 0.95, 0.99, 0.999)


Points = Mapping[float, float]  # quantiles of theory by their level, s


def beyond(letter: str, points: Points) -> Figures:
    """What the share of times above a quantile of theory should be.

    A quantile of the run would be compared less well: its estimate is biased where the law is
    heavy, and has no standard error where the law has an atom. A share has neither trouble.
    """
    return {f"P({letter}>q{level:g})": 1 - level for level in points}


def sojourns(points: Points | None = None, traffic: str = "customers") -> Read:
    """ET, E[T^2] and the shares above the points."""

    def read(run: Run) -> Figures:
        latency = run.latency(traffic)
        figures = {"ET": latency.mean, "ET2": latency.second}
        return figures | shares("T", latency, points or {})

    return read


def waits(points: Points) -> Read:
    """EW, E[W^2], P(W > 0) and the shares above the points, where probes completed."""

    def read(run: Run) -> Figures:
        wait = run.latency("customers")
        figures = {"EW": wait.mean, "EW2": wait.second, "P_wait": 1 - wait.share_of_zero}
        return figures | shares("W", wait, points)

    return read


def shares(letter: str, latency: Latency, points: Points) -> Figures:
    return {f"P({letter}>q{level:g})": latency.share_above(x) for level, x in points.items()}


def losses(run: Run) -> Figures:
    """Loss probability, mean sojourn of the accepted, throughput."""
    counts = run.traffic("customers")
    return {
        "loss": counts["rejected"] / counts["offered"],
        "ET": run.latency("customers").mean,
        "throughput": counts["completed"] / run.window(),
    }


def timeouts(run: Run) -> Figures:
    """Share of requests that timed out, over all sources."""
    offered = sum(run.traffic(name)["offered"] for name in run.sources)
    return {"P_timeout": sum(run.traffic(name)["timed_out"] for name in run.sources) / offered}


def numbers(busy_at: int | None = None) -> Callable[[Run], Figures]:
    """EN, E[N^2], P(N >= busy_at) and those above busy_at, averaged over the instances now."""

    def sample(run: Run) -> Figures:
        n = run.numbers("web")
        size = len(n)
        # Sums of whole numbers: of a few instances a mean takes several times as long.
        figures = {"EN": int(n.sum()) / size, "EN2": int(n @ n) / size}
        if busy_at is not None:
            figures["P_busy"] = np.count_nonzero(n >= busy_at) / size
            figures["EQ"] = int(np.maximum(n - busy_at, 0).sum()) / size
        return figures

    return sample


def tails(depth: int) -> Callable[[Run], Figures]:
    """Share of the instances with at least i requests."""

    def sample(run: Run) -> Figures:
        n = run.numbers("web")
        return {f"s{i}": float((n >= i).mean()) for i in range(1, depth + 1)}

    return sample


def nothing(run: Run) -> Figures:
    return {}


def totals(run: Run) -> Figures:
    """Requests in all instances now, and its square."""
    n = float(np.sum(run.numbers("web")))
    return {"EN": n, "EN2": n * n}
