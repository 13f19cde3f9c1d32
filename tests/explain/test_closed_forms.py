"""The formulas of the package against known values, the reference data and a second writing.

`theory.formulas` is that second writing: it was made for the tests, with SciPy, and is in use there
to judge the engine.
"""

import math

import numpy as np
import pytest

from nephoscope import Scenario, _core
from nephoscope.scenario.specs.distribution import distribution_spec
from nephoscope.theory import choices, closed_users, many_servers, moments, single_server
from nephoscope.theory.moments import Law
from theory import chains, formulas, oracles

CLOSE = pytest.approx
DIGITS = 6e-10  # the data carries ten significant digits

LAWS = {
    "constant": "2s",
    "exponential": {"exponential": "2s"},
    "lognormal": {"lognormal": {"mean": "2s", "cv": 0.8}},
    "gamma": {"gamma": {"mean": "2s", "cv": 1.5}},
    "erlang": {"erlang": {"mean": "2s", "k": 4}},
    "weibull": {"weibull": {"mean": "2s", "shape": 1.6}},
    "pareto": {"pareto": {"mean": "2s", "shape": 9.0}},
    "uniform": {"uniform": {"min": "1s", "max": "4s"}},
    "normal": {"normal": {"mean": "2s", "cv": 0.9}},
    "hyperexponential": {"hyperexponential": {"mean": "2s", "cv": 2}},
    "phases": {"hyperexponential": {"probabilities": [0.3, 0.7], "means": ["4s", "500ms"]}},
    "empirical": {"empirical": {"values": ["1s", "2s", "6s"], "weights": [1, 2, 1]}},
}


def expected_of(name):
    entries = oracles.entries()
    if name not in entries:
        pytest.skip(oracles.ABSENT)
    return entries[name]["parameters"], entries[name]["expected"]


def distribution(law):
    scenario = Scenario(
        duration="1m",
        services={"work": {"steps": [{"compute": law}]}},
        fleets={"web": {"service": "work"}},
        traffic={"t": {"to": "web", "rate": "1/s"}},
    )
    return scenario.services["work"].steps[0].compute, scenario.files


def law_of(law):
    return moments.law_of(*distribution(law))


@pytest.mark.parametrize("form", LAWS)
def test_moments_are_those_of_the_draws(form):
    """Three moments of 200,000 draws of the engine, within 6 standard errors."""
    law, (written, files) = law_of(LAWS[form]), distribution(LAWS[form])
    spec = distribution_spec(written, files)
    draws = _core.sample(spec, 11, 0, "explain", 200_000) / 1e9
    for r, moment in ((1, law.m1), (2, law.m2), (3, law.m3)):
        powers = draws**r
        error = powers.std() / math.sqrt(len(draws))
        assert abs(powers.mean() - moment) <= 6 * error + 1e-8 * moment, (form, r)


def test_moments_of_heavy_tails_may_not_be():
    assert math.isinf(law_of({"pareto": {"mean": "1s", "shape": 1.5}}).m2)
    light = law_of({"pareto": {"mean": "1s", "shape": 2.5}})
    assert math.isfinite(light.m2)
    assert math.isinf(light.m3)


def test_sums_and_mixtures_of_laws():
    one, two = law_of(LAWS["exponential"]), law_of(LAWS["erlang"])
    both = one.plus(two)
    # Cumulants of a sum add up: mean, variance, third central moment.
    assert both.m1 == CLOSE(4.0)
    assert both.m2 - both.m1**2 == CLOSE(4.0 + 1.0)
    third = both.m3 - 3 * both.m1 * both.m2 + 2 * both.m1**3
    assert third == CLOSE(2 * 2.0**3 + 2 * 2.0**3 / 16)
    assert not both.exponential
    assert one.plus(moments.NOTHING) == one
    half = moments.mixed([(0.5, one), (0.5, moments.NOTHING)])
    assert (half.m1, half.m2, half.m3) == CLOSE((1.0, 4.0, 24.0))
    assert not half.exponential
    assert moments.mixed([(0.5, one), (0.5, one)]).exponential


@pytest.mark.parametrize("rho", [0.1, 0.5, 0.8, 0.95, 0.99])
def test_one_server(rho):
    exponential = Law(1.0, 2.0, 6.0, exponential=True)
    assert single_server.mm1_sojourn(rho, 1.0) == CLOSE(1 / (1 - rho))
    assert 1 + single_server.mg1_wait(rho, exponential) == CLOSE(1 / (1 - rho))
    assert single_server.mg1_sojourn_variance(rho, exponential) == CLOSE(1 / (1 - rho) ** 2)
    # M/D/1 waits half as long as M/M/1.
    assert single_server.mg1_wait(rho, Law(1, 1, 1)) == CLOSE(rho / (1 - rho) / 2)


@pytest.mark.parametrize("name", oracles.cases("MG1_", "MD1_EW"))
def test_one_server_of_the_data(name):
    p, x = expected_of(name)
    known = formulas.law(
        p["service"].split()[0].replace("deterministic", "det"), p.get("service_param")
    )
    law = Law(known.m1, known.m2, known.m3)
    assert single_server.mg1_wait(p["lam"], law) == CLOSE(x["EW"], rel=DIGITS)
    assert single_server.mg1_wait_second(p["lam"], law) == CLOSE(x["EW2"], rel=DIGITS)


@pytest.mark.parametrize("n", [1, 2, 4, 10, 100])
@pytest.mark.parametrize("rho", [0.3, 0.9])
def test_round_robin(n, rho):
    sigma = single_server.round_robin_sigma(n, rho)
    assert sigma == CLOSE(formulas.ekm1_sigma(n, rho) if n > 1 else rho, rel=1e-9)


@pytest.mark.parametrize("name", oracles.cases("RR_EkM1"))
def test_round_robin_of_the_data(name):
    p, x = expected_of(name)
    sigma = single_server.round_robin_sigma(p["servers"], p["lam"] / p["servers"])
    assert sigma == CLOSE(x["sigma"], rel=DIGITS)


@pytest.mark.parametrize(("c", "load"), [(1, 0.5), (2, 1.6), (4, 3.2), (16, 15.2), (100, 99.0)])
def test_several_servers(c, load):
    assert many_servers.erlang_b(c, load) == CLOSE(formulas.erlang_b(c, load))
    assert many_servers.erlang_c(c, load) == CLOSE(formulas.erlang_c(c, load))
    assert many_servers.mmc_sojourn(c, load) == CLOSE(formulas.mmc_sojourn(c, load))
    for p in (0.5, 0.9, 0.99):
        quantile = many_servers.mmc_sojourn_quantile(c, load, p)
        assert quantile == CLOSE(formulas.mmc_sojourn_quantile(c, load, p), rel=1e-9)
    # Exact where it claims to be.
    assert many_servers.mgc_wait(c, load, 1.0) == many_servers.mmc_wait(c, load)


def test_several_servers_of_textbooks():
    # Two servers at 0.8: the probability of waiting is 2 rho^2 / (1 + rho).
    assert many_servers.erlang_c(2, 1.6) == CLOSE(2 * 0.64 / 1.8)
    assert many_servers.erlang_b(1, 1.0) == CLOSE(0.5)
    assert many_servers.erlang_b(2, 1.0) == CLOSE(0.2)


def test_the_wait_of_many_servers_is_nearly_that_of_constant_work():
    """The approximation, against the exact M/D/c: within a fifteenth of the wait here."""
    for c, load in ((2, 1.6), (16, 14.4)):
        exact, _ = formulas.mdc_wait(c, load)
        assert many_servers.mgc_wait(c, load, 0.0) == CLOSE(exact, rel=0.07)


@pytest.mark.parametrize("name", oracles.cases("MMcc_ErlangB"))
def test_loss_of_the_data(name):
    p, x = expected_of(name)
    assert many_servers.erlang_b(p["servers"], p["lam"]) == CLOSE(x, rel=DIGITS)


@pytest.mark.parametrize("name", oracles.cases("MMcK_"))
def test_bounded_lines_of_the_data(name):
    p, x = expected_of(name)
    held = many_servers.mmck(p["servers"], p["capacity_total"], p["lam"])
    assert held.loss == CLOSE(x["loss"], rel=DIGITS)
    assert held.sojourn == CLOSE(x["ET_accepted"], rel=DIGITS)
    assert held.busy == CLOSE(x["throughput"], rel=DIGITS)


def test_bounded_lines():
    # M/M/1/K at load 1: all states alike.
    held = many_servers.mmck(1, 4, 1.0)
    assert held.loss == CLOSE(1 / 5)
    assert held.sojourn == CLOSE(2.0 / (4 / 5))
    assert many_servers.mmck(3, 3, 2.0).loss == CLOSE(many_servers.erlang_b(3, 2.0))


@pytest.mark.parametrize("name", oracles.cases("MGcPS_"))
def test_processor_sharing_of_the_data(name):
    p, x = expected_of(name)
    assert many_servers.mmc_sojourn(p["vcpus"], p["lam"]) == CLOSE(x["ET"], rel=DIGITS)


@pytest.mark.parametrize("name", oracles.cases("P2C_limit", "P3C_limit", "P5C_limit"))
def test_power_of_choices_of_the_data(name):
    p, x = expected_of(name)
    d = int(p["policy"].split()[-1])
    assert choices.power_of_d_sojourn(d, p["lam_per_server"]) == CLOSE(x["ET"], rel=DIGITS)


def test_power_of_choices():
    # At 0.9 and two choices: the sum of 0.9^(2^i - 2).
    series = sum(0.9 ** (2**i - 2) for i in range(1, 12))
    assert choices.power_of_d_sojourn(2, 0.9) == CLOSE(series)


@pytest.mark.parametrize("rho", [0.5, 0.8])
def test_the_shortest_of_lines_is_between_its_bounds(rho):
    exact = chains.routed_sojourn(2, rho, chains.shortest_queue, 60)
    assert many_servers.mmc_sojourn(2, 2 * rho) < exact < 1 / (1 - rho)


@pytest.mark.parametrize(("users", "think"), [(1, 3.0), (5, 3.0), (20, 0.0), (40, 30.0)])
def test_closed_users(users, think):
    """Birth and death, and mean value analysis, agree where both hold."""
    exact = formulas.mva([1.0], think, users)
    found = many_servers.machine_repair(users, think, 1)
    assert found.throughput == CLOSE(exact.throughput)
    assert found.response == CLOSE(exact.response)
    split = closed_users.split_stations(users, think, 1.0, 4)
    four = formulas.mva([0.25] * 4, think, users)
    assert split.throughput == CLOSE(four.throughput)
    assert split.response == CLOSE(four.response)


def test_closed_users_at_several_servers():
    # Two users and two servers never wait: Little's law of one user, twice.
    found = many_servers.machine_repair(2, 4.0, 2)
    assert found.throughput == CLOSE(2 / 5.0)
    assert found.response == CLOSE(1.0)
    # Three users, two servers, thinks of 1: the states weigh 1, 3, 3, 3/2.
    found = many_servers.machine_repair(3, 1.0, 2)
    law = np.array([1, 3, 3, 1.5]) / 8.5
    assert found.throughput == CLOSE(law @ [0, 1, 2, 2])
    assert found.response == CLOSE((law @ [0, 1, 2, 3]) / (law @ [0, 1, 2, 2]))


def test_what_users_can_send_at_most():
    assert closed_users.throughput_bound(10, 5.0, 1.5) == 1.5
    assert closed_users.throughput_bound(10, 5.0, 4.0) == 2.0
    assert closed_users.throughput_bound(10, 0.0, 4.0) == 4.0
