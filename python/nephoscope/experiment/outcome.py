"""What an experiment keeps of a run: numbers by path, latencies, and what must be told of it.

A result that is at hand is one (`ResultRun`). An `Outcome` stands by itself: it is some kilobytes,
travels between processes and is kept in a journal. It leaves out the numbers of single targets and
hosts, which are many.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from nephoscope import _core
from nephoscope.errors import NephoscopeError, PathError
from nephoscope.results import Result

# The one number of experiments that a result does not have: what came to nothing, of all offered.
LOST_SHARE = "lost_share"
_LOST = ("rejected", "failed", "timed_out")

# Of the run, not of what was simulated: nothing to compare.
_OF_THE_RUN = frozenset({"format", "seed", "replication", "events", "wall_s", "steady"})
# What unpacking raises, besides ValueError, of bytes that `pack` did not make.
_DAMAGE = (zlib.error, LookupError, TypeError, AttributeError, ArithmeticError, NephoscopeError)
# Bytes of the number that says how long the text is.
_LENGTH = 4
_JSON = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


class Run(Protocol):
    """What an experiment needs to know of a run."""

    @property
    def numbers(self) -> Mapping[str, float]:
        """The numbers by their paths, at least those that are listed; not what is undefined."""

    def number(self, path: str) -> float | None:
        """A number by its path; None where it is missing or undefined."""

    def knows(self, path: str) -> bool:
        """Whether there is such a number, be it undefined in this run."""

    def histogram(self, part: str) -> _core.Histogram | None:
        """The latencies of a part of the system, where they are kept."""


class ResultRun:
    """A result as a run of an experiment."""

    def __init__(self, result: Result) -> None:
        self.result = result

    @cached_property
    def numbers(self) -> Mapping[str, float]:
        """All numbers by their paths: many, of which most experiments need one or two."""
        return _numbers_of(self.result)

    def number(self, path: str) -> float | None:
        """A number by its path; also of a target that is one of too many to be listed."""
        value = self._at(path)
        return value if _is_number(value) else None

    def knows(self, path: str) -> bool:
        """Whether there is such a number."""
        value = self._at(path)
        return path not in _OF_THE_RUN and (value is None or _is_number(value))

    def histogram(self, part: str) -> _core.Histogram | None:
        """The latencies of a part of the system."""
        return _histogram_of(self.result, part)

    def _at(self, path: str) -> Any:
        """What is at a path; a text where nothing is, which is no number either."""
        try:
            if path.startswith("traffic.") and path.endswith(f".{LOST_SHARE}"):
                return _lost_share(self.result[path.removesuffix(f".{LOST_SHARE}")])
            return self.result[path]
        except PathError:
            return "nothing"


@dataclass(frozen=True)
class Outcome:
    """What is kept of a run when its result has gone."""

    numbers: dict[str, float]
    undefined: frozenset[str]
    histograms: dict[str, _core.Histogram]
    flags: tuple[str, ...]
    fingerprint: str
    events: int
    warmup_s: float

    @classmethod
    def of(cls, result: Result) -> "Outcome":
        """The outcome of a result."""
        numbers = _numbers_of(result, details=False)
        numbers["in_flight"] = result.in_flight
        parts = [path.removesuffix(".count") for path in numbers if path.endswith("_s.count")]
        found = {part: _histogram_of(result, part) for part in parts}
        return cls(
            numbers,
            frozenset(_undefined(result, numbers)),
            {part: histogram for part, histogram in found.items() if histogram is not None},
            tuple(result.flags),
            result.fingerprint,
            result.events,
            result.warmup_s,
        )

    def number(self, path: str) -> float | None:
        """A number by its path."""
        return self.numbers.get(path)

    def knows(self, path: str) -> bool:
        """Whether there is such a number."""
        return path in self.numbers or path in self.undefined

    def histogram(self, part: str) -> _core.Histogram | None:
        """The latencies of a part of the system."""
        return self.histograms.get(part)

    def pack(self) -> bytes:
        """The outcome as bytes, compressed: the length of a JSON text, this text, and histograms.

        The text says of each histogram where it begins there and how long it is. Parts through
        which the same requests pass have the same one, which is there once.
        """
        packed = {part: histogram.pack() for part, histogram in self.histograms.items()}
        begins: dict[bytes, int] = {}
        end = 0
        for data in packed.values():
            if data not in begins:
                begins[data] = end
                end += len(data)
        tree = {
            "numbers": self.numbers,
            "undefined": sorted(self.undefined),
            "histograms": {part: [begins[data], len(data)] for part, data in packed.items()},
            "flags": self.flags,
            "fingerprint": self.fingerprint,
            "events": self.events,
            "warmup_s": self.warmup_s,
        }
        text = _JSON.encode(tree).encode()
        return zlib.compress(b"".join([len(text).to_bytes(_LENGTH, "little"), text, *begins]), 1)

    @classmethod
    def unpack(cls, data: bytes) -> "Outcome":
        """What `pack` made; raises ValueError for bytes that it did not."""
        try:
            whole = zlib.decompress(data)
            end = _LENGTH + int.from_bytes(whole[:_LENGTH], "little")
            tree = json.loads(whole[_LENGTH:end])
            return cls(
                dict(tree["numbers"]),
                frozenset(tree["undefined"]),
                _unpacked(tree["histograms"], whole[end:]),
                tuple(tree["flags"]),
                str(tree["fingerprint"]),
                int(tree["events"]),
                float(tree["warmup_s"]),
            )
        except _DAMAGE as error:
            raise ValueError(f"not an outcome: {error}") from None


def _histogram_of(result: Result, part: str) -> _core.Histogram | None:
    try:
        return result.histogram(part)
    except PathError:
        return None


def _numbers_of(result: Result, *, details: bool = True) -> dict[str, float]:
    """Every number of a result by its path, lost shares too; what is undefined is left out."""
    numbers = dict(result.scalars(details=details))
    for part in _traffic_in(result):
        offered = numbers[f"{part}.offered"]
        if offered:
            lost = sum(numbers[f"{part}.{key}"] for key in _LOST)
            numbers[f"{part}.{LOST_SHARE}"] = lost / offered
    return numbers


def _traffic_in(result: Result) -> list[str]:
    return [f"traffic.{name}" for name in result["traffic"]]


def _lost_share(account: Mapping[str, Any]) -> float | None:
    lost: float = sum(account[key] for key in _LOST)
    return lost / account["offered"] if account["offered"] else None


def _undefined(result: Result, numbers: Mapping[str, float]) -> Iterator[str]:
    for part in _traffic_in(result):
        if not numbers[f"{part}.offered"]:
            yield f"{part}.{LOST_SHARE}"
    yield from result.undefined(details=False)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _unpacked(places: Mapping[str, tuple[int, int]], data: bytes) -> dict[str, _core.Histogram]:
    histograms = {}
    for part, (begin, length) in places.items():
        if not 0 <= begin <= len(data) - length:
            raise LookupError(f"{part} is not there")
        histograms[part] = _core.Histogram.unpack(data[begin : begin + length])
    return histograms
