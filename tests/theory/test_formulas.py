"""The closed forms agree with each other, and with the reference data to its last digit."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import integrate, stats

from theory import chains, formulas, oracles
from theory.formulas import law

DIGITS = 6e-10  # the data carries ten significant digits
QUANTILES = ("0.5", "0.9", "0.95", "0.99", "0.999")


def expected_of(name: str) -> tuple[dict, object]:
    if name not in oracles.entries():
        pytest.skip(oracles.ABSENT)
    entry = oracles.entries()[name]
    return entry["parameters"], entry["expected"]


def same(mine: float, theirs: float) -> bool:
    return mine == pytest.approx(theirs, rel=DIGITS, abs=1e-15)


# --- against the data -------------------------------------------------------------------------


@pytest.mark.parametrize("rho", ["0.8", "0.95", "0.99"])
def test_mm1(rho):
    r = float(rho)
    assert same(1 / (1 - r), expected_of(f"MM1_ET_rho{rho}")[1])
    x = expected_of(f"MM1_EN_VarN_rho{rho}")[1]
    assert same(r / (1 - r), x["mean"])
    assert same(r / (1 - r) ** 2, x["var"])
    for p, t in expected_of(f"MM1_Tquant_rho{rho}")[1].items():
        assert same(formulas.mm1_sojourn_quantile(r, float(p)), t)
    for p, w in expected_of(f"MM1_Wquant_rho{rho}")[1].items():
        assert same(r if p == "P_wait" else formulas.mm1_wait_quantile(r, float(p)), w)


@pytest.mark.parametrize("rho", ["0.8", "0.95"])
def test_mm1_asymptotic_variance(rho):
    x = expected_of(f"MM1_asyvar_rho{rho}")[1]
    variance = formulas.mm1_asymptotic_variance(float(rho))
    mean = float(rho) / (1 - float(rho))
    assert same(variance, x["asyvar"])
    # The data takes the critical value to five digits here.
    assert same(variance * (4.8916 / (0.01 * mean)) ** 2, x["t_for_1pct"])


@pytest.mark.parametrize(("c", "rho"), [(4, "0.8"), (16, "0.95"), (100, "0.95"), (1000, "0.99")])
def test_mmc(c, rho):
    p, wait = expected_of(f"MMc_ErlangC_c{c}_rho{rho}")
    load = p["lam"]
    assert same(formulas.erlang_c(c, load), wait)
    assert same(formulas.mmc_sojourn(c, load), expected_of(f"MMc_ET_c{c}_rho{rho}")[1])
    x = expected_of(f"MMc_quant_c{c}_rho{rho}")[1]
    for q, w in x["W"].items():
        assert same(formulas.mmc_wait_quantile(c, load, float(q)), w)
    for q, t in x["T"].items():
        assert same(formulas.mmc_sojourn_quantile(c, load, float(q)), t)


@pytest.mark.parametrize("name", oracles.cases("MMcc_ErlangB"))
def test_erlang_b(name):
    p, x = expected_of(name)
    assert same(formulas.erlang_b(p["servers"], p["lam"]), x)


@pytest.mark.parametrize("name", oracles.cases("MMcK_"))
def test_mmck(name):
    p, x = expected_of(name)
    mine = formulas.mmck(p["servers"], p["capacity_total"], p["lam"])
    assert same(mine.loss, x["loss"])
    assert same(mine.sojourn, x["ET_accepted"])
    assert same(mine.throughput, x["throughput"])


@pytest.mark.parametrize("name", oracles.cases("MD1_Wquant"))
def test_md1_quantiles(name):
    p, x = expected_of(name)
    cdf = formulas.mdc_wait_cdf(1, p["lam"])
    for q, w in x.items():
        assert same(formulas.solve_increasing(cdf, float(q)), w)


@pytest.mark.parametrize("name", oracles.cases("MDc_"))
def test_mdc(name):
    p, x = expected_of(name)
    wait, waits = formulas.mdc_wait(p["servers"], p["lam"])
    assert same(wait, x["EW"])
    assert same(waits, x["P_wait"])


@pytest.mark.parametrize("name", oracles.cases("MG1_", "MD1_EW"))
def test_mg1(name):
    p, x = expected_of(name)
    service = law(p["service"].split()[0].replace("deterministic", "det"), p.get("service_param"))
    assert same(formulas.mg1_wait(p["lam"], service), x["EW"])
    assert same(formulas.mg1_wait_second(p["lam"], service), x["EW2"])
    assert same(service.scv, x.get("scv_service", 0.0))


def test_h2_wait():
    p, x = expected_of("MH2_1_Wquant_rho0.8")
    tail = formulas.hyperexponential_wait_tail(p["lam"], *formulas.h2_phases(p["service_param"]))
    assert same(tail(0), x["P_wait"])
    for q in ("0.5", "0.9", "0.99", "0.999"):
        assert same(formulas.solve_increasing(lambda t: 1 - tail(t), float(q)), x[q])


def test_processor_sharing():
    p, x = expected_of("MM1PS_VarT_rho0.8")
    assert same(formulas.mm1ps_variance(p["lam"]), x)
    for name in oracles.names("MGcPS_"):
        p, x = expected_of(name)
        assert same(formulas.mmc_sojourn(p["vcpus"], p["lam"]), x["ET"])
        assert same(formulas.erlang_c(p["vcpus"], p["lam"]), x["P_all_busy"])


@pytest.mark.parametrize("name", oracles.cases("RR_EkM1", "DM1_"))
def test_gim1(name):
    p, x = expected_of(name)
    if "policy" in p:
        sigma = formulas.ekm1_sigma(p["servers"], p["lam"] / p["servers"])
    else:
        sigma = formulas.dm1_sigma(p["rho"])
    assert same(sigma, x["sigma"])
    assert same(1 / (1 - sigma), x["ET"])
    for key, q in (("T_p50", 0.5), ("T_p99", 0.99), ("T_p999", 0.999)):
        assert same(formulas.mm1_sojourn_quantile(sigma, q), x[key])


@pytest.mark.parametrize("name", oracles.cases("GG1_bounds"))
def test_bounds(name):
    p, x = expected_of(name)
    assert same(formulas.kingman(p["ca2"], p["cs2"], p["rho"]), x["kingman"])
    assert same(formulas.daley(p["ca2"], p["cs2"], p["rho"]), x["daley"])
    assert same(formulas.marchal(p["ca2"], p["cs2"], p["rho"]), x["lower"])


@pytest.mark.parametrize("name", oracles.cases("P2C_limit", "P3C_limit", "P5C_limit"))
def test_power_limit(name):
    p, x = expected_of(name)
    d, rho = int(p["policy"].split()[-1]), p["lam_per_server"]
    assert same(formulas.power_of_d_sojourn(d, rho), x["ET"])
    for i, share in enumerate(x["s"]):
        assert same(formulas.power_of_d_tail(d, rho, i), share)


@pytest.mark.parametrize(
    ("name", "cap"),
    [
        ("JSQ_exact_n4_lam0.5", 16),
        pytest.param("JSQ_exact_n4_lam0.8", 28, marks=pytest.mark.slow),
        pytest.param("JSQ_exact_n3_lam0.9", 80, marks=pytest.mark.slow),
    ],
)
def test_shortest_queue(name, cap):
    p, x = expected_of(name)
    n, rho = p["servers"], p["lam_per_server"]
    mine = chains.routed_sojourn(n, rho, chains.shortest_queue, cap)
    assert mine == pytest.approx(x["ET"], rel=3e-9)
    assert same(formulas.mmc_sojourn(n, n * rho), x["MMn_lower_bound"])


@pytest.mark.parametrize("name", oracles.cases("ErlangA"))
def test_erlang_a(name):
    p, x = expected_of(name)
    mine = formulas.erlang_a(p["servers"], p["lam"], p["theta"])
    assert same(mine.abandon, x["P_abandon"])
    assert same(mine.wait, x["P_wait"])
    assert same(mine.queue, x["EQ"])
    assert same(mine.queue / p["lam"], x["EW"])


@pytest.mark.parametrize("name", oracles.cases("MMcD_timeout"))
def test_constant_patience(name):
    p, x = expected_of(name)
    mine = formulas.constant_patience(p["servers"], p["lam"], [p["timeout_in_queue"]], [1.0])
    assert same(mine[0], x["P_timeout"])
    assert same(mine[1], x["P_wait"])


@pytest.mark.parametrize("name", oracles.cases("TOKEN_BUCKET"))
def test_token_bucket(name):
    p, x = expected_of(name)
    assert same(formulas.token_bucket_reject(p["lam"], p["depth"]), x)


def test_networks():
    p, x = expected_of("TANDEM_2xMM1_p99")
    for q, t in x.items():
        assert same(formulas.tandem_quantile(p["lam"], p["mu"], float(q)), t)
    for name in oracles.names("MVA_"):
        p, x = expected_of(name)
        mine = formulas.mva(p["demands"], p["think"], p["customers"])
        assert same(mine.throughput, x["X"])
        assert same(mine.response, x["R"])
        assert all(same(a, b) for a, b in zip(mine.queues, x["Q"], strict=True))


def test_rates_that_change():
    for t, mean in expected_of("MtGinf_sin_exp")[1].items():
        assert same(formulas.mt_exp_inf_mean(100, 0.5, 24, float(t)), mean)
    p, x = expected_of("MXM1_geom")
    assert same(formulas.batch_mm1_number(0.8, 4, 28), x["EN"])
    name = "MMPP2M1_(2.0,0.1)_(0.1,0.05)"
    p, x = expected_of(name)
    assert same(chains.mmpp_m1_number(p["rates"], p["switch"]), x["EN"])
    assert same(chains.mmpp_mean_rate(p["rates"], p["switch"]), p["mean_rate"])
    p, x = expected_of("MM1_transient_lam0.8")
    times = [float(t) for t in x]
    for (mean, empty), at in zip(chains.transient_mm1(p["lam"], times), x.values(), strict=True):
        assert same(mean, at["EN"])
        assert same(empty, at["P0"])


@pytest.mark.parametrize("name", oracles.cases("IPHASH_max"))
def test_fullest_server(name):
    p, x = expected_of(name)
    mean, _ = formulas.fullest_bin(p["clients"], p["servers"])
    assert same(mean, x["E_max"])
    assert same(mean / p["clients"] * p["servers"], x["peak_to_mean"])
    assert same((1 - 1 / p["servers"]) ** p["clients"], x["idle_fraction"])


def test_acceptance_constants():
    x = expected_of("STAT_critical_1e-6")[1]
    assert same(formulas.z_critical(), x["z"])
    assert same(formulas.ks_critical(), x["ks"])
    assert same(formulas.chi2_critical(99), x["chi2_99"])
    for degrees, t in expected_of("STAT_t_critical_1e-6")[1].items():
        assert same(formulas.t_critical(int(degrees)), t)
    for d, relative in expected_of("POWER_planning")[1].items():
        assert same(formulas.power_se(float(d)), relative)
    p, x = expected_of("STAT_CI_coverage")
    low, high = formulas.coverage_range(p["reps"], p["nominal"])
    assert [low, high] == x


# --- against each other -----------------------------------------------------------------------


@pytest.mark.parametrize("rho", [0.1, 0.5, 0.83])
def test_one_server_is_the_special_case(rho):
    assert formulas.erlang_c(1, rho) == pytest.approx(rho)
    assert formulas.mmc_sojourn(1, rho) == pytest.approx(1 / (1 - rho))
    assert formulas.mg1_wait(rho, law("exp")) == pytest.approx(rho / (1 - rho))
    assert formulas.ekm1_sigma(1, rho) == pytest.approx(rho)
    assert formulas.mdc_wait(1, rho)[0] == pytest.approx(formulas.mg1_wait(rho, law("det")))
    assert formulas.mdc_wait(1, rho)[1] == pytest.approx(rho)
    assert chains.routed_sojourn(1, rho, chains.shortest_queue, 300) == pytest.approx(1 / (1 - rho))
    assert chains.mmpp_m1_number([rho, rho], [0.3, 0.1]) == pytest.approx(rho / (1 - rho))
    assert formulas.batch_mm1_number(rho, 1, 1) == pytest.approx(rho / (1 - rho))
    assert formulas.kingman(1, 1, rho) >= formulas.daley(1, 1, rho) >= rho / (1 - rho)


@pytest.mark.parametrize(("c", "rho"), [(1, 0.6), (3, 0.8), (10, 0.7)])
def test_constant_service_wait_is_the_integral_of_its_tail(c, rho):
    cdf = formulas.mdc_wait_cdf(c, c * rho)
    wait, waits = formulas.mdc_wait(c, c * rho)
    pieces = [integrate.quad(lambda x: 1 - cdf(x), k, k + 1)[0] for k in range(60)]
    assert math.fsum(pieces) == pytest.approx(wait, rel=1e-7)
    assert 1 - cdf(0.0) == pytest.approx(waits, rel=1e-9)


@pytest.mark.parametrize(("c", "rho"), [(1, 0.6), (4, 0.75), (9, 0.9)])
def test_mmc_number_agrees_with_the_closed_forms(c, rho):
    states = formulas.mmc_number(c, c * rho, 1500)
    n = np.arange(len(states))
    assert float(states[c:].sum()) == pytest.approx(formulas.erlang_c(c, c * rho), rel=1e-10)
    assert float(n @ states) == pytest.approx(c * rho * formulas.mmc_sojourn(c, c * rho), rel=1e-10)
    median = formulas.mmc_sojourn_quantile(c, c * rho, 0.5)
    assert formulas.mmc_sojourn_tail(c, c * rho, median) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "choice", [chains.uniform_choice, chains.power_of(1), chains.power_with_replacement(1)]
)
def test_blind_policies_split_at_random(choice):
    assert chains.routed_sojourn(2, 0.6, choice, 60) == pytest.approx(2.5, rel=1e-6)


def test_policies_are_ordered():
    policies = [
        chains.shortest_queue,
        chains.power_of(2),
        chains.power_with_replacement(2),
        chains.uniform_choice,
    ]
    figures = [chains.routed_sojourn(3, 0.7, choice, 30) for choice in policies]
    assert figures == sorted(figures)
    assert figures[0] > formulas.mmc_sojourn(3, 2.1)
    idle = chains.routed_sojourn(3, 0.7, chains.idle_queue, 30)
    assert figures[0] < idle < figures[3]


def test_patience_in_steps_tends_to_erlang_a():
    exact = formulas.erlang_a(4, 4.5, 0.7)
    errors = []
    for steps in (50, 400):
        levels = (np.arange(steps) + 0.5) / steps
        mine = formulas.constant_patience(4, 4.5, list(-np.log1p(-levels) / 0.7), [1.0] * steps)
        errors.append(abs(mine[0] - exact.abandon))
    assert errors[1] < errors[0] / 5
    assert errors[1] < 1e-5


def test_infinite_patience_is_the_plain_queue():
    lost, waits = formulas.constant_patience(3, 2.4, [1000.0], [1.0])
    assert lost == pytest.approx(0.0, abs=1e-12)
    assert waits == pytest.approx(formulas.erlang_c(3, 2.4), rel=1e-9)


def test_no_patience_is_a_loss_system():
    lost, _ = formulas.constant_patience(3, 2.4, [0.0], [1.0])
    assert lost == pytest.approx(formulas.erlang_b(3, 2.4), rel=1e-12)
    assert formulas.token_bucket_reject(0.7, 1) == pytest.approx(formulas.erlang_b(1, 0.7))


def test_mva_is_the_product_form():
    demands, users = [0.4, 1.0, 0.7], 5

    def constant(n: int) -> float:
        splits = (s for s in itertools.product(range(n + 1), repeat=3) if sum(s) == n)
        return sum(math.prod(d**k for d, k in zip(demands, s, strict=True)) for s in splits)

    through = formulas.mva(demands, 0.0, users).throughput
    assert through == pytest.approx(constant(users - 1) / constant(users))


def test_transient_tends_to_the_stationary_law():
    ((mean, empty),) = chains.transient_mm1(0.5, [200.0])
    assert mean == pytest.approx(1.0, rel=1e-6)
    assert empty == pytest.approx(0.5, rel=1e-6)
    # At once after the start one arrival is the most that has happened.
    ((mean, empty),) = chains.transient_mm1(0.5, [1e-4])
    assert mean == pytest.approx(0.5e-4, rel=1e-3)
    assert empty == pytest.approx(1 - 0.5e-4, rel=1e-6)


def test_asymptotic_variances_of_mm1_from_its_states():
    """The sum over states for any f, of which closed forms are two cases."""

    number = np.arange(300)

    def summed(f, rho=0.7):
        shares = (1 - rho) * rho**number
        parts = (f - f @ shares) * shares
        # All parts sum to 0: far out they are summed from the end, where nothing cancels.
        beyond = parts - np.cumsum(parts[::-1])[::-1]
        upto = np.where(number < 5, np.cumsum(parts), beyond)
        return 2 * float(np.sum(upto**2 / (rho * shares)))

    assert summed(number) == pytest.approx(formulas.mm1_asymptotic_variance(0.7), rel=1e-9)
    for n in (1, 5, 20):
        variance = formulas.mm1_tail_asymptotic_variance(0.7, n)
        assert summed((number >= n).astype(float)) == pytest.approx(variance, rel=1e-9)


def test_fullest_bin_of_few_balls():
    # Two balls in n bins share one with probability 1/n.
    mean, variance = formulas.fullest_bin(2, 10)
    assert mean == pytest.approx(1.1)
    assert variance == pytest.approx(0.1 * 0.9)


def test_power_of_d_tail_is_littles_law():
    total = math.fsum(formulas.power_of_d_tail(3, 0.7, i) for i in range(1, 12))
    assert total / 0.7 == pytest.approx(formulas.power_of_d_sojourn(3, 0.7))


def test_hyperexponential_wait_has_the_mean_of_pollaczek_and_khinchine():
    tail = formulas.hyperexponential_wait_tail(0.7, *formulas.h2_phases(3.0))
    mean = integrate.quad(tail, 0, 400, limit=500)[0]
    assert mean == pytest.approx(formulas.mg1_wait(0.7, law("h2", 3.0)), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "parameter", "distribution"),
    [
        ("lognormal", 2.0, stats.lognorm(math.sqrt(math.log(3)), scale=1 / math.sqrt(3))),
        ("weibull", 0.5, stats.weibull_min(0.5, scale=0.5)),
        ("gamma", 0.5, stats.gamma(2.0, scale=0.5)),
        ("erlang", 3, stats.gamma(3.0, scale=1 / 3)),
        ("uniform", None, stats.uniform(0, 2)),
    ],
)
def test_moments_of_the_laws(name, parameter, distribution):
    mine = law(name, parameter)
    for order, moment in enumerate((mine.m1, mine.m2, mine.m3), 1):
        assert moment == pytest.approx(distribution.moment(order), rel=1e-6)
