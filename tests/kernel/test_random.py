"""Streams: words equal to NumPy's, keys that never collide or change, unbiased integers."""

import numpy as np
import pytest
from scipy import stats

from nephoscope import _core

FALSE_ALARM = 1e-6

KEYS = [
    (0x1B0D2B170CB22804, 0xFA29151136D3A8B4),
    (0xD3FE164BA2E5E79E, 0xFD62368CB6A0F0BB),
    (0x94BE3EAEB9CB40BE, 0x566D15743CDA261F),
    (0x67AC65F3FF6DAA7D, 0xA7774FA2E049CC97),
]


def numpy_words(key, n, start=0):
    return np.random.Philox(key=np.array(key, dtype=np.uint64)).random_raw(start + n)[start:]


@pytest.mark.parametrize(
    ("seed", "replication", "name"),
    [
        (0, 0, ""),
        (7, 0, "traffic/customers/arrivals"),
        (2**64 - 1, 2**64 - 1, "load_balancers/front-door/routing"),
        (1, 2, "naïve/名前"),
    ],
)
def test_words_are_numpys(seed, replication, name):
    key = _core.stream_key(seed, replication, name)
    words = _core.random_words(seed, replication, name, 1000)
    np.testing.assert_array_equal(words, numpy_words(key, 1000))


@pytest.mark.parametrize("start", [0, 1, 2, 3, 5, 255, 4097])
@pytest.mark.parametrize("n", [0, 1, 6])
def test_words_from_any_offset(start, n):
    whole = numpy_words(_core.stream_key(3, 1, "x"), 5000)
    np.testing.assert_array_equal(_core.random_words(3, 1, "x", n, start), whole[start : start + n])


def test_far_words_by_advancing_numpys_counter():
    start = 4 * 10**15
    generator = np.random.Philox(key=np.array(_core.stream_key(3, 1, "x"), dtype=np.uint64))
    generator.advance(start // 4)
    np.testing.assert_array_equal(_core.random_words(3, 1, "x", 8, start), generator.random_raw(8))


def test_known_answer_of_the_generator():
    # The known answers of Random123 for Philox4x64-10 at key and counter 0. A stream starts at
    # counter 1 and its key is a hash, so NumPy, with its counter set back by one, stands between.
    generator = np.random.Philox(key=0, counter=[2**64 - 1] * 4)
    assert [f"{word:016x}" for word in generator.random_raw(4)] == [
        "16554d9eca36314c",
        "db20fe9d672d0fdc",
        "d7e772cee186176b",
        "7e68b68aec7ba23b",
    ]


def test_keys_never_change():
    assert [
        _core.stream_key(0, 0, ""),
        _core.stream_key(7, 0, "traffic/customers/arrivals"),
        _core.stream_key(7, 1, "traffic/customers/arrivals"),
        _core.stream_key(2**64 - 1, 2**32, "fleet/web/17/service"),
    ] == KEYS


def test_keys_are_distinct():
    names = [f"fleet/{fleet}/{i}/service" for fleet in ("a", "b", "web") for i in range(1000)]
    keys = [
        _core.stream_key(seed, replication, name)
        for seed in (0, 1, 2, 2**32, 2**63)
        for replication in range(5)
        for name in names
    ]
    words = np.array(keys, dtype=np.uint64)
    # Either half alone must do: 150,000 of 2^64 values collide with probability 6e-10.
    assert len(np.unique(words[:, 0])) == len(keys)
    assert len(np.unique(words[:, 1])) == len(keys)
    assert not np.intersect1d(words[:, 0], words[:, 1]).size


def test_seed_and_replication_are_not_exchangeable():
    assert _core.stream_key(1, 2, "x") != _core.stream_key(2, 1, "x")
    assert _core.stream_key(0, 1, "x") != _core.stream_key(1, 0, "x")


def test_key_bits_are_even():
    keys = np.array([_core.stream_key(s, 0, f"{s}") for s in range(20000)], dtype=np.uint64)
    bits = np.unpackbits(keys.view(np.uint8)).reshape(len(keys), 128)
    z = (bits.mean(axis=0) - 0.5) * 2 * np.sqrt(len(keys))
    assert np.abs(z).max() < stats.norm.isf(FALSE_ALARM / 2 / 128)


@pytest.mark.parametrize("bound", [1, 2, 3, 100, 1000])
def test_integers_below_a_bound_are_uniform(bound):
    n = 200_000
    drawn = _core.random_below(bound, 5, 0, "below", n)
    counts = np.bincount(drawn, minlength=bound)
    assert len(counts) == bound
    if bound > 1:
        assert stats.chisquare(counts).pvalue > FALSE_ALARM


def test_integers_below_a_large_bound_are_not_biased():
    # Multiply-shift without rejection makes every third value of this bound twice as likely.
    bound = 3 * 2**30
    drawn = _core.random_below(bound, 5, 0, "large", 300_000)
    assert drawn.max() < bound
    counts = np.bincount(drawn % 3, minlength=3)
    assert stats.chisquare(counts).pvalue > FALSE_ALARM


def test_integers_follow_the_words():
    words = _core.random_words(5, 0, "follow", 1000)
    drawn = _core.random_below(1000, 5, 0, "follow", 1000)
    # No word of these is rejected: the chance of that is 1000 * 1000 / 2^32.
    np.testing.assert_array_equal(
        drawn, (words >> np.uint64(32)) * np.uint64(1000) >> np.uint64(32)
    )


def test_a_bound_of_zero_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        _core.random_below(0, 0, 0, "x", 1)
