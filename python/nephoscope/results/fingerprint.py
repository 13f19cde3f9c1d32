"""One number that stands for everything a run counted, the same wherever it runs."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from nephoscope import _core


def fingerprint_of(numbers: Mapping[str, Any], sections: Iterable[str]) -> str:
    """128 bits over every count, histogram and time of these sections, in hexadecimal."""
    digest = hashlib.blake2b(digest_size=16)
    for part in _canonical(numbers, sections):
        digest.update(part)
    return digest.hexdigest()


def _canonical(numbers: Mapping[str, Any], sections: Iterable[str]) -> Iterator[bytes]:
    """The numbers in an order and a form that no machine changes; not what it took to get them.

    Nor which requests were followed, which changes nothing else.
    """
    yield f"{numbers['now_ns']},{numbers['warmup_ns']};".encode()
    for section in sections:
        for part in numbers.get(section, []):
            for key in sorted(part.keys() - {"traces"}):
                yield f"{section}.{key}:".encode()
                yield from _bytes_of(part[key])


def _bytes_of(value: Any) -> Iterator[bytes]:
    if isinstance(value, _core.Histogram):
        if value.count:
            exact = (value.count, value.sum, value.sum_of_squares, value.min, value.max)
            yield repr(exact).encode()
            lower, _, counts = value.buckets()
            yield np.asarray(lower, dtype="<i8").tobytes()
            yield np.asarray(counts, dtype="<u8").tobytes()
    elif isinstance(value, np.ndarray):
        yield np.asarray(value, dtype="<i8").tobytes()
    elif isinstance(value, Mapping):
        for key in sorted(value):
            yield f"{key}:".encode()
            yield from _bytes_of(value[key])
    else:
        yield f"{value!r};".encode()
