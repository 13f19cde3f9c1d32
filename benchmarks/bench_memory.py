"""What a world takes of memory, and that a long run takes no more than a short one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sizes import Size

PROBE = Path(__file__).resolve().parent / "memory_probe.py"
EMPTY = 2_000_000  # bytes of a world with nothing in it, and of the allocator's rounding


def probe(**options: float) -> dict[str, float]:
    arguments = [f"--{name}={value}" for name, value in options.items()]
    run = subprocess.run(
        [sys.executable, str(PROBE), *arguments], capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout)


def test_idle_instance() -> None:
    instances = 1_000_000
    assert probe(instances=instances)["bytes"] <= 200 * instances + EMPTY


def test_request_in_flight() -> None:
    """One instance, a thousand times more work than it can do: all but a few requests wait."""
    found = probe(instances=1, utilisation=1000.0, requests=1_000_000)
    assert found["in_flight"] > 990_000
    assert found["bytes"] <= 100 * found["in_flight"] + EMPTY


def test_memory_does_not_grow(size: Size) -> None:
    """The last 99 % of the run add nothing to the peak of the first."""
    found = probe(instances=1_000, requests=10_000_000 if size.full else 1_000_000)
    assert found["events"] > 1_900_000
    assert found["growth"] <= 0.01


@pytest.mark.slow
def test_memory_does_not_grow_in_a_thousand_million_events() -> None:
    found = probe(instances=1_000, requests=500_000_000)
    assert found["events"] > 990_000_000
    assert found["growth"] <= 0.01
