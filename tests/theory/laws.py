"""Scenario fragments: service laws, stations, fleets, with 1 s for the unit of time."""

from __future__ import annotations

import math
from typing import Any

Law = str | dict[str, Any]
Scenario = dict[str, Any]

# So slow that nothing comes, and yet a rate.
SILENT_PER_SECOND = 1e-8
SILENT = f"{SILENT_PER_SECOND:.8f}/s"


def law(name: str, parameter: float | None = None, mean: float = 1.0) -> Law:
    """A service law as a scenario writes it; parameters as `formulas.law` has them."""
    if name in ("exp", "exponential"):
        return {"exponential": f"{mean}s"}
    if name in ("det", "constant"):
        return f"{mean}s"
    if name == "uniform":
        return {"uniform": {"min": "0s", "max": f"{2 * mean}s"}}
    assert parameter is not None, name
    if name == "erlang":
        return {"erlang": {"mean": f"{mean}s", "k": int(parameter)}}
    if name in ("h2", "lognormal", "gamma"):
        word = "hyperexponential" if name == "h2" else name
        return {word: {"mean": f"{mean}s", "cv": math.sqrt(parameter)}}
    if name == "weibull":
        return {"weibull": {"mean": f"{mean}s", "shape": parameter}}
    raise ValueError(name)


def service(compute: Law, **keys: Any) -> dict[str, Any]:
    return {"steps": [{"compute": compute}], **keys}


def probed(compute: Law, **keys: Any) -> dict[str, Any]:
    """A service at which half of the requests need no work and so complete after their wait alone.

    The others do the work and then fail, so that the latencies of what completed are waiting
    times. Work arrives as the Poisson process of half the rate: the queue is the one without
    probes, and the probes see it as any Poisson arrival does.
    """
    work = {"weight": 1, "steps": [{"compute": compute}, {"fail": 1.0}]}
    probe = {"weight": 1, "steps": [{"compute": "0s"}]}
    return {"steps": [{"choose": [work, probe]}], **keys}


def fleet(vcpus: int = 1, count: int = 1, service: str = "work") -> dict[str, Any]:
    instance = {"vcpus": vcpus, "memory": "1GiB"}
    return {"instance_type": instance, "count": count, "service": service}


def station(rate: float, served: dict[str, Any], vcpus: int = 1, **traffic: Any) -> dict[str, Any]:
    """One instance with Poisson traffic straight to it."""
    return {
        "fleets": {"web": fleet(vcpus)},
        "services": {"work": served},
        "traffic": {"customers": {"to": "web", "rate": f"{rate!r}/s", **traffic}},
    }


def farm(
    rate: float,
    served: dict[str, Any],
    count: int,
    routing: str | dict[str, Any],
    vcpus: int = 1,
    **traffic: Any,
) -> dict[str, Any]:
    """Equal instances behind a balancer."""
    return {
        "fleets": {"web": fleet(vcpus, count)},
        "services": {"work": served},
        "load_balancers": {"door": {"targets": ["web"], "routing": routing}},
        "traffic": {"customers": {"to": "door", "rate": f"{rate!r}/s", **traffic}},
    }


def relayed(scenario: Scenario) -> Scenario:
    """The same with a second source, silent at first, that can take over from the first."""
    first = scenario["traffic"]["customers"]
    return scenario | {"traffic": {"customers": first, "others": first | {"rate": SILENT}}}
