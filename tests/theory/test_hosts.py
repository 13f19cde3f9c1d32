"""Queueing laws through the whole stack: host, hypervisor, instance, requests.

False alarm one in a million for every comparison (accept.py), fixed seeds, 30 replications.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import nephoscope as nph
from theory import accept, formulas
from theory.models import THREADS

Tree = dict[str, Any]
REPLICATIONS = 30


def tree(fleets: Tree, traffic: Tree, hosts: Tree, discipline: str = "ps") -> nph.Scenario:
    work = {"discipline": discipline, "steps": [{"compute": {"exponential": "1s"}}]}
    return nph.Scenario.from_dict(
        {
            "nephoscope": 1,
            "name": "stack",
            "duration": "44000s",
            "warmup": "4000s",
            "series": "none",
            "hosts": hosts,
            "fleets": fleets,
            "services": {"work": work},
            "traffic": traffic,
        }
    )


def means(scenario: nph.Scenario, path: str, seed: int = 1) -> accept.Estimate:
    def one(replication: int) -> float:
        return float(nph.run(scenario, rng=seed, replication=replication)[path])

    with ThreadPoolExecutor(THREADS) as pool:
        return accept.estimate(list(pool.map(one, range(REPLICATIONS))))


def on(vcpus: int, **keys: Any) -> Tree:
    kind = {"vcpus": vcpus, "memory": "1GiB"}
    return {"service": "work", "instance_type": kind, "hosts": "hall", **keys}


def hall(cores: int, **keys: Any) -> Tree:
    return {"hall": {"type": {"cores": cores, "memory": "64GiB"}, "cpu_overcommit": 2, **keys}}


def agree(estimate: accept.Estimate, expected: float) -> None:
    comparison = accept.Comparison(estimate, expected)
    assert estimate.relative < 0.01, "too blunt to find anything"
    assert comparison.agrees, str(comparison)


@pytest.mark.parametrize(("vcpus", "load"), [(1, 0.7), (4, 0.8), (4, 0.5)])
@pytest.mark.parametrize("discipline", ["ps", "fifo"])
def test_vcpus_of_an_uncontended_host_are_servers_of_a_queue(vcpus, load, discipline):
    """Processor sharing in which none is faster than one vCPU has the mean of M/M/c."""
    traffic = {"customers": {"to": "web", "rate": f"{load * vcpus}/s"}}
    scenario = tree({"web": on(vcpus)}, traffic, hall(vcpus), discipline)
    expected = formulas.mmc_sojourn(vcpus, load * vcpus)
    agree(means(scenario, "traffic.customers.latency_s.mean"), expected)


def test_two_equal_tenants_of_a_core_are_one_processor_sharing_queue_in_the_sum_of_work():
    """The core is busy whenever anybody has work: its utilisation is the sum of the loads."""
    traffic = {
        "users": {"to": "web", "rate": "0.5/s"},
        "jobs": {"to": "batch", "rate": "0.3/s"},
    }
    scenario = tree({"web": on(1), "batch": on(1)}, traffic, hall(1))
    agree(means(scenario, "hosts.hall.utilization"), 0.8)


def test_generalised_processor_sharing_of_two_classes_conserves_work():
    """Coupled processors: the sum of the numbers in the two queues is that of one M/M/1.

    Service times are exponential of one mean and the core is never idle while there is work, so
    the total departs at rate 1 whatever the weights (work conservation); by Little's law the mean
    latency over all requests is that of M/M/1 at the whole load, 1 / (1 - 0.8) = 5 s.
    """
    traffic = {
        "users": {"to": "web", "rate": "0.5/s"},
        "jobs": {"to": "batch", "rate": "0.3/s"},
    }
    fleets = {"web": on(1, weight=700), "batch": on(1, weight=100)}
    scenario = tree(fleets, traffic, hall(1))

    def one(replication: int) -> float:
        result = nph.run(scenario, rng=3, replication=replication)
        both = [result[f"traffic.{name}.latency_s"] for name in ("users", "jobs")]
        total = sum(latency["mean"] * latency["count"] for latency in both)
        return float(total / sum(latency["count"] for latency in both))

    with ThreadPoolExecutor(THREADS) as pool:
        agree(accept.estimate(list(pool.map(one, range(REPLICATIONS)))), 5.0)


def test_a_full_host_of_equal_hogs_serves_each_at_its_share():
    """Closed users without thought keep every tenant busy: of 2 cores, 5 tenants have 0.4 each."""
    traffic = {
        f"users{i}": {"to": f"web{i}", "arrivals": {"closed": {"users": 3, "think": "0s"}}}
        for i in range(5)
    }
    fleets = {f"web{i}": on(1) for i in range(5)}
    scenario = tree(fleets, traffic, hall(2, cpu_overcommit=2.5))
    estimate = means(scenario, "fleets.web0.utilization")
    assert estimate.mean == pytest.approx(0.4, abs=1e-9)
    throughput = means(scenario, "traffic.users0.completed")
    agree(
        accept.Estimate(throughput.mean / 40000, throughput.se / 40000, throughput.replications),
        0.4,
    )
