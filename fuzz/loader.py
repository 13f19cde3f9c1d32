"""Fuzz target of the loader: mutated scenario files are accepted or refused with a ScenarioError.

    python fuzz/loader.py [--inputs N] [--seed N]      inputs 0 to N - 1
    python fuzz/loader.py [--seconds S] [--seed N]     inputs 0, 1, 2, ... until the time is up
    python fuzz/loader.py [--seed N] --only K          input K alone, shown

Input K of a seed is always the same. What is accepted is also put into words. Any
other exception, a refusal that names no place, and an input that takes longer than `HANG_SECONDS`
is a failure.
"""

import argparse
import copy
import json
import math
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import yaml

from nephoscope import Scenario
from nephoscope.errors import ScenarioError
from nephoscope.report.description import describe

ROOT = Path(__file__).parents[1]
HANG_SECONDS = 20
FAILURES_MAX = 10

SMALL = """\
nephoscope: 1
name: small
duration: 1h
warmup: 5m
fleets:
  web:
    instance_type:
      vcpus: 2
      memory: 4GiB
      network: {baseline: 1Gbps, burst: 10Gbps, burst_for: 5m}
      disk: {bandwidth: 125MB/s, burst: 1GB/s, iops: 3000}
      gpu: {count: 1, speed: 2}
    count: 3
    service: answer
  db: {instance_type: m5.large, count: 1, service: look-up}
services:
  answer:
    discipline: fifo
    concurrency: 2
    backlog: 64
    steps:
      - compute: {lognormal: {mean: 40ms, cv: 0.8}}
      - choose: [{weight: 1, steps: [{call: db}]}, {weight: 2, steps: [{sleep: 5ms}]}]
      - fail: 0.01
  look-up: {discipline: ps, steps: [{compute: 5ms}]}
  render:
    steps:
      - memory: 1GiB
      - gpu: {work: {exponential: 5ms}, batch: 8, marginal: 0.1}
      - disk: {bytes: 1MB, ops: 10}
      - network: 200kB
load_balancers:
  front: {targets: [web, {fleet: db, weight: 0.5}], routing: least_connections}
traffic:
  customers: {to: front, rate: 40/s, clients: {count: 100, popularity: {zipf: 1.1}}, timeout: 2s}
  batch: {to: web, arrivals: {closed: {users: 5, think: {exponential: 1s}}}}
  storm: {to: front, arrivals: {mmpp: {rates: [1/s, 90/s], mean_stay: [1m, 5s]}}}
  day: {to: front, arrivals: {profile: [[0s, 1/s], [30m, 50/s]]}}
"""

SHARED = """\
nephoscope: 1
name: shared
duration: 10m
hosts:
  hall:
    count: 4
    type:
      {sockets: 2, cores: 8, threads_per_core: 2, memory: 64GiB, network: 25Gbps, disk: 2, gpu: 4}
    scheduler: fair
    core_scheduling: true
    cpu_overcommit: 4
    smt_gain: 0.3
    place: spread
    zones: [a, b]
    racks: 2
  attic: {type: {cores: 4}, cpu_overcommit: 2.5, zone: a}
fleets:
  web:
    instance_type: {vcpus: 2, memory: 4GiB, disk: {count: 1}}
    count: 3
    service: answer
    hosts: hall
    weight: 512
    cap: {quota: 30ms, period: 100ms}
    zones: [a]
    placement: {group: apart, strategy: spread}
    boot: {exponential: 30s}
  batch:
    instance_type: {vcpus: 1, memory: 1GiB}
    service: answer
    hosts: attic
    cap: 0.5
    reservation: 0.25
services:
  answer: {steps: [{compute: 5ms}]}
traffic:
  customers: {to: web, rate: 40/s}
  jobs: {to: batch, rate: 10/s}
"""

# Words that mean something to YAML, to units, or to nobody.
TOKENS = (
    "&a", "*a", "<<: *a", "!!python/object:os.system", "!!binary", "? ", ": ", "- ", "---\n", "...",
    "|", ">", "#", "{", "}", "[", "]", ",", '"', "'", "\\", "\t", "\0", "\ufeff", "\u2028", "💥",
    "~", "null", "yes", "off", "0o17", "017", "0x1F", "1_000", "1e999", "-1", "0", "nan", ".inf",
    "1h", "1 parsec", "40/s", "40/fortnight", "4GiB", "250ms", "-5s", "1e300s", "0/s", "10%",
    "queues", "hosts", "scaling", "targets", "routing", "steps", "call", "front", "web", "trace",
    "least_conections", "{trace: {file: /etc/passwd, column: x}}", "../../..", "2026-11-23",
    "m5.large", "t3.micro", "10Gbps", "{type: c5.large, vcpus: 2}",
)  # fmt: skip

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**63, 2**64, 10**40, 0.0, -0.0, 1e308, float("inf"), float("nan"),
    "", " ", "0", "web", "front", "1h", "-1h", "0s", "1e30h", "40/s", "4GiB", "auto", "x" * 5000,
    [], {}, [[]], [None], {"": None}, {"exponential": "1s"}, {"a": {"b": {"c": []}}}, [1, "1s", {}],
)  # fmt: skip


def seeds() -> list[str]:
    """The files that are mutated: the examples, and two that have every kind of thing."""
    files = sorted((ROOT / "examples").glob("*.yaml"))
    return [SMALL, SHARED, *(file.read_text(encoding="utf-8") for file in files)]


def mutate_text(text: str, other: str, rng: random.Random) -> bytes:
    """Some wounds at random places of the bytes, of a word or of a line."""
    data = bytearray(text.encode())
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        start = rng.randrange(len(data) + 1)
        end = min(len(data), start + int(rng.expovariate(1 / 12)))
        choice = rng.randrange(7)
        if choice == 0:
            data[start:end] = b""
        elif choice == 1:
            data[start:start] = data[start:end] * rng.randint(1, 40)
        elif choice == 2:
            data[start:end] = rng.choice(TOKENS).encode()
        elif choice == 3:
            data[start:end] = rng.randbytes(end - start)
        elif choice == 4:
            data[start:end] = other.encode()[start:end]
        elif choice == 5:
            lines = bytes(data).splitlines(keepends=True)
            line = rng.randrange(len(lines)) if lines else 0
            lines[line : line + 1] = [b" " * rng.randint(0, 9) + x for x in lines[line : line + 2]]
            data = bytearray(b"".join(lines))
        elif data:
            del data[rng.randrange(len(data)) :]
    return bytes(data)


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every (mapping or list, key or index) of a tree."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    found = [(tree, key) for key, _ in items]
    for parent, key in list(found):
        if isinstance(parent[key], dict | list):
            found += places(parent[key])
    return found


def mutate_tree(text: str, _: str, rng: random.Random) -> bytes:
    """Some values of the tree taken away, replaced, renamed or moved; written as YAML or JSON."""
    tree = yaml.safe_load(text)
    for _ in range(rng.choice((1, 1, 2, 3))):
        found = places(tree)
        if not found:
            break
        parent, key = rng.choice(found)
        choice = rng.randrange(5)
        if choice == 0:
            del parent[key]
        elif choice == 1:
            parent[key] = copy.deepcopy(rng.choice(VALUES))
        elif choice == 2 and isinstance(parent, dict):
            word = str(key)
            at = rng.randrange(len(word) + 1)
            parent[word[:at] + rng.choice("aesx-_ ") + word[at + rng.randint(0, 1) :]] = parent.pop(
                key
            )
        elif choice == 3:
            source, name = rng.choice(found)
            parent[key] = json.loads(json.dumps(source[name])) if _has(source, name) else None
        else:
            depth = rng.choice((1, 1, 2, 90))
            for _ in range(depth):
                parent[key] = [parent[key]] if rng.random() < 0.5 else {"web": parent[key]}
            if depth > 2:  # deeper still, and it is the writer that gives up
                break
    return (json.dumps(tree) if rng.random() < 0.3 else yaml.safe_dump(tree)).encode()


def _has(parent: Any, key: Any) -> bool:
    return key in parent if isinstance(parent, dict) else key < len(parent)


def input_of(seed: int, number: int, texts: list[str]) -> bytes:
    """Input `number` of a seed."""
    rng = random.Random(f"{seed}/{number}")
    mutate: Callable[[str, str, random.Random], bytes]
    mutate = mutate_tree if rng.random() < 0.6 else mutate_text
    return mutate(rng.choice(texts), rng.choice(texts), rng)


class HangError(Exception):
    """The loader took too long."""


def on_alarm(_: int, __: FrameType | None) -> None:
    """Interrupt what runs."""
    raise HangError(f"longer than {HANG_SECONDS} s")


def load(data: bytes, file: Path) -> str:
    """What becomes of a file: "accepted" or "refused"; raises whatever is a failure."""
    file.write_bytes(data)
    signal.alarm(HANG_SECONDS)
    try:
        list(describe(Scenario.load(file)))
    except ScenarioError as error:
        if not error.problems or not str(error):
            raise AssertionError("refused without a reason") from error
        return "refused"
    finally:
        signal.alarm(0)
    return "accepted"


def fuzz(seed: int, inputs: float, seconds: float, folder: Path) -> tuple[Counter[str], int]:
    """Load so many inputs or until the time is up; what became of them, and how many failed."""
    outcomes: Counter[str] = Counter()
    texts = seeds()
    failed = number = 0
    end = time.monotonic() + seconds
    while number < inputs and time.monotonic() < end and failed < FAILURES_MAX:
        data = input_of(seed, number, texts)
        suffix = "json" if data[:1] == b"{" else "yaml"
        try:
            outcomes[load(data, folder / f"input.{suffix}")] += 1
        except Exception as error:
            failed += 1
            reason = (str(error).splitlines() or [""])[0][:200]
            print(f"--seed {seed} --only {number}: {type(error).__name__}: {reason}", flush=True)
        number += 1
    return outcomes, failed


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--seconds", type=float)
    length.add_argument("--inputs", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int)
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, on_alarm)
    with tempfile.TemporaryDirectory() as folder:
        if options.only is not None:
            data = input_of(options.seed, options.only, seeds())
            suffix = "json" if data[:1] == b"{" else "yaml"
            print(data.decode(errors="backslashreplace"))
            print(load(data, Path(folder) / f"input.{suffix}"))
            return
        seconds = options.seconds or (math.inf if options.inputs else 10.0)
        outcomes, failed = fuzz(options.seed, options.inputs or math.inf, seconds, Path(folder))
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    print(f"seed {options.seed}: {counts}, {failed} failed")
    sys.exit(1 if failed or not outcomes["refused"] else 0)


if __name__ == "__main__":
    main()
