"""`size` against 20 staffing questions that Erlang's formula answers: `python .../staffing.py`.

How many workers does M/M/c need for its mean latency to stay below a bound? The bound lies in the
middle between what the answer has and what one worker less would have, so nothing but the answer is
right. The search begins at the least number of workers that can keep up at all. Each value that is
tried takes as much simulated time as a run at the answer, so the number of trials is the cost in
such runs.
"""

import math
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import nephoscope as nph
from theory.formulas import mmc_sojourn

PATH = "services.page.concurrency"
MEAN = "traffic.users.latency_s.mean"
SERVICE_S = 1.0
REPLICATIONS = 20
TRIALS_MAX = 10
LOADS = (0.4, 0.7, 0.9, 1.3, 1.8, 2.5, 3.2, 4.1, 5.0, 6.4, 8.0, 9.5, 12, 15, 18, 22, 27, 33, 40, 50)


def latency(workers: int, load: float) -> float:
    return SERVICE_S * mmc_sojourn(workers, load) if workers > load else math.inf


def answer_of(load: float) -> tuple[int, float]:
    """Workers, and the bound that they are the least for."""
    workers = math.floor(load) + 1
    # The first whose requests wait for less than a tenth of their service.
    while latency(workers, load) > 1.1 * SERVICE_S:
        workers += 1
    here, before = latency(workers, load), latency(workers - 1, load)
    return workers, 2 * here if math.isinf(before) else math.sqrt(here * before)


def question(load: float, bound: float) -> nph.Scenario:
    """Runs so long that the bound is told from the answer's mean."""
    workers, _ = answer_of(load)
    apart = bound / latency(workers, load) - 1.0
    requests = min(max(60.0 / apart**2, 3_000), 3_000_000)
    return nph.Scenario(
        duration=f"{requests / load:.0f}s",
        warmup=f"{min(requests / load / 10, 200):.0f}s",
        series="none",
        seed=1,
        services={
            "page": {
                "concurrency": math.floor(load) + 1,
                "steps": [{"compute": {"exponential": f"{SERVICE_S}s"}}],
            }
        },
        fleets={"web": {"instance_type": {"vcpus": 128, "memory": "1GiB"}, "service": "page"}},
        traffic={"users": {"to": "web", "rate": f"{load}/s"}},
    )


def main() -> int:
    wrong = 0
    print("load  answer  found  trials  wall s")
    for load in LOADS:
        workers, bound = answer_of(load)
        start = time.perf_counter()
        found = nph.size(
            question(load, bound),
            PATH,
            f"{MEAN} < {bound}",
            between=(1, 128),
            replications=REPLICATIONS,
        )
        right = found.value == workers and len(found.trials) <= TRIALS_MAX
        wrong += not right
        wall_s = time.perf_counter() - start
        print(
            f"{load:4}  {workers:6}  {found.value:5}  {len(found.trials):6}  {wall_s:6.1f}"
            f"{'' if right else '  WRONG'}",
            flush=True,
        )
    print(f"{len(LOADS) - wrong} of {len(LOADS)} right")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
