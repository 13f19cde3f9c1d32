"""Compiled policies for tests: from C, where there is a compiler, and as functions of ctypes."""

import ctypes
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

import nephoscope as nph

SOURCE = Path(__file__).with_name("policies.c")


class View(ctypes.Structure):
    """The struct of the header."""

    _fields_ = (
        ("version", ctypes.c_uint32),
        ("count", ctypes.c_uint32),
        ("numbers", ctypes.POINTER(ctypes.c_uint32)),
        ("in_flight", ctypes.POINTER(ctypes.c_uint32)),
        ("weights", ctypes.POINTER(ctypes.c_double)),
        ("latency_ns", ctypes.POINTER(ctypes.c_double)),
        ("zones", ctypes.POINTER(ctypes.c_uint32)),
        ("client", ctypes.c_uint64),
        ("hash", ctypes.c_uint64),
        ("now_ns", ctypes.c_int64),
        ("source", ctypes.c_uint32),
        ("event", ctypes.c_uint32),
        ("words", ctypes.POINTER(ctypes.c_uint64)),
        ("words_count", ctypes.c_uint64),
        ("state", ctypes.c_void_p),
        ("state_size", ctypes.c_uint64),
    )


SIGNATURE = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.POINTER(View))

ARRAYS = ("numbers", "in_flight", "weights", "latency_ns", "zones")
NUMBERS = ("client", "hash", "now_ns", "source", "event")


@functools.cache
def library() -> Path:
    """The C policies, compiled once; whoever asks where there is no compiler is skipped."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler (cc)")
    path = Path(tempfile.mkdtemp()) / "policies.so"
    command = [compiler, "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    include = ["-I", str(nph.routing.include())]
    subprocess.run([*command, *include, str(SOURCE), "-o", str(path)], check=True)
    return path


def of_c(function: str, **options) -> nph.RoutingPolicy:
    return nph.RoutingPolicy.load(library(), function, **options)


class Witness:
    """A policy that keeps all that it is shown, and sends to the positions it was told, in turn."""

    def __init__(self, *positions: int, **options) -> None:
        self.seen: list[dict] = []
        self._positions = positions
        self.policy = nph.RoutingPolicy(SIGNATURE(self._choose), name="witness", **options)

    def _choose(self, pointer) -> int:
        view = pointer.contents
        shown = {key: getattr(view, key)[: view.count] for key in ARRAYS}
        shown |= {key: getattr(view, key) for key in NUMBERS}
        shown["words"] = view.words[: view.words_count]
        shown["state"] = ctypes.string_at(view.state, view.state_size)
        self.seen.append(shown)
        return self._positions[(len(self.seen) - 1) % len(self._positions)]

    def column(self, key: str) -> list:
        return [shown[key] for shown in self.seen]
