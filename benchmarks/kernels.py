"""The limit kernels: compiled once with the machine's C++ compiler, called through ctypes."""

import ctypes
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [
    ROOT / "benchmarks/limits/kernels.cpp",
    ROOT / "benchmarks/limits/fluid.cpp",
    ROOT / "cpp/kernel/random.cpp",
    ROOT / "cpp/kernel/math.cpp",
]
FLAGS = ["-std=c++20", "-O3", "-march=native", "-ffp-contract=off", "-shared", "-fPIC"]


Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.uint32]


class NoCompilerError(RuntimeError):
    """There is nothing on this machine to compile the kernels with."""


@dataclass(frozen=True)
class Outcome:
    """What a run came to; `seconds` are of the thread's CPU time."""

    seconds: float
    mean_ns: float
    offered: int
    completed: int

    @property
    def ns_per_request(self) -> float:
        return self.seconds / max(self.offered, 1) * 1e9


class _Outcome(ctypes.Structure):
    _fields_ = (
        ("seconds", ctypes.c_double),
        ("mean_ns", ctypes.c_double),
        ("offered", ctypes.c_uint64),
        ("completed", ctypes.c_uint64),
    )


class Kernels:
    """The compiled kernels."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        timed = "router hold histogram draws fluid booking credit credit_scan queue"
        for part in timed.split():
            getattr(library, f"limit_{part}").restype = ctypes.c_double

    def run(
        self, name: str, *, instances: int, utilisation: float, seed: int, end_ns: int
    ) -> Outcome:
        outcome = _Outcome()
        found = self._library.limit_run(
            name.encode(),
            ctypes.c_uint32(instances),
            ctypes.c_double(utilisation),
            ctypes.c_uint64(seed),
            ctypes.c_int64(end_ns),
            ctypes.byref(outcome),
        )
        assert found, f"there is no limit kernel {name!r}"
        return Outcome(outcome.seconds, outcome.mean_ns, outcome.offered, outcome.completed)

    def router(self, routing: str, targets: int, batch: int, batches: int) -> float:
        return self._library.limit_router(
            routing.encode(), *map(ctypes.c_uint32, (targets, batch, batches))
        )

    def hold(self, pending: int, gaps: npt.NDArray[np.int64]) -> float:
        return self._library.limit_hold(ctypes.c_uint32(pending), *_array(gaps))

    def histogram(self, values: npt.NDArray[np.int64]) -> tuple[float, float]:
        """Seconds, and the mean of what was recorded."""
        mean = ctypes.c_double()
        return self._library.limit_histogram(*_array(values), ctypes.byref(mean)), mean.value

    def credit(
        self,
        hosts: int,
        ticks: int,
        block: int,
        weights: npt.NDArray[np.uint32],
        *,
        scan: bool = False,
    ) -> tuple[float, npt.NDArray[np.uint32]]:
        """Seconds, and the ticks that each vCPU of the first host ran, 30 to warm up included.

        Without a branch, or by `scan` of all for UNDER and then for OVER.
        """
        ran = np.zeros(len(weights), dtype=np.uint32)
        kernel = self._library.limit_credit_scan if scan else self._library.limit_credit
        seconds = kernel(
            *map(ctypes.c_uint32, (hosts, ticks, block)),
            ctypes.c_void_p(weights.ctypes.data),
            ctypes.c_void_p(ran.ctypes.data),
        )
        return seconds, ran

    def queue(self, waiting: int, batch: int, rounds: int) -> tuple[float, int]:
        """Seconds, and how many messages were deleted."""
        deleted = ctypes.c_uint64()
        seconds = self._library.limit_queue(
            ctypes.c_uint64(waiting),
            *map(ctypes.c_uint32, (batch, rounds)),
            ctypes.byref(deleted),
        )
        return seconds, deleted.value

    def draws(self, seed: int, count: int) -> tuple[float, float]:
        """Seconds, and the mean of what was drawn."""
        mean = ctypes.c_double()
        seconds = self._library.limit_draws(
            ctypes.c_uint64(seed), ctypes.c_size_t(count), ctypes.byref(mean)
        )
        return seconds, mean.value

    def fluid(
        self, columns: list[Doubles], size: int, capacity: float, tenants: Indices, wants: Indices
    ) -> float:
        """Weights, ceilings and shares of all tenants, `size` a host, after these changes."""
        return self._library.limit_fluid(
            *(_array(column)[0] for column in columns),
            ctypes.c_uint32(size),
            ctypes.c_double(capacity),
            _array(tenants)[0],
            *_array(wants),
        )

    def booking(
        self, columns: list[Doubles], now: float, tenants: Indices, wants: Indices
    ) -> float:
        """Shares, what ran and until when it is booked, of all tenants, after these changes."""
        return self._library.limit_booking(
            *(_array(column)[0] for column in columns),
            ctypes.c_double(now),
            _array(tenants)[0],
            *_array(wants),
        )


def _array(values: npt.NDArray[np.generic]) -> tuple[ctypes.c_void_p, ctypes.c_size_t]:
    return ctypes.c_void_p(values.ctypes.data), ctypes.c_size_t(len(values))


@functools.cache
def load() -> Kernels:
    """Compile the kernels, unless the same sources were compiled before, and load them."""
    compiler = os.environ.get("CXX") or "c++"
    if shutil.which(compiler.split()[0]) is None:
        raise NoCompilerError(f"no C++ compiler: {compiler!r} is not there and CXX names no other")
    command = [*compiler.split(), *FLAGS, f"-I{ROOT / 'cpp'}", *map(str, SOURCES)]
    library = _cache() / f"limits-{_key(command)}.so"
    if not library.exists():
        unfinished = library.with_suffix(f".{os.getpid()}")
        built = subprocess.run(
            [*command, "-o", str(unfinished)], capture_output=True, text=True, check=False
        )
        if built.returncode != 0:
            raise NoCompilerError(f"{compiler!r} cannot compile the kernels:\n{built.stderr}")
        unfinished.rename(library)
    return Kernels(ctypes.CDLL(str(library)))


def _cache() -> Path:
    folder = Path(tempfile.gettempdir()) / f"nephoscope-limits-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _key(command: list[str]) -> str:
    digest = hashlib.sha256(" ".join(command).encode())
    for folder in (ROOT / "benchmarks/limits", ROOT / "cpp/kernel"):
        for path in sorted(folder.glob("*.[ch]pp")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
