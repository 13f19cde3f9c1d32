"""The engine on the models of the limit kernels."""

import time
from typing import Any

from kernels import Outcome
from nephoscope import Scenario, _core
from nephoscope.scenario.compile import compile_scenario

WORK_NS = 10_000_000


def farm(
    *,
    instances: int,
    utilisation: float,
    end_ns: int,
    routing: str = "round_robin",
    discipline: str = "fifo",
    warmup_ns: int = 0,
    series: str = "auto",
) -> Scenario:
    """Single-CPU instances behind a balancer, Poisson arrivals, exponential work of 10 ms."""
    rate = utilisation * instances / (WORK_NS * 1e-9)
    document: dict[str, Any] = {
        "nephoscope": 1,
        "name": "farm",
        "duration": f"{end_ns}ns",
        "warmup": f"{warmup_ns}ns",
        "series": series,
        "fleets": {
            "servers": {
                "instance_type": {"vcpus": 1, "memory": "1GiB"},
                "count": instances,
                "service": "serve",
            }
        },
        "services": {
            "serve": {
                "discipline": discipline,
                "steps": [{"compute": {"exponential": f"{WORK_NS}ns"}}],
            }
        },
        "load_balancers": {"farm": {"targets": ["servers"], "routing": routing}},
        "traffic": {"customers": {"to": "farm", "rate": f"{rate}/s"}},
    }
    if instances == 1:
        document["traffic"]["customers"]["to"] = "servers"
        del document["load_balancers"]
    return Scenario.model_validate(document)


def run(scenario: Scenario, seed: int) -> Outcome:
    """Run to the end in one piece; only the engine's own time counts."""
    spec = compile_scenario(scenario, seed=seed, warmup_ns=int(scenario.warmup))
    world = _core.World(spec)
    start = time.thread_time()
    world.advance(spec.duration_ns)
    seconds = time.thread_time() - start
    account = world.results()["traffic"][0]
    latency = account["latency"]
    mean_ns = latency.mean if latency.count else 0.0
    return Outcome(seconds, mean_ns, account["offered"], account["completed"])
