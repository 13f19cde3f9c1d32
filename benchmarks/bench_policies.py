"""Policies of the user's own beside ours: the power of two choices, in C and by numba."""

import ctypes
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import nephoscope as nph
from beside import compare
from rows import Row
from sizes import Size

ROUTING = "load_balancers.farm.routing"

TWO_CHOICES = r"""
#include <nephoscope/routing_policy.h>

int64_t two_choices(const nephoscope_routing_view* view) {
  uint32_t a = nephoscope_below(view->words[0], view->count);
  uint32_t b = nephoscope_below(view->words[1], view->count - 1);
  if (b >= a) ++b;
  return view->in_flight[b] < view->in_flight[a] ? b : a;
}
"""

pytestmark = pytest.mark.benchmark(group="policies", timer=time.thread_time, warmup=False)


def of_c(folder: Path) -> nph.RoutingPolicy:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler (cc)")
    source, library = folder / "policy.c", folder / "policy.so"
    source.write_text(TWO_CHOICES)
    include = ["-I", str(nph.routing.include())]
    command = [compiler, "-O2", "-shared", "-fPIC", *include, str(source), "-o", str(library)]
    subprocess.run(command, check=True)
    return nph.RoutingPolicy(ctypes.CDLL(str(library)).two_choices, name="in C", words=2)


def of_numba(_: Path) -> nph.RoutingPolicy:
    numba = pytest.importorskip("numba", reason="needs numba (the extra `numba`)")

    @numba.njit
    def below(word: np.uint64, n: int) -> np.int64:
        return np.int64(((word >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))

    @nph.routing.compiled(words=2)
    def two_choices(view: nph.routing.View) -> int:
        count = len(view.in_flight)
        a, b = below(view.words[0], count), below(view.words[1], count - 1)
        b += b >= a
        return b if view.in_flight[b] < view.in_flight[a] else a

    return two_choices


@pytest.mark.parametrize("patient", [True, False], ids=["plain", "any"])
@pytest.mark.parametrize(("made", "limit"), [(of_c, 1.5), (of_numba, 2.0)], ids=["c", "numba"])
def test_a_policy_of_ones_own(
    benchmark: BenchmarkFixture,
    size: Size,
    tmp_path: Path,
    made: Callable[[Path], nph.RoutingPolicy],
    limit: float,
    *,
    patient: bool,
) -> None:
    """1,000 targets; where nothing else is asked of the world, and where anything may be."""
    plain = Row("fifo/power_of_two", 1_000, limit=limit).scenario(size.of(1_000_000))
    if not patient:
        plain = plain.replace({"traffic.customers.timeout": "1h"})
    mine = plain.replace({ROUTING: made(tmp_path)})
    # Once in some million draws ours draws again, so that all are exactly as likely.
    pairs = compare(benchmark, size, plain, mine, within=0.01)
    benchmark.extra_info.update(limit=limit)
    if size.full:
        assert pairs.ratio <= limit
