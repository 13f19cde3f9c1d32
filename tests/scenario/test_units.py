"""Quantities are read exactly, refused with a reason, and written as text that reads the same."""

import pickle
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephoscope import Scenario
from nephoscope.errors import UnitError
from nephoscope.scenario.units import DURATION_MAX_NS, Bandwidth, Duration, Rate, Size, parse_share


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("0s", 0),
        ("1ns", 1),
        ("2.5us", 2500),
        ("3µs", 3000),
        ("250ms", 250_000_000),
        ("1.5s", 1_500_000_000),
        (".5s", 500_000_000),
        ("5.s", 5_000_000_000),
        ("1h30m", 5400 * 10**9),
        ("1h 30m", 5400 * 10**9),
        ("1d2h3m4s5ms6us7ns", 93_784_005_006_007),
        ("2w", 14 * 86400 * 10**9),
        ("1e-3s", 1_000_000),
        ("-1d", -86400 * 10**9),
        ("0.1234567894s", 123_456_789),  # to the nearest
        ("0.3s", 300_000_000),  # which no binary fraction is
    ],
)
def test_durations(text, ns):
    assert Duration.parse(text) == ns


@pytest.mark.parametrize(
    ("text", "per_second"),
    [
        ("40/s", 40),
        ("2400/m", 40),
        ("90/h", 0.025),
        ("1/ms", 1000),
        ("0.5 / s", 0.5),
        ("86400/d", 1),
    ],
)
def test_rates(text, per_second):
    assert Rate.parse(text) == per_second


@pytest.mark.parametrize(
    ("text", "bytes_per_second", "written"),
    [
        ("10Gbps", 1_250_000_000, "10Gbps"),
        ("750 Mbps", 93_750_000, "750Mbps"),
        ("0.781Gbps", 97_625_000, "781Mbps"),
        ("2GB/s", 2 * 10**9, "16Gbps"),
        ("1GiB/s", 2**30, "8589934.592kbps"),
        ("1B/s", 1, "8bps"),
        ("2.5Gbps", 312_500_000, "2.5Gbps"),
    ],
)
def test_bandwidths(text, bytes_per_second, written):
    assert Bandwidth.parse(text) == bytes_per_second
    assert str(Bandwidth.parse(text)) == written
    assert Bandwidth.parse(written) == bytes_per_second


@pytest.mark.parametrize(
    ("text", "size"),
    [("0B", 0), ("1.5KiB", 1536), ("4GiB", 4 * 2**30), ("512MB", 512 * 10**6), ("1kB", 1000)],
)
def test_sizes(text, size):
    assert Size.parse(text) == size


@pytest.mark.parametrize(
    ("value", "share"), [(0, 0), (1, 1), (0.25, 0.25), ("10%", 0.1), ("0.5%", 0.005)]
)
def test_shares(value, share):
    assert parse_share(value) == share


@pytest.mark.parametrize(
    ("parse", "value", "words"),
    [
        (Duration.parse, "40", "40s"),
        (Duration.parse, 40, "40s"),
        (Duration.parse, "5 sec", "5 s"),
        (Duration.parse, "5 minutes", "5 m"),
        (Duration.parse, "5 fortnights", "no unit"),
        (Duration.parse, "1m1h", "greater"),
        (Duration.parse, "1s1s", "repeats"),
        (Duration.parse, "0.1ns", "half a nanosecond"),
        (Duration.parse, "71y", "unit"),
        (Duration.parse, "1e6w", "70 years"),
        (Duration.parse, "1e400s", "out of range"),
        (Duration.parse, "1e9999s", "not a duration"),
        (Duration.parse, "s", "not a duration"),
        (Duration.parse, "", "not a duration"),
        (Duration.parse, "1" * 70 + "s", "not a duration"),
        (Duration.parse, "٣s", "not a duration"),
        (Duration.parse, True, "not a duration"),
        (Duration.parse, None, "not a duration"),
        (Rate.parse, 40, "40/s"),
        (Rate.parse, "40/sec", "40/s"),
        (Rate.parse, "-1/s", "negative"),
        (Rate.parse, "2/ns", "too fast"),
        (Rate.parse, "nan/s", "not a rate"),
        (Size.parse, "4G", "4GiB"),
        (Size.parse, "4gb", "4GB"),
        (Size.parse, "0.5B", "whole number"),
        (Size.parse, "1e30PB", "too large"),
        (parse_share, 1.5, "between"),
        (parse_share, "150%", "between"),
        (parse_share, float("nan"), "between"),
        (parse_share, 10**400, "between"),
        (parse_share, "half", "not a probability"),
    ],
)
def test_what_cannot_be_read_says_why(parse, value, words):
    with pytest.raises(UnitError) as caught:
        parse(value)
    assert words in str(caught.value)
    assert caught.value.allowed


@given(st.integers(-DURATION_MAX_NS, DURATION_MAX_NS))
def test_every_duration_reads_as_it_is_written(ns):
    assert Duration.parse(str(Duration(ns))) == ns


@given(st.integers(0, 2**63 - 1))
def test_every_size_reads_as_it_is_written(size):
    assert Size.parse(str(Size(size))) == size


@given(st.floats(1e-12, 1e9))
def test_every_rate_reads_as_it_is_written(rate):
    assert Rate.parse(str(Rate(rate))) == rate


@pytest.mark.parametrize(
    ("ns", "text"),
    [(0, "0s"), (90 * 10**9, "1m30s"), (250_000_000, "250ms"), (1500, "1.5us"), (-(10**9), "-1s")],
)
def test_durations_are_written_short(ns, text):
    assert str(Duration(ns)) == text
    assert repr(Duration(ns)) == f"Duration('{text}')"


def test_quantities_are_numbers_that_survive_pickling():
    for quantity in (Duration.parse("90s"), Rate.parse("40/s"), Size.parse("4GiB")):
        copy = pickle.loads(pickle.dumps(quantity))
        assert copy == quantity
        assert type(copy) is type(quantity)
    assert Duration.parse("90s").seconds == 90.0


def test_python_timedeltas_are_durations():
    scenario = Scenario(
        duration=timedelta(hours=1),
        services={"page": {"steps": [{"compute": timedelta(milliseconds=5)}]}},
        fleets={"web": {"service": "page"}},
        traffic={"users": {"to": "web", "rate": "1/s"}},
    )
    assert str(scenario.duration) == "1h"
