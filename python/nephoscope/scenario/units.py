"""Quantities as people write them: durations, rates, sizes and shares.

Reading is exact: digits go through decimal numbers, never through floating point, and a duration is
rounded once, to the nearest nanosecond. Writing gives back a text that reads the same.
"""

import functools
import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Self

from nephoscope.errors import UnitError, shorten
from nephoscope.nearest import listing, nearest

DURATION_NS = {
    "ns": 1,
    "us": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86_400 * 10**9,
    "w": 7 * 86_400 * 10**9,
}
SIZE_BYTES = {"B": 1}
SIZE_BYTES |= {f"{letter}iB": 1024 ** (i + 1) for i, letter in enumerate("KMGTP")}
SIZE_BYTES |= {f"{letter}B": 1000 ** (i + 1) for i, letter in enumerate("KMGTP")}
SIZE_BYTES["kB"] = 1000

# Bytes a second, as a fraction of a bit each: networks are sold in bits, disks in bytes.
BANDWIDTH_BITS = {f"{letter}bps": 1000**i for i, letter in enumerate(["", "k", "M", "G", "T"])}
BANDWIDTH_BITS |= {f"{unit}/s": 8 * size for unit, size in SIZE_BYTES.items()}

# Seventy years: far beyond any scenario, and sums of a few of them still fit 64 bits.
DURATION_MAX_NS = 25_567 * DURATION_NS["d"]
RATE_MAX = 1e9  # one a nanosecond, the step of the clock
SIZE_MAX = 2**63 - 1
BANDWIDTH_MAX = 2**40  # bytes a second

NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
DURATION_PATTERN = rf"^-?(?:{NUMBER} ?(?:ns|us|µs|ms|s|m|h|d|w))+$"
RATE_PATTERN = rf"^{NUMBER} ?/ ?(?:ns|us|µs|ms|s|m|h|d|w)$"
SIZE_PATTERN = rf"^{NUMBER} ?(?:{'|'.join(SIZE_BYTES)})$"
BANDWIDTH_PATTERN = rf"^{NUMBER} ?(?:{'|'.join(BANDWIDTH_BITS)})$"
SHARE_PATTERN = rf"^{NUMBER} ?%$"

_TEXT_LENGTH_MAX = 64
# As many digits as a product or a sum of numbers within these lengths can have, and more.
_EXACT = Context(prec=300, rounding=ROUND_HALF_EVEN)
_PART = re.compile(rf"({NUMBER}) ?([^\W\d]+)")
_RATE = re.compile(rf"({NUMBER}) ?/ ?([^\W\d]+)")
_BANDWIDTH = re.compile(rf"({NUMBER}) ?([^\W\d]+(?:/s)?)")
_SHARE = re.compile(rf"({NUMBER}) ?%")
_PLAIN = re.compile(NUMBER)

_DURATIONS = "a number with one of " + listing(DURATION_NS) + ", such as 250ms or 1h30m"
_RATES = "a number per unit of time, such as 40/s or 2400/m"
_SIZES = "a number with one of " + listing(SIZE_BYTES) + ", such as 4GiB"
_BANDWIDTHS = "a number with a unit such as Mbps, Gbps, MB/s or GiB/s: 10Gbps"
_SHARES = "a number from 0 to 1, or a percentage such as 10%"

# What people write by habit, so that the nearest word is the one they mean.
_HABITS = {
    **dict.fromkeys(["nsec", "nanos", "nanosecond", "nanoseconds"], "ns"),
    **dict.fromkeys(["usec", "micros", "microsecond", "microseconds"], "us"),
    **dict.fromkeys(["msec", "millis", "millisecond", "milliseconds"], "ms"),
    **dict.fromkeys(["sec", "secs", "second", "seconds"], "s"),
    **dict.fromkeys(["min", "mins", "minute", "minutes"], "m"),
    **dict.fromkeys(["hr", "hrs", "hour", "hours"], "h"),
    **dict.fromkeys(["day", "days"], "d"),
    **dict.fromkeys(["wk", "week", "weeks"], "w"),
    **{letter: f"{letter}iB" for letter in "KMGTP"},
    **{f"{letter}i": f"{letter}iB" for letter in "KMGTP"},
    **{letter: f"{letter.upper()}iB" for letter in "kgtp"},
    **dict.fromkeys(["byte", "bytes", "b"], "B"),
}


class Duration(int):
    """A span of simulated time: a whole number of nanoseconds that prints as `1h30m`."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `250ms`, `1h30m`, `0s`; raise UnitError for anything else."""
        return value if isinstance(value, cls) else cls(_parse_duration(value))

    @property
    def seconds(self) -> float:
        """The same in seconds."""
        return int(self) / 1e9

    def __str__(self) -> str:
        return format_duration(self)

    def __repr__(self) -> str:
        return f"Duration('{self}')"


class Rate(float):
    """Events a second; prints as `40/s`."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `40/s`, `2400/m`; raise UnitError for anything else."""
        return value if isinstance(value, cls) else cls(_parse_rate(value))

    def __str__(self) -> str:
        return f"{_plain(float(self))}/s"

    def __repr__(self) -> str:
        return f"Rate('{self}')"


class Size(int):
    """A number of bytes that prints as `4GiB`."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `4GiB`, `512MB`; raise UnitError for anything else."""
        return value if isinstance(value, cls) else cls(_parse_size(value))

    def __str__(self) -> str:
        return format_size(self)

    def __repr__(self) -> str:
        return f"Size('{self}')"


class Bandwidth(int):
    """Bytes a second; prints as `10Gbps`."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `10Gbps`, `2GB/s`; raise UnitError for anything else."""
        return value if isinstance(value, cls) else cls(_parse_bandwidth(value))

    def __str__(self) -> str:
        bits = 8 * int(self)
        units = [u for u in ("Tbps", "Gbps", "Mbps", "kbps") if bits >= BANDWIDTH_BITS[u]]
        unit = next((u for u in units if bits % (BANDWIDTH_BITS[u] // 1000) == 0), "bps")
        return f"{_plain(Decimal(bits) / BANDWIDTH_BITS[unit])}{unit}"

    def __repr__(self) -> str:
        return f"Bandwidth('{self}')"


def format_duration(ns: int) -> str:
    """The shortest exact text of a duration: `1h30m`, `250ms`, `0s`."""
    if ns < 0:
        return "-" + format_duration(-ns)
    parts = []
    rest = int(ns)
    for unit in ("d", "h", "m"):
        count, rest = divmod(rest, DURATION_NS[unit])
        if count:
            parts.append(f"{count}{unit}")
    if rest or not parts:
        parts.append(_below_a_minute(rest))
    return "".join(parts)


def format_size(size: int) -> str:
    """The shortest exact text of a size; binary units where both are as short."""
    size = int(size)
    texts = [
        f"{size // unit_bytes}{unit}"
        for unit, unit_bytes in SIZE_BYTES.items()
        if size % unit_bytes == 0 and (size or unit == "B")
    ]
    return min(texts, key=lambda text: len(text.rstrip("iB")))


def parse_share(value: object) -> float:
    """Read a probability: 0.1 or `10%`."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UnitError(f"{shorten(value)} is not a probability", _SHARES)
    if isinstance(value, str):
        match = _SHARE.fullmatch(_short(value, "probability", _SHARES))
        if match is None:
            raise UnitError(f"{shorten(value)} is not a probability", _SHARES)
        share = float(_EXACT.divide(_decimal(match[1], value, _SHARES), Decimal(100)))
    else:
        share = float(min(max(value, -1), 2))  # a huge int has no float
    if not 0.0 <= share <= 1.0:
        raise UnitError(f"{shorten(value)} is not between 0 and 1", _SHARES)
    return share


def _parse_duration(value: object) -> int:
    text = _text(value, "duration", _DURATIONS, "s")
    negative, digits = text.startswith("-"), text.removeprefix("-").strip()
    total = Decimal(0)
    position, last_ns = 0, 0
    while position < len(digits):
        part = _PART.match(digits, position)
        if part is None:
            raise UnitError(f"{shorten(value)} is not a duration", _DURATIONS)
        unit = part[2].replace("µ", "u").replace("μ", "u")
        unit_ns = _unit(unit, DURATION_NS, value, "duration", _DURATIONS)
        if last_ns and unit_ns >= last_ns:
            raise UnitError(
                f"{shorten(value)} repeats a unit or has a greater one after a lesser", _DURATIONS
            )
        span = _EXACT.multiply(_decimal(part[1], value, _DURATIONS), Decimal(unit_ns))
        total = _EXACT.add(total, span)
        position, last_ns = part.end(), unit_ns
        while digits[position : position + 1] == " ":
            position += 1
    if total > DURATION_MAX_NS:
        raise UnitError(f"{shorten(value)} is too long", "at most 70 years")
    ns = int(total.to_integral_value(context=_EXACT))
    if total and not ns:
        raise UnitError(f"{shorten(value)} is less than half a nanosecond", "whole nanoseconds")
    return -ns if negative else ns


def _parse_rate(value: object) -> float:
    text = _text(value, "rate", _RATES, "/s")
    match = _RATE.fullmatch(text)
    if match is None:
        raise UnitError(f"{shorten(value)} is not a rate", _RATES)
    unit = match[2].replace("µ", "u").replace("μ", "u")
    unit_ns = _unit(unit, DURATION_NS, value, "rate", _RATES, before="/")
    rate = Fraction(_decimal(match[1], value, _RATES)) * DURATION_NS["s"] / unit_ns
    if rate > RATE_MAX:
        raise UnitError(f"{shorten(value)} is too fast", "at most one a nanosecond")
    return float(rate)


def _parse_size(value: object) -> int:
    text = _text(value, "size", _SIZES, "GiB")
    match = _PART.fullmatch(text)
    if match is None:
        raise UnitError(f"{shorten(value)} is not a size", _SIZES)
    unit_bytes = Decimal(_unit(match[2], SIZE_BYTES, value, "size", _SIZES))
    size = _EXACT.multiply(_decimal(match[1], value, _SIZES), unit_bytes)
    if size > SIZE_MAX:
        raise UnitError(f"{shorten(value)} is too large", "at most 8388607TiB")
    if size != size.to_integral_value():
        raise UnitError(f"{shorten(value)} is not a whole number of bytes", _SIZES)
    return int(size)


def _parse_bandwidth(value: object) -> int:
    text = _text(value, "bandwidth", _BANDWIDTHS, "Gbps")
    match = _BANDWIDTH.fullmatch(text)
    if match is None:
        raise UnitError(f"{shorten(value)} is not a bandwidth", _BANDWIDTHS)
    bits = Decimal(_unit(match[2], BANDWIDTH_BITS, value, "bandwidth", _BANDWIDTHS))
    rate = _EXACT.divide(_EXACT.multiply(_decimal(match[1], value, _BANDWIDTHS), bits), Decimal(8))
    if rate > BANDWIDTH_MAX:
        raise UnitError(f"{shorten(value)} is too fast", "at most 8Tbps")
    if rate != rate.to_integral_value():
        raise UnitError(f"{shorten(value)} is not a whole number of bytes a second", _BANDWIDTHS)
    return int(rate)


def _text(value: object, what: str, allowed: str, unit: str) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise UnitError(f"{shorten(value)} has no unit", allowed, f"{shorten(value)}{unit}")
    if not isinstance(value, str):
        raise UnitError(f"{shorten(value)} is not a {what}", allowed)
    text = _short(value, what, allowed)
    if text.startswith("-") and what != "duration":
        raise UnitError(f"{shorten(value)} is negative", allowed)
    if _PLAIN.fullmatch(text):
        raise UnitError(f"{shorten(value)} has no unit", allowed, f"{text}{unit}")
    return text


def _short(value: str, what: str, allowed: str) -> str:
    text = value.strip(" ")
    if not text or len(text) > _TEXT_LENGTH_MAX or not text.isprintable():
        raise UnitError(f"{shorten(value)} is not a {what}", allowed)
    return text


def _unit(
    unit: str, units: dict[str, int], value: object, what: str, allowed: str, before: str = ""
) -> int:
    if unit in units:
        return units[unit]
    word = _meant_unit(unit, tuple(units))
    hint = None
    if word is not None and isinstance(value, str):
        hint = value.strip().replace(before + unit, before + word)
    raise UnitError(f"{shorten(value)} is not a {what}: no unit {shorten(unit)}", allowed, hint)


@functools.lru_cache(maxsize=256)  # the same wrong unit tends to come many times
def _meant_unit(unit: str, units: tuple[str, ...]) -> str | None:
    habit = _HABITS.get(unit) or _HABITS.get(unit.lower())
    return habit if habit in units else nearest(unit, units)


def _decimal(number: str, value: object, allowed: str) -> Decimal:
    # Beyond these exponents nothing is a quantity of this world, and something like 1e-999 would
    # only need more digits.
    decimal = Decimal(number)
    if decimal and not -40 <= decimal.adjusted() <= 40:
        raise UnitError(f"{shorten(value)} is out of range", allowed)
    return decimal


def _below_a_minute(ns: int) -> str:
    unit = next((u for u in ("s", "ms", "us") if ns >= DURATION_NS[u]), "ns" if ns else "s")
    return f"{_plain(Decimal(ns) / DURATION_NS[unit])}{unit}"


def _plain(number: float | Decimal) -> str:
    if isinstance(number, float):
        return repr(int(number)) if number.is_integer() and number < 1e15 else repr(number)
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
