"""Families of systems with more to them: impatience, networks, changing rates, infinite servers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from theory import chains, formulas, laws, reads
from theory.engine import Run
from theory.families import relaxation
from theory.models import Model


def impatient(
    servers: int, load: float, patience: Sequence[float], weights: Sequence[float], **keys: float
) -> Model:
    """M/M/c whose requests wait at most a constant: a source for each constant."""
    abandon, wait = formulas.constant_patience(servers, load, patience, weights)
    total = sum(weights)
    served = laws.service(laws.law("exp"), concurrency=servers)
    scenario = laws.station(load, served, vcpus=servers)
    scenario["traffic"] = {
        f"source{i}": {
            "to": "web",
            "rate": f"{load * weight / total!r}/s",
            "timeout": f"{limit:.9f}s",
            "on_timeout": "abandon",
        }
        for i, (limit, weight) in enumerate(zip(patience, weights, strict=True))
    }

    return Model(
        f"M/M/{servers}+{len(patience)} patience {max(patience):.3g} load={load:g}",
        scenario,
        load,
        reads.timeouts,
        {"P_timeout": abandon, "P_busy": wait},
        warmup=100.0,
        drain=200.0 + 3 * max(patience),
        sample=reads.numbers(servers),
        samples=1000,
        **keys,
    )


def exponential_patience(
    servers: int, load: float, theta: float, steps: int, **keys: float
) -> Model:
    """Erlang A in steps: patience takes the middle value of each of many equally likely classes.

    The step law has an exact answer of its own; a test shows how near it is to Erlang A.
    """
    levels = (np.arange(steps) + 0.5) / steps
    return impatient(servers, load, list(-np.log1p(-levels) / theta), [1.0] * steps, **keys)


def bucket(rate: float, depth: int, **keys: float) -> Model:
    """A token bucket: a request finds a token when the work of those before is at most depth - 1.

    That is one server with constant work whose requests wait at most depth - 1, or not at all.
    """
    served = laws.service(laws.law("det"), concurrency=1, backlog=0 if depth == 1 else None)
    if depth > 1:
        del served["backlog"]
    traffic = {} if depth == 1 else {"timeout": f"{depth - 1}s", "on_timeout": "abandon"}

    def read(run: Run) -> reads.Figures:
        counts = run.traffic("customers")
        return {"P_reject": (counts["rejected"] + counts["timed_out"]) / counts["offered"]}

    return Model(
        f"token bucket depth={depth} rate={rate:g}",
        laws.station(rate, served, **traffic),
        rate,
        read,
        {"P_reject": formulas.token_bucket_reject(rate, depth)},
        drain=200.0,
        **keys,
    )


# --- networks ---------------------------------------------------------------------------------


def front(*calls: str) -> dict:
    """A service that takes everyone in at once and calls one station after the other."""
    return {"concurrency": 1_000_000, "steps": [{"call": name} for name in calls]}


def stations(means: Sequence[float]) -> tuple[dict, dict]:
    fleets = {f"station{i}": laws.fleet(service=f"work{i}") for i in range(len(means))}
    services = {f"work{i}": laws.service(laws.law("exp", mean=m)) for i, m in enumerate(means)}
    return fleets, services


def tandem(rate: float, mus: Sequence[float], **keys: float) -> Model:
    fleets, services = stations([1 / mu for mu in mus])
    scenario = {
        "fleets": fleets | {"web": laws.fleet(service="front")},
        "services": services | {"front": front(*fleets)},
        "traffic": {"customers": {"to": "web", "rate": f"{rate!r}/s"}},
    }
    slowest = max(rate / mu for mu in mus)
    theory = {"ET": sum(1 / (mu - rate) for mu in mus)}
    points = {p: formulas.tandem_quantile(rate, mus, p) for p in (0.5, 0.9, 0.99)}
    return Model(
        f"tandem mu={list(mus)} rate={rate:g}",
        scenario,
        rate,
        reads.sojourns(points),
        theory | reads.beyond("T", points),
        points,
        warmup=2 * relaxation(slowest),
        drain=4 * relaxation(slowest),
        **keys,
    )


def feedback(rate: float, again: float, **keys: float) -> Model:
    """A Jackson network: after each visit a request comes back with probability `again`."""
    repeat = {"weight": again, "steps": [{"call": "web"}]}
    done = {"weight": 1 - again, "steps": [{"sleep": "0s"}]}
    scenario = {
        "fleets": {"web": laws.fleet(service="front"), "station0": laws.fleet(service="work0")},
        "services": {
            "front": {
                "concurrency": 1_000_000,
                "steps": [{"call": "station0"}, {"choose": [repeat, done]}],
            },
            "work0": laws.service(laws.law("exp")),
        },
        "traffic": {"customers": {"to": "web", "rate": f"{rate!r}/s"}},
    }
    rho = rate / (1 - again)
    return Model(
        f"feedback again={again:g} rate={rate:g}",
        laws.relayed(scenario),
        rate,
        reads.sojourns(),
        {"ET": rho / (1 - rho) / rate},
        warmup=2 * relaxation(rho) / (1 - again),
        drain=10 * relaxation(rho) / (1 - again),
        relay=True,
        **keys,
    )


def closed(demands: Sequence[float], think: float, users: int, **keys: float) -> Model:
    fleets, services = stations(demands)
    scenario = {
        "fleets": fleets | {"web": laws.fleet(service="front")},
        "services": services | {"front": front(*fleets)},
        "traffic": {
            "customers": {
                "to": "web",
                "arrivals": {
                    "closed": {
                        "users": users,
                        "think": laws.law("exp", mean=think) if think else "0s",
                    }
                },
            }
        },
    }

    def read(run: Run) -> reads.Figures:
        through = run.traffic("customers")["offered"] / run.window()
        return {"X": through, "R": run.latency("customers").mean} | {
            f"Q{i}": run.fleet_latency(f"station{i}").mean * through for i in range(len(demands))
        }

    exact = formulas.mva(demands, think, users)
    theory = {"X": exact.throughput, "R": exact.response}
    theory |= {f"Q{i}": q for i, q in enumerate(exact.queues)}
    return Model(
        f"closed {list(demands)} think={think:g} users={users}",
        scenario,
        exact.throughput,
        read,
        theory,
        warmup=200 * (think + exact.response),
        **keys,
    )


# --- infinite servers and rates that change ---------------------------------------------------


def crowd(load: float, law: str, parameter: float | None = None, **keys: float) -> Model:
    """M/G/inf: an instance with more vCPUs than will ever be in use."""
    vcpus = int(load + 30 * math.sqrt(load) + 30)
    served = laws.service(laws.law(law, parameter), discipline="ps")
    edge = int(1 + formulas.poisson_quantile(load, 0.99))

    def sample(run: Run) -> reads.Figures:
        n = float(run.numbers("web")[0])
        # The share above the p99 and the share at or above it enclose 0.01.
        return {"EN": n, "EN2": n * n, "above": float(n >= edge), "from": float(n >= edge - 1)}

    theory = {"EN": load, "EN2": load + load**2}
    theory["above"] = formulas.poisson_tail(load, edge)
    theory["from"] = formulas.poisson_tail(load, edge - 1)
    return Model(
        f"M/{law}{parameter or ''}/inf load={load:g}",
        laws.station(load, served, vcpus=vcpus),
        load,
        reads.nothing,
        theory,
        warmup=200.0,
        sample=sample,
        samples=5000,
        **keys,
    )


def wave(mean: float, swing: float, period: float, times: Sequence[float], **keys: float) -> Model:
    """M_t/M/inf under a sinusoidal rate, drawn as a polygon of 48 points a period.

    A polygon through n points of a sine has the sine times (sin(pi / n) / (pi / n))^2 for its
    fundamental, which is corrected for; its first harmonics are the 47th and the 49th, which reach
    the queue as two parts in a hundred thousand of the mean.
    """
    cycles, warm, points = 40, 2, 48
    drawn = swing / (math.sin(math.pi / points) / (math.pi / points)) ** 2
    profile = [
        [
            f"{period * k / points:.9f}s",
            f"{mean * (1 + drawn * math.sin(2 * math.pi * k / points)):.9f}/s",
        ]
        for k in range((cycles + warm) * points + 1)
    ]
    scenario = laws.station(1.0, laws.service(laws.law("exp"), discipline="ps"), vcpus=1000)
    scenario["traffic"]["customers"] = {"to": "web", "arrivals": {"profile": profile}}

    def sample(run: Run) -> reads.Figures:
        key = f"m{round(run.now() % period, 6):g}"
        run.seen[key] = run.seen.get(key, 0.0) + float(run.numbers("web")[0]) / cycles
        return {}

    return Model(
        f"M_t/M/inf mean={mean:g} swing={swing:g} period={period:g}",
        scenario,
        mean,
        lambda run: dict(run.seen),
        {f"m{t:g}": formulas.mt_exp_inf_mean(mean, swing, period, t) for t in times},
        warmup=warm * period,
        window=cycles * period,
        sample=sample,
        instants=tuple(period * (warm + k) + t for k in range(cycles) for t in times),
        **keys,
    )


def modulated(rates: Sequence[float], switch: Sequence[float], **keys: float) -> Model:
    """MMPP/M/1."""
    mean = chains.mmpp_mean_rate(rates, switch)
    scenario = laws.station(1.0, laws.service(laws.law("exp")))
    scenario["traffic"]["customers"] = {
        "to": "web",
        "arrivals": {
            "mmpp": {
                "rates": [f"{rate!r}/s" for rate in rates],
                "mean_stay": [f"{1 / s!r}s" for s in switch],
            }
        },
    }
    number = chains.mmpp_m1_number(rates, switch)
    return Model(
        f"MMPP/M/1 rates={list(rates)} switch={list(switch)}",
        scenario,
        mean,
        reads.sojourns(),
        {"ET": number / mean},
        warmup=60 * number / (1 - mean),
        **keys,
    )


def batches(rate: float, size: float, **keys: float) -> Model:
    """M^X/M/1 with geometric batches: every replication replays a trace of its own, drawn here."""
    count = 24_000
    rho = rate * size

    def scenario(number: int, folder: Path) -> laws.Scenario:
        draws = np.random.default_rng([20, number])
        starts = np.cumsum(draws.exponential(1 / rate, int(count / size)))
        sizes = draws.geometric(1 / size, len(starts))
        rows = folder / "batches.csv"
        np.savetxt(rows, np.repeat(starts, sizes), fmt="%.9f", header="time", comments="")
        made = laws.station(1.0, laws.service(laws.law("exp")))
        made["traffic"]["customers"] = {
            "to": "web",
            "arrivals": {"trace": {"file": str(rows), "column": "time"}},
        }
        return made

    number = formulas.batch_mm1_number(rho, size, size * (2 * size - 1))
    return Model(
        f"batches of {size:g} rate={rate:g}",
        scenario,
        rho,
        reads.sojourns(),
        {"ET": number / rho},
        warmup=3000.0,
        window=19_000 / rho,
        **keys,
    )


def from_empty(rho: float, times: Sequence[float], **keys: float) -> Model:
    """M/M/1 in the course of time: a random split over 5,000 instances, all empty at the start."""
    n = 5_000

    def sample(run: Run) -> reads.Figures:
        number = run.numbers("web")
        run.seen[f"EN({run.now():g})"] = float(number.mean())
        run.seen[f"P0({run.now():g})"] = float((number == 0).mean())
        return {}

    theory = {}
    for t, (mean, empty) in zip(times, chains.transient_mm1(rho, times), strict=True):
        theory |= {f"EN({t:g})": mean, f"P0({t:g})": empty}
    return Model(
        f"M/M/1 from empty rho={rho:g}",
        laws.farm(n * rho, laws.service(laws.law("exp")), n, "random"),
        n * rho,
        lambda run: dict(run.seen),
        theory,
        warmup=0.0,
        window=max(times),
        sample=sample,
        instants=tuple(times),
        **keys,
    )


def spread(rho: float, d: int, depth: int, n: int = 10_000, **keys: float) -> Model:
    """Power of d at so many servers that the limit law holds to a few parts in n."""
    theory = {"ET": formulas.power_of_d_sojourn(d, rho)}
    tails = {f"s{i}": formulas.power_of_d_tail(d, rho, i) for i in range(1, depth + 1)}
    # A tail that hardly any server reaches in the whole run cannot be estimated.
    theory |= {name: share for name, share in tails.items() if share > 1e-4}
    settle = 40.0 + 6 / (1 - rho)
    return Model(
        f"power of {d} limit rho={rho:g}",
        laws.farm(n * rho, laws.service(laws.law("exp")), n, {"power_of_two": {"choices": d}}),
        n * rho,
        reads.sojourns(),
        theory,
        warmup=settle,
        drain=3 * settle,
        replications=20,
        sample=reads.tails(depth),
        samples=20,
        **keys,
    )
