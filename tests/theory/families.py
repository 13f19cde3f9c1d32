"""Families of systems: each function makes the model of one parameter point with its theory."""

from __future__ import annotations

import math

from theory import chains, formulas, laws, reads
from theory.models import Model

Q = reads.LEVELS

# Seconds within which even the largest request of a run is done under processor sharing; large
# fleets, where sojourns are short, have less.
PATIENCE = 3000.0


def relaxation(rho: float, servers: int = 1) -> float:
    """Seconds after which an M/M/c has forgotten how it started, to about one part in a million."""
    return 30.0 + 8.0 / (servers * (1 - math.sqrt(rho)) ** 2)


def mm1(rho: float, **keys: float) -> Model:
    theory = {"ET": 1 / (1 - rho), "ET2": 2 / (1 - rho) ** 2}
    points = {p: formulas.mm1_sojourn_quantile(rho, p) for p in Q}
    return Model(
        f"M/M/1 rho={rho:g}",
        laws.station(rho, laws.service(laws.law("exp"))),
        rho,
        reads.sojourns(points),
        theory | reads.beyond("T", points),
        points,
        warmup=relaxation(rho),
        drain=relaxation(rho),
        **keys,
    )


def copies(rho: float, law: str = "exp", parameter: float | None = None, **keys: float) -> Model:
    """Independent M/G/1 stations, as a random split makes them: the number in each."""
    n, moments = 100, formulas.law(law, parameter)
    mean = 1 + formulas.mg1_wait(rho, moments)
    theory = {"ET": mean, "EN": rho * mean}
    if law == "exp":
        theory["EN2"] = rho / (1 - rho) ** 2 + (rho / (1 - rho)) ** 2
    return Model(
        f"M/G/1 copies {law} {parameter or ''} rho={rho:g}",
        laws.farm(n * rho, laws.service(laws.law(law, parameter)), n, "random"),
        n * rho,
        reads.sojourns(),
        theory,
        warmup=relaxation(rho) * max(1.0, (1 + moments.scv) / 2),
        drain=2 * relaxation(rho) * max(1.0, (1 + moments.scv) / 2),
        sample=reads.numbers(),
        samples=200,
        **keys,
    )


def waiting(
    rho: float,
    law: str = "exp",
    parameter: float | None = None,
    servers: int = 1,
    **keys: float,
) -> Model:
    """Waiting times of a station by probes that need no work (`laws.probed`)."""
    moments, load = formulas.law(law, parameter), servers * rho
    theory: dict[str, float] = {}
    tail = None
    if servers == 1:
        theory = {
            "EW": formulas.mg1_wait(rho, moments),
            "EW2": formulas.mg1_wait_second(rho, moments),
            "P_wait": rho,
        }
    if law == "exp":
        theory |= {"EW": formulas.erlang_c(servers, load) / (servers - load)}
        theory |= {"P_wait": formulas.erlang_c(servers, load)}
        tail = {p: formulas.mmc_wait_quantile(servers, load, p) for p in Q}
    elif law == "det":
        theory["EW"], theory["P_wait"] = formulas.mdc_wait(servers, load)
        cdf = formulas.mdc_wait_cdf(servers, load)
        tail = {p: formulas.solve_increasing(cdf, p) for p in Q}
    elif law == "h2" and servers == 1:
        over = formulas.hyperexponential_wait_tail(rho, *formulas.h2_phases(parameter or 1))
        tail = {p: formulas.solve_increasing(lambda t: 1 - over(t), p) for p in Q}
    # Levels below P(W = 0) have the quantile 0, of which nothing is to be learned.
    points = {p: x for p, x in (tail or {}).items() if p > 1 - theory["P_wait"] + 1e-3}
    rest = relaxation(rho, servers) * max(1.0, (1 + moments.scv) / 2)
    return Model(
        f"waiting M/{law}{parameter or ''}/{servers} rho={rho:g}",
        laws.station(
            2 * load, laws.probed(laws.law(law, parameter), concurrency=servers), vcpus=servers
        ),
        2 * load,
        reads.waits(points),
        theory | reads.beyond("W", points),
        points,
        warmup=rest,
        drain=rest,
        **keys,
    )


def mmc(servers: int, rho: float, **keys: float) -> Model:
    load = servers * rho
    theory = {"ET": formulas.mmc_sojourn(servers, load)}
    points = {p: formulas.mmc_sojourn_quantile(servers, load, p) for p in Q}
    return Model(
        f"M/M/{servers} rho={rho:g}",
        laws.station(load, laws.service(laws.law("exp"), concurrency=servers), vcpus=servers),
        load,
        reads.sojourns(points),
        theory | reads.beyond("T", points),
        points,
        warmup=relaxation(rho, servers),
        drain=relaxation(rho, servers),
        **keys,
    )


def loss(
    servers: int,
    capacity: int,
    load: float,
    law: str = "exp",
    parameter: float | None = None,
    **keys: float,
) -> Model:
    """M/G/c/K; with any law but the exponential only where nobody waits."""
    assert law == "exp" or capacity == servers
    exact = formulas.mmck(servers, capacity, load)
    theory = {"loss": exact.loss, "ET": exact.sojourn, "throughput": exact.throughput}
    served = laws.service(laws.law(law, parameter), concurrency=servers, backlog=capacity - servers)
    return Model(
        f"M/{law}{parameter or ''}/{servers}/{capacity} load={load:g}",
        laws.station(load, served, vcpus=servers),
        load,
        reads.losses,
        theory,
        warmup=60.0 + 4 * capacity / servers,
        drain=3000.0,
        **keys,
    )


def sharing(
    servers: int, rho: float, law: str = "exp", parameter: float | None = None, **keys: float
) -> Model:
    """M/G/c-PS: whatever the size law, the number in system has the law of M/M/c."""
    load, n = servers * rho, 4
    theory = {
        "ET": formulas.mmc_sojourn(servers, load),
        "EN": load * formulas.mmc_sojourn(servers, load),
        "P_busy": formulas.erlang_c(servers, load),
    }
    if servers == 1 and law == "exp":
        theory["ET2"] = formulas.mm1ps_variance(rho) + 1 / (1 - rho) ** 2
    served = laws.service(laws.law(law, parameter), discipline="ps")
    scv = formulas.law(law, parameter).scv
    return Model(
        f"M/{law}{parameter or ''}/{servers}-PS rho={rho:g}",
        laws.relayed(laws.farm(n * load, served, n, "random", vcpus=servers)),
        n * load,
        reads.sojourns(),
        theory,
        warmup=2 * relaxation(rho, servers) * max(1.0, (1 + scv) / 2),
        drain=PATIENCE,
        relay=True,
        sample=reads.numbers(servers),
        samples=1000,
        **keys,
    )


def sharing_by_size(rho: float, size: float, **keys: float) -> Model:
    """M/G/1-PS: a request of size x stays x / (1 - rho) on average.

    One request in ten has the size in question and completes; the others are exponential, with the
    mean that makes the load, and fail when they are done.
    """
    other = 1.0
    rate = rho / (0.1 * size + 0.9 * other)
    marked = {"weight": 1, "steps": [{"compute": f"{size}s"}]}
    rest = {"weight": 9, "steps": [{"compute": laws.law("exp", mean=other)}, {"fail": 1.0}]}
    return Model(
        f"M/G/1-PS size={size:g} rho={rho:g}",
        laws.relayed(
            laws.station(rate, {"discipline": "ps", "steps": [{"choose": [marked, rest]}]})
        ),
        rate,
        reads.sojourns(),
        {"ET": size / (1 - rho)},
        warmup=3 * relaxation(rho),
        drain=PATIENCE,
        relay=True,
        **keys,
    )


def round_robin(servers: int, rho: float, **keys: float) -> Model:
    sigma = formulas.ekm1_sigma(servers, rho)
    theory = {"ET": 1 / (1 - sigma), "ET2": 2 / (1 - sigma) ** 2}
    points = {p: formulas.mm1_sojourn_quantile(sigma, p) for p in Q}
    return Model(
        f"round robin n={servers} rho={rho:g}",
        laws.farm(servers * rho, laws.service(laws.law("exp")), servers, "round_robin"),
        servers * rho,
        reads.sojourns(points),
        theory | reads.beyond("T", points),
        points,
        warmup=relaxation(rho),
        drain=relaxation(rho),
        **keys,
    )


def constant_arrivals(rho: float, **keys: float) -> Model:
    """D/M/1."""
    sigma = formulas.dm1_sigma(rho)
    theory = {"ET": 1 / (1 - sigma)}
    points = {p: formulas.mm1_sojourn_quantile(sigma, p) for p in Q}
    return Model(
        f"D/M/1 rho={rho:g}",
        laws.station(rho, laws.service(laws.law("exp")), arrivals="constant"),
        rho,
        reads.sojourns(points),
        theory | reads.beyond("T", points),
        points,
        warmup=relaxation(rho),
        **keys,
    )


def split(servers: int, rho: float, **keys: float) -> Model:
    """A uniform random split of a Poisson stream: independent M/M/1."""
    theory = {"ET": 1 / (1 - rho)}
    points = {p: formulas.mm1_sojourn_quantile(rho, p) for p in Q}
    return Model(
        f"random split n={servers} rho={rho:g}",
        laws.farm(servers * rho, laws.service(laws.law("exp")), servers, "random"),
        servers * rho,
        reads.sojourns(points),
        theory | reads.beyond("T", points),
        points,
        warmup=relaxation(rho),
        drain=2 * relaxation(rho),
        **keys,
    )


def unequal_split(rate: float, shares: tuple[float, ...], **keys: float) -> Model:
    """A weighted random split: a mixture of M/M/1."""
    fleets = {f"web{i}": laws.fleet() for i in range(len(shares))}
    targets = [{"fleet": f"web{i}", "weight": share} for i, share in enumerate(shares)]
    scenario = {
        "fleets": fleets,
        "services": {"work": laws.service(laws.law("exp"))},
        "load_balancers": {"door": {"targets": targets, "routing": "weighted_random"}},
        "traffic": {"customers": {"to": "door", "rate": f"{rate!r}/s"}},
    }
    busiest = rate * max(shares)
    return Model(
        f"weighted split {shares} rate={rate:g}",
        scenario,
        rate,
        reads.sojourns(),
        {"ET": sum(share / (1 - rate * share) for share in shares)},
        warmup=relaxation(busiest),
        drain=relaxation(busiest),
        **keys,
    )


ROUTING = {
    "least_connections": chains.shortest_queue,
    "join_idle_queue": chains.idle_queue,
}


def routed(
    servers: int,
    rho: float,
    routing: str | dict,
    law: str = "exp",
    parameter: float | None = None,
    discipline: str = "fifo",
    vcpus: int = 1,
    settle: float | None = None,
    **keys: float,
) -> Model:
    """Equal instances behind a policy that looks at them; theory is filled in by `small_fleet`."""
    rate = servers * vcpus * rho
    label = (
        routing if isinstance(routing, str) else f"power of {routing['power_of_two']['choices']}"
    )
    settle = settle or 60.0 + 4 / (1 - rho) ** 2
    served = laws.service(laws.law(law, parameter), discipline=discipline)
    scenario = laws.farm(rate, served, servers, routing, vcpus)
    sharing_ = discipline == "ps"
    return Model(
        f"{label} n={servers}x{vcpus} {law}{parameter or ''} {discipline} rho={rho:g}",
        laws.relayed(scenario) if sharing_ else scenario,
        rate,
        reads.sojourns(),
        warmup=settle,
        drain=(PATIENCE if servers < 50 else 300.0) if sharing_ else settle + 100,
        relay=sharing_,
        **keys,
    )


def power(d: int) -> dict:
    return {"power_of_two": {"choices": d}}
