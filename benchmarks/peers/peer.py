"""What the peer scripts share: given a model on the command line, they print one JSON object.

    python benchmarks/peers/simpy_process.py farm --instances 1000 --requests 20000 --seed 1

Models, the same for all: `farm`, single-CPU FIFO instances behind least connections (ties at
random) at utilisation 0.8, and `single`, one server at 0.9 (M/M/1). Poisson arrivals, exponential
work of mean 1, from empty to the instant by which `requests` are expected. The mean is that of the
responses given by then. Seconds are of CPU time of the whole process, since a peer may run in
threads of its own; what a peer compiles, it compiles before the clock starts.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version


@dataclass(frozen=True)
class Model:
    """What to simulate, in units of the mean work."""

    instances: int
    rate: float
    end: float
    seed: int


@dataclass(frozen=True)
class Answer:
    """Requests that were sent and answered by the end, and the mean of the responses."""

    offered: int
    completed: int
    mean: float


def main(
    package: str,
    run: Callable[[Model], Answer],
    *,
    prepare: Callable[[Model], object] = lambda _: None,
) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", choices=("farm", "single"))
    parser.add_argument("--instances", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--listen", action="store_true", help="run each seed that stdin names")
    options = parser.parse_args()
    seeds = map(int, sys.stdin) if options.listen else [options.seed]
    instances = 1 if options.model == "single" else options.instances
    rate = 0.9 if options.model == "single" else 0.8 * instances
    for seed in seeds:
        model = Model(instances, rate, options.requests / rate, seed)
        prepare(model)
        start = time.process_time()
        answer = run(model)
        seconds = time.process_time() - start
        about = {"package": package, "version": version(package), "seconds": seconds}
        print(json.dumps(about | vars(answer)), flush=True)
