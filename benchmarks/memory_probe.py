"""Resident memory of a world, printed as JSON; a process of its own, so that nothing else counts.

python benchmarks/memory_probe.py --instances 1000000
python benchmarks/memory_probe.py --instances 1 --utilisation 1000 --requests 1000000
"""

import argparse
import json
import resource
import sys

import engine
from nephoscope import _core
from nephoscope.scenario.compile import compile_scenario


def peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--instances", type=int, default=1)
    parser.add_argument("--utilisation", type=float, default=0.8)
    parser.add_argument("--requests", type=int, default=0)
    options = parser.parse_args()
    end_ns = max(
        round(options.requests / (options.utilisation * options.instances) * engine.WORK_NS), 1
    )
    scenario = engine.farm(
        instances=options.instances,
        utilisation=options.utilisation,
        end_ns=end_ns,
        routing="least_connections",
    )
    spec = compile_scenario(scenario, seed=1)
    before = peak_bytes()
    world = _core.World(spec)
    world.advance(end_ns // 100)
    early = peak_bytes()
    world.advance(end_ns)
    late = peak_bytes()  # before the results are copied out
    answer = {
        "bytes": late - before,
        "growth": late / early - 1,
        "events": world.events,
        "in_flight": world.results()["traffic"][0]["in_flight"],
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
