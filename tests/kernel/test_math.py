"""The arithmetic of the draws: accurate, and the same bits on every vector path."""

import hashlib

import mpmath
import numpy as np
import pytest

from nephoscope._core import math

PATHS = [path for path in math.VectorPath if math.has_vector_path(path)]

mpmath.mp.prec = 160


def units(n, seed=1):
    """Uniform numbers as draws make them, half of them crowded towards 0; the same anywhere."""
    generator = np.random.default_rng(seed)
    even = (generator.integers(0, 2**52, n) + 0.5) * 2.0**-52
    even[: n // 2] = np.ldexp(even[: n // 2], -generator.integers(0, 50, n // 2))
    return even


def error_ulp(exact, x, y):
    """The greatest error of y = f(x), in units of the last place of the exact value."""
    truth = [exact(mpmath.mpf(float(value))) for value in x]
    return max(
        float(abs(mpmath.mpf(float(got)) - want) / mpmath.mpf(float(np.spacing(abs(float(want))))))
        for got, want in zip(y, truth, strict=True)
    )


EDGES = np.array([2.0**-53, 2.0**-52, 0.5, 0.5**0.5, np.nextafter(0.5**0.5, 0), 1 - 2.0**-53])


def test_nlog_is_within_one_ulp():
    x = np.concatenate([units(4000), 1 - units(2000), EDGES, [1.5, 1e-300, 1e300, np.e]])
    x = x[x < 1 - 2**-54]
    assert error_ulp(lambda v: -mpmath.log(v), x, math.nlog(x)) < 1


def test_nlog_of_one_is_zero():
    assert math.nlog([1.0]) == 0
    assert not np.signbit(math.nlog([1.0]))[0]


def test_log_beyond_the_normal_numbers():
    x = np.array([5e-324, 1e-310, np.finfo(float).tiny, 0.3, np.finfo(float).max])
    assert error_ulp(mpmath.log, x, math.log(x)) < 1
    np.testing.assert_array_equal(math.log([0.0, np.inf, -1.0]), [-np.inf, np.inf, np.nan])


def test_exp_is_within_one_ulp():
    generator = np.random.default_rng(2)
    x = np.concatenate([generator.uniform(-708, 709.7, 4000), generator.uniform(-1, 1, 2000)])
    assert error_ulp(mpmath.exp, x, math.exp(x)) < 1


def test_exp_at_the_ends_of_the_range():
    ends = math.exp([709.79, 1e14, 0.0, -746, -1e14])
    np.testing.assert_array_equal(ends, [np.inf, np.inf, 1, 0, 0])
    assert np.isnan(math.exp([np.nan]))
    # Results below the normal numbers lose places one by one, as they should.
    x = np.linspace(-745, -708.5, 500)
    np.testing.assert_allclose(math.exp(x), np.exp(x), rtol=1e-15, atol=5e-324)


@pytest.mark.parametrize("y", [-1 / 1.05, -0.5, 0.1, 1 / 3, 2.0, 12.0])
def test_pow_is_within_one_ulp(y):
    x = np.concatenate([units(2000), EDGES])
    x = x[x**y > 1e-307]
    assert error_ulp(lambda v: v ** mpmath.mpf(y), x, math.pow(x, y)) < 1


def test_pow_where_it_leaves_the_range():
    np.testing.assert_array_equal(math.pow([1e-16, 1e-16, 1.0], 1e10), [0, 0, 1])
    np.testing.assert_array_equal(math.pow([1e-16, 1.0], -1e10), [np.inf, 1])


def test_normal_quantile_against_its_inverse():
    def exact(u):
        start = mpmath.mpf(float(math.normal_quantile([float(u)])[0]))
        # In the lower tail by logarithms, or the search would stop at a small absolute error.
        return mpmath.findroot(lambda z: mpmath.log(mpmath.ncdf(z)) - mpmath.log(u), start)

    u = np.concatenate([units(300), 1 - units(100), EDGES, [0.075, 0.925, np.exp(-25.0)]])
    u = u[(u > 0) & (u < 1) & (u != 0.5)]
    assert error_ulp(exact, u, math.normal_quantile(u)) < 4
    assert math.normal_quantile([0.5]) == 0


def test_normal_quantile_is_odd():
    u = units(1000)[500:]
    np.testing.assert_array_equal(math.normal_quantile(u), -math.normal_quantile(1 - u))


def test_normal_above():
    x = np.concatenate([np.linspace(0, 8, 200), [2.5, np.nextafter(2.5, 0), 20, 37]])
    exact = np.array([float(mpmath.erfc(mpmath.mpf(v) / mpmath.sqrt(2)) / 2) for v in x])
    np.testing.assert_allclose(math.normal_above(x), exact, rtol=1e-13, atol=1.2e-16)


def test_gamma():
    x = np.concatenate([np.linspace(0.02, 30, 300), np.linspace(30, 171.6, 100)])
    assert error_ulp(mpmath.gamma, x, math.gamma(x)) < 50
    np.testing.assert_array_equal(math.gamma([1.0, 2.0, 3.0, 4.0, 172.0]), [1, 1, 2, 6, np.inf])


def many(name, path):
    if name == "pow":
        return math.pow(units(30001), -0.7, path)
    x = units(30001) * (-40 if name == "exp" else 1)
    return getattr(math, name)(x, path)


# SHA-256 of the results: the same for every compiler, optimisation level and machine.
BITS = {
    "nlog": "36e7f73ae5e1ce97",
    "exp": "f87c80af593553a9",
    "pow": "581433ee697bc998",
    "normal_quantile": "cb1181f9b6accdd4",
}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
@pytest.mark.parametrize("name", BITS)
def test_bits_never_change(name, path):
    assert hashlib.sha256(many(name, path).tobytes()).hexdigest()[:16] == BITS[name]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
@pytest.mark.parametrize("name", ["nlog", "exp", "normal_quantile"])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 8, 9, 255])
def test_loops_are_the_function_one_by_one(name, path, n):
    x = units(n)
    one_by_one = getattr(math, f"{name}_one_by_one")(x)
    np.testing.assert_array_equal(getattr(math, name)(x, path), one_by_one)


@pytest.mark.parametrize(
    ("x", "ns"),
    [
        (0.0, 0),
        (0.5, 1),
        (np.nextafter(0.5, 0), 0),
        (2.5, 3),
        (-2.5, -3),
        (-0.4, 0),
        (2.0**52 + 1, 2**52 + 1),
        (2.0**51 + 0.5, 2**51 + 1),
        (np.nextafter(2.0**62, 0), 2**62 - 512),
        (2.0**62, 2**62),
        (1e300, 2**62),
        (np.inf, 2**62),
        (-np.inf, -(2**62)),
        (np.nan, 2**62),
    ],
)
def test_to_ns(x, ns):
    assert math.to_ns(x) == ns
