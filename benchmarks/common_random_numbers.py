"""How many replications tell round robin from least connections, with common random numbers or not.

    python benchmarks/common_random_numbers.py

Two, five and ten instances at utilisation 0.7; a replication is 200 requests. The difference of
the mean latencies is told when its interval at 95 % leaves out 0, which takes n replications where
t(n - 1) s / sqrt(n) is no more than the difference; s is the standard deviation of a difference,
from 1,000 pairs of replications that have the same random numbers, and from 1,000 that do not.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy import stats

import engine
import nephoscope as nph

PAIRS = 1_000
REQUESTS = 200
UTILISATION = 0.7
PATH = "traffic.customers.latency_s.mean"
ROUTING = "load_balancers.farm.routing"
Numbers = npt.NDArray[np.float64]


def means(scenario: nph.Scenario, routing: str, rng: int) -> Numbers:
    found = nph.replicate(scenario.replace({ROUTING: routing}), PAIRS, rng=rng)
    return np.array([result[PATH] for result in found.results])


def needed(difference: float, std: float) -> int:
    """The least number of replications whose interval is no wider than the difference."""
    n = 2
    while stats.t.ppf(0.975, n - 1) * std / math.sqrt(n) > abs(difference):
        n += 1
    return n


def compared(instances: int) -> str:
    """How many replications it takes, and how the variances of the differences compare."""
    rate_per_s = UTILISATION * instances / (engine.WORK_NS * 1e-9)
    scenario = engine.farm(
        instances=instances,
        utilisation=UTILISATION,
        end_ns=round(REQUESTS / rate_per_s * 1e9),
        series="none",
    )
    in_turn = means(scenario, "round_robin", rng=1)
    common = means(scenario, "least_connections", rng=1) - in_turn
    alone = means(scenario, "least_connections", rng=2) - in_turn
    difference = float(common.mean())
    stds = [float(np.std(differences, ddof=1)) for differences in (common, alone)]
    counts = [needed(difference, std) for std in stds]
    return (
        f"{instances:9}  {1e3 * in_turn.mean():11.2f}  {1e3 * difference:10.2f}"
        f"  {counts[0]:6}  {counts[1]:11}  {(stds[1] / stds[0]) ** 2:9.1f}"
    )


def main() -> None:
    print("                                            replications  variances,")
    print("instances  in turn, ms  differs by  common  independent      ratio")
    for instances in (2, 5, 10):
        print(compared(instances), flush=True)


if __name__ == "__main__":
    main()
