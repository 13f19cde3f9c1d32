"""Which model answers which entry of the reference data, and which of its figures is compared.

A binding turns an entry into (model, {figure: (expected, standard error of the expected)}). Entries
that no model answers are in `coverage.py` with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from theory import clients, families, systems
from theory.formulas import poisson_tail
from theory.models import Model
from theory.oracles import Entry

Expected = dict[str, tuple[float, float]]
Bound = tuple[Model, Expected]


def exactly(**figures: float) -> Expected:
    return {name: (float(value), 0.0) for name, value in figures.items()}


def beyond(model: Model, letter: str, table: dict[str, float]) -> Expected:
    """Shares above the quantiles of a table, keyed 0.99 or T_p99."""
    figures: Expected = {}
    for key, quantile in table.items():
        digits = key.split("_p")[-1] if key.startswith(letter + "_p") else key.removeprefix("0.")
        if digits.isdecimal() and quantile > 0:
            level = float(f"0.{digits}")
            assert math.isclose(model.points[level], quantile, rel_tol=1e-8), (model.name, key)
            figures[f"P({letter}>q{level:g})"] = (1 - level, 0.0)
    return figures


def requests(rho: float, fast: float = 4e6) -> float:
    """Longer runs at higher utilisation, where the numbers fluctuate slowly."""
    return fast * (1 if rho < 0.85 else 2 if rho < 0.94 else 6 if rho < 0.97 else 50)


# --- M/M/1 ------------------------------------------------------------------------------------


def mm1_mean(e: Entry) -> Bound:
    lam = e["parameters"]["lam"]
    return families.mm1(lam, requests=requests(lam, 6e6)), exactly(ET=e["expected"])


def mm1_quantiles(e: Entry) -> Bound:
    lam = e["parameters"]["lam"]
    model = families.mm1(lam, requests=requests(lam, 6e6))
    return model, beyond(model, "T", e["expected"])


def mm1_numbers(e: Entry) -> Bound:
    lam, x = e["parameters"]["lam"], e["expected"]
    model = families.copies(lam, requests=requests(lam))
    return model, exactly(EN=x["mean"], EN2=x["var"] + x["mean"] ** 2)


def mm1_waits(e: Entry) -> Bound:
    lam, x = e["parameters"]["lam"], e["expected"]
    model = families.waiting(lam, requests=requests(lam))
    return model, exactly(P_wait=x["P_wait"]) | beyond(model, "W", x)


# --- M/M/c, loss, M/G/1 -----------------------------------------------------------------------


def mmc_wait(e: Entry) -> Bound:
    c, lam = e["parameters"]["servers"], e["parameters"]["lam"]
    return families.waiting(lam / c, servers=c, requests=requests(lam / c)), exactly(
        P_wait=e["expected"]
    )


def mmc_mean(e: Entry) -> Bound:
    c, lam = e["parameters"]["servers"], e["parameters"]["lam"]
    return families.mmc(c, lam / c, requests=requests(lam / c)), exactly(ET=e["expected"])


def mmc_sojourn_quantiles(e: Entry) -> Bound:
    c, lam = e["parameters"]["servers"], e["parameters"]["lam"]
    model = families.mmc(c, lam / c, requests=requests(lam / c))
    return model, beyond(model, "T", e["expected"]["T"])


def mmc_wait_quantiles(e: Entry) -> Bound:
    c, lam = e["parameters"]["servers"], e["parameters"]["lam"]
    model = families.waiting(lam / c, servers=c, requests=requests(lam / c))
    return model, beyond(model, "W", e["expected"]["W"])


def blocking(law: str, parameter: float | None = None) -> Callable[[Entry], Bound]:
    def bind(e: Entry) -> Bound:
        c, lam = e["parameters"]["servers"], float(e["parameters"]["lam"])
        model = families.loss(c, c, lam, law, parameter, requests=4e6)
        return model, exactly(loss=e["expected"])

    return bind


def finite(e: Entry) -> Bound:
    p, x = e["parameters"], e["expected"]
    model = families.loss(p["servers"], p["capacity_total"], p["lam"])
    return model, exactly(loss=x["loss"], ET=x["ET_accepted"], throughput=x["throughput"])


def md1_waits(e: Entry) -> Bound:
    lam, x = e["parameters"]["lam"], e["expected"]
    model = families.waiting(lam, "det", requests=requests(lam))
    if "EW" in x:
        return model, exactly(EW=x["EW"], EW2=x["EW2"], P_wait=1 - x["P_W0"])
    return model, beyond(model, "W", x)


def mdc_waits(e: Entry) -> Bound:
    c, lam = e["parameters"]["servers"], e["parameters"]["lam"]
    model = families.waiting(lam / c, "det", servers=c, requests=requests(lam / c))
    return model, exactly(EW=e["expected"]["EW"], P_wait=e["expected"]["P_wait"])


def mg1_waits(e: Entry) -> Bound:
    p, x = e["parameters"], e["expected"]
    model = families.waiting(p["lam"], p["service"], p["service_param"], requests=8e6)
    return model, exactly(EW=x["EW"], EW2=x["EW2"])


def mg1_numbers(e: Entry) -> Bound:
    p, x = e["parameters"], e["expected"]
    model = families.copies(p["lam"], p["service"], p["service_param"])
    return model, exactly(ET=x["ET"], EN=x["EN"])


def h2_waits(e: Entry) -> Bound:
    p, x = e["parameters"], e["expected"]
    model = families.waiting(p["lam"], p["service"], p["service_param"], requests=8e6)
    return model, exactly(P_wait=x["P_wait"]) | beyond(model, "W", x)


# --- processor sharing ------------------------------------------------------------------------


def mg1ps(law: str, parameter: float | None = None) -> Callable[[Entry], Bound]:
    def bind(e: Entry) -> Bound:
        model = families.sharing(1, e["parameters"]["lam"], law, parameter)
        return model, exactly(ET=e["expected"]["ET"])

    return bind


def mg1ps_by_size(size: float) -> Callable[[Entry], Bound]:
    """The slope of E[T | size]; where it is the same for all sizes it is the mean slowdown."""

    def bind(e: Entry) -> Bound:
        model = families.sharing_by_size(e["parameters"]["lam"], size)
        return model, exactly(ET=size * e["expected"]["E_T_given_size_x_over_x"])

    return bind


def mm1ps_variance(e: Entry) -> Bound:
    lam = e["parameters"]["lam"]
    mean = 1 / (1 - lam)
    return families.sharing(1, lam, "exp"), exactly(ET2=e["expected"] + mean**2)


def mgcps(law: str, parameter: float | None = None) -> Callable[[Entry], Bound]:
    def bind(e: Entry) -> Bound:
        p, x = e["parameters"], e["expected"]
        model = families.sharing(p["vcpus"], p["lam"] / p["vcpus"], law, parameter)
        return model, exactly(ET=x["ET"], P_busy=x["P_all_busy"])

    return bind


def md1ps_second(e: Entry) -> Bound:
    x = e["expected"]
    return families.sharing(1, e["parameters"]["lam"], "det"), {"ET2": (x["ET2"], x["se"])}


# --- splits and policies ----------------------------------------------------------------------


def round_robin(e: Entry) -> Bound:
    p, x = e["parameters"], e["expected"]
    rho = p["lam"] / p["servers"]
    model = families.round_robin(p["servers"], rho, requests=requests(rho))
    return model, exactly(ET=x["ET"]) | beyond(model, "T", x)


def constant_arrivals(e: Entry) -> Bound:
    x = e["expected"]
    model = families.constant_arrivals(e["parameters"]["rho"])
    return model, exactly(ET=x["ET"]) | beyond(model, "T", x)


def random_split(e: Entry) -> Bound:
    p, x = e["parameters"], e["expected"]
    rho = p["lam"] / p["servers"]
    model = families.split(p["servers"], rho, requests=requests(rho))
    return model, exactly(ET=x["ET"]) | beyond(model, "T", x)


def weighted_split(e: Entry) -> Bound:
    p = e["parameters"]
    return families.unequal_split(p["lam"], tuple(p["shares"])), exactly(ET=e["expected"])


def power_limit(e: Entry) -> Bound:
    d = int(e["parameters"]["policy"].split()[-1])
    rho, depth = e["parameters"]["lam_per_server"], 4
    model = systems.spread(rho, d, depth, **({"requests": 3e7} if rho > 0.9 else {}))
    tails = {f"s{i}": e["expected"]["s"][i] for i in range(1, depth + 1)}
    # A tail that no server is expected to reach in the whole run cannot be estimated.
    tails = {name: value for name, value in tails.items() if value > 1e-4}
    return model, exactly(ET=e["expected"]["ET"], **tails)


def policy_of(parameters: dict[str, Any]) -> str | dict[str, Any]:
    text = parameters["policy"]
    if text.startswith("power of"):
        return families.power(int(text.split(",")[0].split()[-1]))
    return {
        "pd2": families.power(2),
        "rr": "round_robin",
        "jsq": "least_connections",
        "join idle queue": "join_idle_queue",
    }.get(text, "least_connections")


def settle(rho: float, servers: int) -> float:
    """Seconds to forget the empty start: the fleet as one fast server, and each by itself."""
    return 100.0 + 20 / (1 - rho) + 10 / (servers * (1 - rho) ** 2) + 0.2 / (1 - rho) ** 2


def policy_table(e: Entry) -> Bound:
    p, x = e["parameters"], e["expected"]
    n, rho = p["servers"], p["lam_per_server"]
    model = families.routed(
        n, rho, policy_of(p), settle=settle(rho, n), requests=min(requests(rho, 5e6), 1e8)
    )
    return model, {"ET": (x["ET"], x.get("se", 0.0))}


def law_table(e: Entry) -> Bound:
    """Policy by size law: the reference gives a standard error of the mean only."""
    p, x = e["parameters"], e["expected"]
    name, _, parameter = p["service"].partition(":")
    rho = p["lam"] / p["servers"] / p["cores_per_server"]
    model = families.routed(
        p["servers"],
        rho,
        policy_of(p),
        "weibull" if name == "weib" else name,
        float(parameter) if parameter else None,
        p["disc"].lower(),
        p["cores_per_server"],
        settle=settle(rho, p["servers"]),
        requests=3e7 if p["servers"] == 100 and p["disc"] == "PS" else 1e7,
    )
    return model, {"ET": (x["ET"], x["seT"])}


# --- impatience, networks, changing rates -----------------------------------------------------


def erlang_a(e: Entry) -> Bound:
    p, x = e["parameters"], e["expected"]
    model = systems.exponential_patience(p["servers"], p["lam"], p["theta"], 400)
    figures = exactly(P_timeout=x["P_abandon"], P_busy=x["P_wait"], EQ=x["EQ"])
    if x["P_wait"] > 0.999:
        # A server is free so seldom that the samples would hardly ever see it.
        del figures["P_busy"]
    return model, figures


def constant_patience(e: Entry) -> Bound:
    p, x = e["parameters"], e["expected"]
    model = systems.impatient(p["servers"], p["lam"], [p["timeout_in_queue"]], [1.0])
    return model, exactly(P_timeout=x["P_timeout"], P_busy=x["P_wait"])


def token_bucket(e: Entry) -> Bound:
    p = e["parameters"]
    assert p["refill"] == 1
    return systems.bucket(p["lam"], p["depth"]), exactly(P_reject=e["expected"])


def tandem(e: Entry) -> Bound:
    p = e["parameters"]
    model = systems.tandem(p["lam"], p["mu"])
    return model, beyond(model, "T", e["expected"])


def closed(e: Entry) -> Bound:
    p, x = e["parameters"], e["expected"]
    model = systems.closed(p["demands"], p["think"], p["customers"], requests=2e6)
    return model, exactly(X=x["X"], R=x["R"], **{f"Q{i}": q for i, q in enumerate(x["Q"])})


def crowd(law: str, parameter: float | None = None) -> Callable[[Entry], Bound]:
    def bind(e: Entry) -> Bound:
        x = e["expected"]
        model = systems.crowd(e["parameters"]["lam"], law, parameter)
        figures = exactly(EN=x["mean"], EN2=x["var"] + x["mean"] ** 2)
        # The p99 by its meaning: more than 1 % reach it, less than 1 % pass it.
        load, p99 = e["parameters"]["lam"], int(x["p99"])
        tails = {"from": poisson_tail(load, p99), "above": poisson_tail(load, p99 + 1)}
        assert tails["above"] < 0.01 < tails["from"]
        return model, figures | exactly(**tails)

    return bind


def wave(e: Entry) -> Bound:
    assert e["parameters"]["rate"] == "100(1+0.5 sin(2 pi t/24))"
    model = systems.wave(100.0, 0.5, 24.0, (0.0, 6.0, 12.0, 18.0))
    return model, exactly(**{f"m{float(t):g}": m for t, m in e["expected"].items()})


def from_empty(e: Entry) -> Bound:
    p, x = e["parameters"], e["expected"]
    figures = {}
    for t, at in x.items():
        figures |= {f"EN({float(t):g})": at["EN"], f"P0({float(t):g})": at["P0"]}
    return systems.from_empty(p["lam"], [float(t) for t in x]), exactly(**figures)


def batches(e: Entry) -> Bound:
    assert e["parameters"]["batch"] == "geometric mean 4"
    return systems.batches(e["parameters"]["batch_rate"], 4.0), exactly(ET=e["expected"]["ET"])


def modulated(e: Entry) -> Bound:
    p = e["parameters"]
    model = systems.modulated(p["rates"], p["switch"], requests=2e7)
    return model, exactly(ET=e["expected"]["ET"])


def retries(e: Entry) -> Bound:
    p, x = e["parameters"], e["expected"]
    model = clients.retries(p["p_fail"], p["retries"], requests=1e7 * (1 - p["p_fail"]))
    return model, exactly(attempts=x["mean_attempts"], exhausted=x["P_exhausted"])


def backoff(jitter: str) -> Callable[[Entry], Bound]:
    def bind(e: Entry) -> Bound:
        p, x = e["parameters"], e["expected"]
        model = clients.backoff(p["base"], p["cap"], p["retries"], jitter, requests=1e6)
        return model, exactly(total=x["no_jitter" if jitter == "none" else f"{jitter}_jitter"])

    return bind


def retrial(e: Entry) -> Bound:
    p = e["parameters"]
    assert (p["mu"], p["capacity"]) == (1, 1)
    return clients.retrial(p["lam"], p["retry_rate"]), exactly(orbit=e["expected"])


H2 = ("h2", 4.0)
BINDINGS: dict[str, tuple[Callable[[Entry], Bound], ...]] = {
    "MM1_ET_": (mm1_mean,),
    "MM1_Tquant_": (mm1_quantiles,),
    "MM1_EN_VarN_": (mm1_numbers,),
    "MM1_Wquant_": (mm1_waits,),
    "MMc_ErlangC_": (mmc_wait,),
    "MMc_ET_": (mmc_mean,),
    "MMc_quant_": (mmc_sojourn_quantiles, mmc_wait_quantiles),
    "MMcc_ErlangB_": (blocking("exp"), blocking("det"), blocking("lognormal", 4.0)),
    "MMcK_": (finite,),
    "MD1_": (md1_waits,),
    "MDc_": (mdc_waits,),
    "MG1_": (mg1_waits, mg1_numbers),
    "MH2_1_": (h2_waits,),
    "MG1PS_": (mg1ps("exp"), mg1ps("det"), mg1ps(*H2), mg1ps_by_size(0.25), mg1ps_by_size(3.0)),
    "MM1PS_VarT_": (mm1ps_variance,),
    "MGcPS_": (mgcps("exp"), mgcps("det"), mgcps(*H2), mgcps("lognormal", 4.0)),
    "PS_MD1_": (md1ps_second,),
    "RR_EkM1_": (round_robin,),
    "DM1_": (constant_arrivals,),
    "RANDOM_split_": (random_split,),
    "IPHASH_unequal_split": (weighted_split,),
    **{f"P{d}C_limit_": (power_limit,) for d in (2, 3, 5)},
    **{f"P{d}C_n100_lam": (policy_table,) for d in (2, 3, 5)},
    "P2C_n10_": (policy_table,),
    "P2C_n1000_": (policy_table,),
    "JSQ_exact_": (policy_table,),
    "JSQ_sim_": (policy_table,),
    "JIQ_sim_": (policy_table,),
    "JSQPS_": (law_table,),
    "JSQFIFO_": (law_table,),
    "P2CFIFO_": (law_table,),
    "RRFIFO_": (law_table,),
    "JSQ_n100_4core_": (law_table,),
    "ErlangA_": (erlang_a,),
    "MMcD_timeout_": (constant_patience,),
    "TOKEN_BUCKET_": (token_bucket,),
    "TANDEM_": (tandem,),
    "MVA_": (closed,),
    "MGinf_": (crowd("exp"), crowd("det"), crowd("lognormal", 4.0)),
    "MtGinf_": (wave,),
    "MM1_transient_": (from_empty,),
    "MXM1_": (batches,),
    "MMPP2M1_": (modulated,),
    "RETRY_p": (retries,),
    "FULL_JITTER_": (backoff("full"), backoff("none")),
    "RETRIAL_": (retrial,),
}

# Too long for the fast suite: high utilisation, where numbers fluctuate slowly.
_SLOW = ("rho0.95", "rho0.99", "lam0.95", "lam0.99", "MMPP2M1_", "P2C_n1000_")


def is_slow(name: str) -> bool:
    return any(part in name for part in _SLOW)


def bind(entry: Entry) -> list[Bound]:
    """The models that answer an entry, none if it has no binding."""
    prefixes = [prefix for prefix in BINDINGS if entry["name"].startswith(prefix)]
    if not prefixes:
        return []
    return [make(entry) for make in BINDINGS[max(prefixes, key=len)]]
