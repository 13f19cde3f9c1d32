"""One number that stands for everything a run counted, the same wherever it runs."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from nephoscope import _core

_NOT_OVER = {"traces", "given_up", "draining", "held_s"}
# What most values are, and asked first for that.
_PLAIN = (int, float, str)


def fingerprint_of(numbers: Mapping[str, Any], sections: Iterable[str]) -> str:
    """128 bits over every count, histogram and time of these sections, in hexadecimal.

    Not over what it took to get them, nor which requests were followed, which changes nothing else,
    nor why deliveries were given up, which are counted without that, nor what shows as draining or
    was held by archives, which follow from what has left and what was put.
    """
    parts = [f"{numbers['now_ns']},{numbers['warmup_ns']};".encode()]
    for section in sections:
        for part in numbers.get(section, []):
            for key in sorted(part.keys() - _NOT_OVER):
                _add(parts, f"{section}.{key}", part[key])
    return hashlib.blake2b(b"".join(parts), digest_size=16).hexdigest()


def _add(parts: list[bytes], key: str, value: Any) -> None:
    """Add a key and its value in an order and a form that no machine changes."""
    if isinstance(value, _PLAIN):
        parts.append(f"{key}:{value!r};".encode())
        return
    parts.append(f"{key}:".encode())
    if isinstance(value, _core.Histogram):
        parts.append(value.pack())
    elif isinstance(value, np.ndarray):
        parts.append(np.asarray(value, dtype="<i8").tobytes())
    elif isinstance(value, Mapping):
        for inner in sorted(value):
            _add(parts, inner, value[inner])
    else:
        parts.append(f"{value!r};".encode())
