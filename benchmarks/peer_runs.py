"""Other simulators on the same models, each in a process of its own, fed one seed at a time.

The peers are looked for in this interpreter, or in the one that NEPHOSCOPE_PEER_PYTHON names.
"""

import contextlib
import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import engine
from kernels import Outcome
from rows import Row

SCRIPTS = Path(__file__).resolve().parent / "peers"


@dataclass(frozen=True)
class Peer:
    """One peer on one model, and how many times as fast as it the engine is to be."""

    script: str
    package: str
    instances: int
    requests: int
    target: float | None = None

    @property
    def name(self) -> str:
        model = "single" if self.instances == 1 else f"farm/{self.instances}"
        return f"{self.script}/{model}"

    @property
    def row(self) -> Row:
        if self.instances == 1:
            return Row("single", 1, 0.0, utilisation=0.9)
        return Row("fifo/least_connections", self.instances, 0.0)

    @property
    def engine_runs(self) -> int:
        """How often the engine runs in a turn, so that its time can be measured."""
        return max(1, 300_000 // self.requests)

    def command(self, requests: int) -> list[str]:
        model = "single" if self.instances == 1 else "farm"
        script = str(SCRIPTS / f"{self.script}.py")
        sizes = [f"--instances={self.instances}", f"--requests={requests}"]
        return [interpreter(), script, model, *sizes, "--listen"]


PEERS = [
    Peer("simpy_process", "simpy", 1_000, 100_000, target=150.0),
    Peer("simpy_callback", "simpy", 1_000, 200_000, target=50.0),
    Peer("cimba_process", "cimba", 1_000, 500_000, target=8.0),
    Peer("cimba_event", "cimba", 1_000, 1_000_000),
    Peer("numba_loop", "numba", 1_000, 1_000_000, target=2.0),
    Peer("ciw_network", "ciw", 10, 10_000),
    Peer("simpy_process", "simpy", 1, 100_000),
    Peer("simpy_callback", "simpy", 1, 200_000),
    Peer("cimba_process", "cimba", 1, 1_000_000, target=1.0),
    Peer("cimba_event", "cimba", 1, 1_000_000),
    Peer("numba_loop", "numba", 1, 1_000_000),
    Peer("ciw_network", "ciw", 1, 20_000),
]


def interpreter() -> str:
    return os.environ.get("NEPHOSCOPE_PEER_PYTHON") or sys.executable


@functools.cache
def missing(package: str) -> str | None:
    """Why a peer cannot run here, or None when it can."""
    tried = subprocess.run(
        [interpreter(), "-W", "ignore", "-c", f"import {package}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode == 0:
        return None
    reason = (tried.stderr.strip().splitlines() or ["no reason given"])[-1]
    return f"{package} cannot be imported by {interpreter()}: {reason}"


@contextlib.contextmanager
def started(peer: Peer, requests: int) -> Iterator[Callable[[int], Outcome]]:
    """A function that runs the peer with a seed; its mean is in ns of the engine's model."""
    compiled = Path(tempfile.gettempdir()) / f"nephoscope-numba-{os.getuid()}"
    with subprocess.Popen(
        peer.command(requests),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"NUMBA_CACHE_DIR": str(compiled)},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        source, sink = process.stdout, process.stdin

        def run(seed: int) -> Outcome:
            sink.write(f"{seed}\n")
            sink.flush()
            line = source.readline()
            assert line, f"{peer.name} ended with code {process.wait()}"
            answer = json.loads(line)
            mean_ns = answer["mean"] * engine.WORK_NS
            return Outcome(answer["seconds"], mean_ns, answer["offered"], answer["completed"])

        yield run
        sink.close()
