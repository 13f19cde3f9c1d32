"""Distributions: the law of the draws, random access, independence, refusals.

Two-sided false-alarm rate of every check 1e-6: z 4.8916, Kolmogorov-Smirnov 2.6934 / sqrt(n), and
the seeds are fixed, so a failure is a real change.
"""

import hashlib
import math

import numpy as np
import pytest
from scipy import integrate, stats

from nephoscope import _core
from nephoscope._core import Distribution, DistributionKind
from nephoscope.errors import SpecError

Z_MAX = 4.8916
KS_MAX = 2.6934
FALSE_ALARM = 1e-6
N = 200_000
N_SLOW = 10_000_000


def distribution(kind, mean=0.0, shape=0.0, values=(), weights=()):
    spec = Distribution()
    spec.kind = getattr(DistributionKind, kind)
    spec.mean = mean
    spec.shape = shape
    spec.values = list(values)
    spec.weights = list(weights)
    return spec


def draws(spec, n=N, name="law", **where):
    return _core.sample(spec, 11, 0, name, n, **where)


def lognormal(mean, cv):
    sigma = math.sqrt(math.log1p(cv * cv))
    return stats.lognorm(sigma, scale=mean * math.exp(-sigma * sigma / 2))


def weibull(mean, shape):
    return stats.weibull_min(shape, scale=mean / math.gamma(1 + 1 / shape))


class Hyperexponential:
    """As much of a SciPy law as the tests need."""

    def __init__(self, means, probabilities):
        self.phases = list(zip(probabilities, means, strict=True))

    def sf(self, x):
        return sum(p * np.exp(-np.asarray(x) / mean) for p, mean in self.phases)

    def cdf(self, x):
        return 1 - self.sf(x)

    def moment(self, k):
        return sum(p * math.factorial(k) * mean**k for p, mean in self.phases)


# name: (spec, law)
LAWS = {
    "exponential": (distribution("exponential", 3.0), stats.expon(scale=3)),
    "lognormal": (distribution("lognormal", 5.0, 0.8), lognormal(5, 0.8)),
    "lognormal, wide": (distribution("lognormal", 5.0, 4.0), lognormal(5, 4)),
    "lognormal, narrow": (distribution("lognormal", 5.0, 0.01), lognormal(5, 0.01)),
    "gamma, cv 0.5": (distribution("gamma", 2.0, 0.5), stats.gamma(4, scale=0.5)),
    "gamma, cv 1": (distribution("gamma", 2.0, 1.0), stats.gamma(1, scale=2)),
    "gamma, cv 2": (distribution("gamma", 2.0, 2.0), stats.gamma(0.25, scale=8)),
    "gamma, cv 0.01": (distribution("gamma", 2.0, 0.01), stats.gamma(1e4, scale=2e-4)),
    "erlang 1": (distribution("erlang", 2.0, 1), stats.expon(scale=2)),
    "erlang 4": (distribution("erlang", 2.0, 4), stats.gamma(4, scale=0.5)),
    "erlang 5": (distribution("erlang", 2.0, 5), stats.gamma(5, scale=0.4)),
    "erlang 40": (distribution("erlang", 2.0, 40), stats.gamma(40, scale=0.05)),
    "weibull 0.7": (distribution("weibull", 1.5, 0.7), weibull(1.5, 0.7)),
    "weibull 3": (distribution("weibull", 1.5, 3.0), weibull(1.5, 3)),
    "pareto 1.5": (distribution("pareto", 3.0, 1.5), stats.pareto(1.5, scale=1)),
    "pareto 9": (distribution("pareto", 9.0, 9.0), stats.pareto(9, scale=8)),
    "uniform": (distribution("uniform", values=[2, 5]), stats.uniform(2, 3)),
    "normal": (distribution("normal", 4.0, 0.1), stats.norm(4, 0.4)),
    "normal, cut": (distribution("normal", 4.0, 0.8), stats.truncnorm(-1.25, np.inf, 4, 3.2)),
    "normal, half": (distribution("normal", 1.0, 50.0), stats.truncnorm(-0.02, np.inf, 1, 50)),
    "hyperexponential": (
        distribution("hyperexponential", values=[1, 20], weights=[3, 1]),
        Hyperexponential([1, 20], [0.75, 0.25]),
    ),
    "hyperexponential, rare": (
        distribution("hyperexponential", values=[1, 0.1, 500], weights=[0.5, 0.4999, 0.0001]),
        Hyperexponential([1, 0.1, 500], [0.5, 0.4999, 0.0001]),
    ),
}
# Moments beyond the tail index do not exist; the estimate of a variance needs four of them.
VARIANCE_UNKNOWN = {"pareto 1.5"}
FOURTH_UNKNOWN = VARIANCE_UNKNOWN | {"lognormal, wide", "hyperexponential, rare"}

# name: spec of the kinds without a density
DISCRETE = {
    "constant": distribution("constant", 7.0),
    "replay": distribution("replay", values=[3, 1, 2]),
    "empirical": distribution("empirical", values=[5, 1, 9, 2]),
    "empirical, weighted": distribution("empirical", values=[5, 1, 9, 2], weights=[1, 0, 7, 2.5]),
}
SPECS = {name: spec for name, (spec, _) in LAWS.items()} | DISCRETE
each_law = pytest.mark.parametrize("name", LAWS)
each_spec = pytest.mark.parametrize("name", SPECS)


def moments(law):
    """Mean, variance and fourth central moment."""
    raw = [1, *(law.moment(k) for k in (1, 2, 3, 4))]
    mean = raw[1]
    fourth = raw[4] - 4 * mean * raw[3] + 6 * mean**2 * raw[2] - 3 * mean**4
    return mean, raw[2] - mean**2, fourth


def kolmogorov_smirnov(x, law):
    # A million at a time: SciPy's laws need memory.
    x = np.sort(x)
    n = len(x)
    distance = 0.0
    for start in range(0, n, 1_000_000):
        part = law.cdf(x[start : start + 1_000_000])
        rank = np.arange(start, start + len(part))
        distance = max(distance, (part - rank / n).max(), ((rank + 1) / n - part).max())
    return distance * math.sqrt(n)


def quantile(law, tail):
    """The x exceeded with probability `tail`, by bisection where SciPy has no law."""
    if hasattr(law, "isf"):
        return law.isf(tail)
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if law.sf(middle) > tail else (low, middle)
    return high


def assert_poisson(count, expected):
    low, high = stats.poisson.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], expected)
    assert low <= count <= high


def check_law(name, n, tail):
    spec, law = LAWS[name]
    x = draws(spec, n)
    assert kolmogorov_smirnov(x, law) < KS_MAX
    mean, variance, fourth = moments(law) if name not in VARIANCE_UNKNOWN else (3.0, None, None)
    assert _core.drawn_mean(spec) == pytest.approx(mean, rel=1e-9)
    if variance is not None:
        assert abs(x.mean() - mean) < Z_MAX * math.sqrt(variance / n)
    if name not in FOURTH_UNKNOWN:
        assert abs(x.var() - variance) < Z_MAX * math.sqrt((fourth - variance**2) / n)
    assert_poisson(np.count_nonzero(x > quantile(law, tail)), tail * n)
    assert_poisson(np.count_nonzero(x < quantile(law, 1 - tail)), tail * n)


@each_law
def test_law(name):
    check_law(name, N, 1e-4)


@pytest.mark.slow
@each_law
def test_law_of_ten_million_draws(name):
    check_law(name, N_SLOW, 1e-6)


@pytest.mark.parametrize(
    ("weights", "share"), [([], [1, 1, 1, 1]), ([1, 0, 7, 2.5], [1, 0, 7, 2.5])]
)
@pytest.mark.parametrize("n", [N, pytest.param(N_SLOW, marks=pytest.mark.slow)])
def test_empirical_law(weights, share, n):
    values = [5, 1, 9, 2]
    spec = distribution("empirical", values=values, weights=weights)
    x = draws(spec, n)
    counts = np.array([np.count_nonzero(x == value) for value in values])
    assert counts.sum() == n
    expected = np.array(share) / sum(share) * n
    assert (counts[expected == 0] == 0).all()
    some = expected > 0
    assert stats.chisquare(counts[some], expected[some]).pvalue > FALSE_ALARM
    assert _core.drawn_mean(spec) == pytest.approx(np.average(values, weights=share), rel=1e-15)


def test_empirical_law_of_many_values():
    generator = np.random.default_rng(5)
    weights = generator.pareto(1.2, 1000) + 0.05
    spec = distribution("empirical", values=np.arange(1000), weights=weights)
    counts = np.bincount(draws(spec, 2_000_000).astype(int), minlength=1000)
    assert stats.chisquare(counts, weights / weights.sum() * 2_000_000).pvalue > FALSE_ALARM


def test_constant_and_replay():
    np.testing.assert_array_equal(draws(DISCRETE["constant"], 5), [7] * 5)
    np.testing.assert_array_equal(draws(DISCRETE["replay"], 7, start=2), [2, 3, 1, 2, 3, 1, 2])
    np.testing.assert_array_equal(draws(DISCRETE["replay"], 3, visit=4), [3, 1, 2])
    assert _core.drawn_mean(DISCRETE["constant"]) == 7
    assert _core.drawn_mean(DISCRETE["replay"]) == 2


def test_exponential_draws_are_the_words_by_inversion():
    words = _core.random_words(11, 0, "law", 1000)
    u = ((words >> np.uint64(12)) + 0.5) * 2.0**-52
    np.testing.assert_allclose(draws(LAWS["exponential"][0], 1000), -3 * np.log(u), rtol=1e-15)


def test_no_draw_is_negative():
    for spec in SPECS.values():
        assert draws(spec).min() >= 0


@pytest.mark.parametrize("cv", [0.2, 1.0, 5.0])
def test_drawn_mean_of_a_cut_normal(cv):
    sd = 2.0 * cv
    above = stats.norm(2.0, sd).sf(0)
    density = stats.norm(2.0, sd).pdf
    mean = integrate.quad(lambda x: x * density(x) / above, 0, 2 + 40 * sd, limit=200)[0]
    assert _core.drawn_mean(distribution("normal", 2.0, cv)) == pytest.approx(mean, rel=1e-8)


@pytest.mark.parametrize("kind", ["lognormal", "normal"])
def test_no_variation_is_a_constant(kind):
    spec = distribution(kind, 3.0, 0.0)
    np.testing.assert_allclose(draws(spec, 300), 3.0, rtol=1e-15)
    assert _core.drawn_mean(spec) == 3


@each_spec
def test_random_access_is_in_order(name):
    spec = SPECS[name]
    in_order = draws(spec, 3000)
    serials = np.random.default_rng(8).permutation(3000).astype(np.uint64)
    at = _core.sample_at(spec, 11, 0, "law", serials)
    np.testing.assert_array_equal(at, in_order[serials])


@each_spec
@pytest.mark.parametrize("start", [1, 255, 256, 1000, 2**40 + 3])
def test_any_start_gives_the_same_draws(name, start):
    spec = SPECS[name]
    serials = np.arange(start, start + 600, dtype=np.uint64)
    at = _core.sample_at(spec, 11, 0, "law", serials)
    np.testing.assert_array_equal(draws(spec, 600, start=start), at)


@each_spec
@pytest.mark.parametrize("step", [1, 3, 60, 1000])
def test_blocks_survive_gaps_and_stragglers(name, step):
    generator = np.random.default_rng(step)
    serials = np.cumsum(generator.integers(0, 2 * step, 3000)) + generator.integers(0, 500, 3000)
    serials[::97] += 10_000
    at, in_blocks = (
        _core.sample_at(SPECS[name], 11, 0, "law", serials.astype(np.uint64), in_blocks=way)
        for way in (False, True)
    )
    np.testing.assert_array_equal(in_blocks, at)


@each_law
def test_visits_and_neighbours_are_independent(name):
    spec, law = LAWS[name]
    n = 100_000
    first, second, other = (
        stats.norm.ppf(np.clip(law.cdf(x), 1e-15, 1 - 1e-15))
        for x in (draws(spec, n), draws(spec, n, visit=1), draws(spec, n, "other stream"))
    )
    pairs = [(first, second), (first, other), (first[1:], first[:-1]), (second[4:], second[:-4])]
    for x, y in pairs:
        assert abs(np.mean(x * y)) * math.sqrt(len(x)) < Z_MAX
        assert abs(np.mean((x * x - 1) * (y * y - 1))) / 2 * math.sqrt(len(x)) < Z_MAX


@each_law
def test_later_visits_have_the_same_law(name):
    spec, law = LAWS[name]
    assert kolmogorov_smirnov(draws(spec, 50_000, visit=2**32 - 1), law) < KS_MAX


def fingerprint(spec):
    parts = draws(spec, 5000), draws(spec, 500, visit=7), draws(spec, 500, start=2**50)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16]


# The draws are part of what a version promises: these change only with the version.
BITS = {
    "exponential": "a018412e62cadf28",
    "lognormal": "493b2a1833c79574",
    "lognormal, wide": "e0181c57aa22b32d",
    "lognormal, narrow": "81db9b745099bcf7",
    "gamma, cv 0.5": "578ed4525d71ef4e",
    "gamma, cv 1": "60d596575a6aec67",
    "gamma, cv 2": "ffc9d4fc9fedd917",
    "gamma, cv 0.01": "42e114ad14c239d8",
    "erlang 1": "2d9b43a5b0189c31",
    "erlang 4": "a8fe604797469437",
    "erlang 5": "4eb309b0fa3679d0",
    "erlang 40": "0cdcd2f1d7effed5",
    "weibull 0.7": "ceefcc600df8dbdd",
    "weibull 3": "0ad7640d1c456da7",
    "pareto 1.5": "99d0da46713e909d",
    "pareto 9": "16ea53882f1396d2",
    "uniform": "c8118259b2ff255e",
    "normal": "8a7ddc1508e16f25",
    "normal, cut": "8c710ba645fba551",
    "normal, half": "cea54b499d3bd91a",
    "hyperexponential": "1cc0a9b7e04c47b0",
    "hyperexponential, rare": "01cb1036f4166e17",
    "constant": "c3d5f85ffe2d6eb8",
    "replay": "d034232fe251d91e",
    "empirical": "cdd810193ffd5f11",
    "empirical, weighted": "2e50d27b2260413d",
}


@each_spec
def test_bits_never_change(name):
    assert fingerprint(SPECS[name]) == BITS[name]


BAD = [
    ("mean", distribution("constant", -1.0)),
    ("mean", distribution("constant", math.nan)),
    ("mean", distribution("constant", math.inf)),
    *(
        ("mean", distribution(kind, mean, 2.0))
        for kind in ("exponential", "lognormal", "gamma", "erlang", "weibull", "pareto", "normal")
        for mean in (0.0, -1.0, math.nan, math.inf)
    ),
    *(
        ("shape", distribution(kind, 1.0, shape))
        for kind in ("lognormal", "gamma", "erlang", "weibull", "pareto", "normal")
        for shape in (-1.0, math.nan, math.inf)
    ),
    *(("shape", distribution(kind, 1.0, 0.0)) for kind in ("gamma", "erlang", "weibull")),
    ("shape", distribution("erlang", 1.0, 1.5)),
    ("shape", distribution("erlang", 1.0, 2.0**60)),
    ("shape", distribution("pareto", 1.0, 1.0)),
    ("shape", distribution("gamma", 1.0, 1e6)),
    ("shape", distribution("gamma", 1.0, 1e-200)),
    ("shape", distribution("weibull", 1.0, 1e-3)),
    ("shape", distribution("lognormal", 1.0, 1e200)),
    ("values", distribution("uniform", values=[1])),
    ("values", distribution("uniform", values=[1, 2, 3])),
    ("values", distribution("uniform", values=[2, 1])),
    ("values", distribution("uniform", values=[-1, 1])),
    ("values", distribution("uniform", values=[0, math.inf])),
    *(("values", distribution(kind)) for kind in ("hyperexponential", "empirical", "replay")),
    ("values", distribution("replay", values=[1, -1])),
    ("values", distribution("replay", values=[1, math.nan])),
    ("weights", distribution("hyperexponential", values=[1, 2])),
    ("weights", distribution("hyperexponential", values=[1, 2], weights=[1])),
    ("weights", distribution("empirical", values=[1, 2], weights=[0, 0])),
    ("weights", distribution("empirical", values=[1, 2], weights=[2, -1])),
    ("weights", distribution("empirical", values=[1, 2], weights=[1, math.nan])),
    ("weights", distribution("empirical", values=[1, 2], weights=[1e308, 1e308])),
]


@pytest.mark.parametrize(("field", "spec"), BAD)
def test_illegal_parameters_are_refused_with_their_path(field, spec):
    with pytest.raises(SpecError, match=f"^distribution.{field}: must ") as caught:
        draws(spec, 1)
    assert caught.value.path == f"distribution.{field}"


def test_a_refusal_says_what_was_given():
    with pytest.raises(SpecError, match=r"finite number above 0, not -2\.5"):
        draws(distribution("exponential", -2.5), 1)


def test_specs_are_values():
    spec = distribution("empirical", values=np.array([1, 2]), weights=(3, 4))
    np.testing.assert_array_equal(spec.values, [1.0, 2.0])
    assert spec == distribution("empirical", values=[1, 2], weights=[3, 4])
    assert spec != distribution("empirical", values=[1, 2], weights=[3, 5])
    with pytest.raises(TypeError, match="flat list"):
        spec.values = [[1.0]]
