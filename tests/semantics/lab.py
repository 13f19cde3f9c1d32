"""Small systems with hand-set arrivals, run through the public interface."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nephoscope as nph
from nephoscope.scenario.units import Duration

Tree = dict[str, Any]

ROUTINGS: dict[str, Any] = {
    "round_robin": "round_robin",
    "least_connections": "least_connections",
    "ip_hash": "ip_hash",
    "least_response_time": "least_response_time",
    "random": "random",
    "power_of_two": {"power_of_two": {"choices": 2}},
    "join_idle_queue": "join_idle_queue",
    "weighted_random": "weighted_random",
}


def routed(routing: Any) -> Any:
    """A routing by its name, or as it is."""
    return ROUTINGS.get(routing, routing) if isinstance(routing, str) else routing


class Lab:
    """Writes the traces a scenario needs and runs it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = 0

    def column(self, values: Sequence[float | str], name: str = "value") -> Path:
        """A CSV file of one column."""
        self._files += 1
        path = self._folder / f"column{self._files}.csv"
        path.write_text("\n".join([name, *map(str, values)]) + "\n", encoding="utf-8")
        return path

    def at(self, *times: float, to: str = "web", **keys: Any) -> Tree:
        """Traffic with a request at each instant (s)."""
        trace = {"file": str(self.column(times)), "column": "value"}
        return {"to": to, "arrivals": {"trace": trace}, **keys}

    def sizes(self, *seconds: float) -> Tree:
        """A step that computes these times in turn."""
        return {"compute": {"replay": {"file": str(self.column(seconds)), "column": "value"}}}


def fleet(service: str = "work", count: int = 1, vcpus: int = 1, **instance: Any) -> Tree:
    return {
        "service": service,
        "count": count,
        "instance_type": {"vcpus": vcpus, "memory": "1GiB", **instance},
        "boot": "0s",
    }


def work(*steps: Tree, **keys: Any) -> Tree:
    """A service; by default one second of work."""
    return {"steps": list(steps) or [{"compute": "1s"}], **keys}


def scenario(
    traffic: Tree,
    service: Tree | None = None,
    *,
    fleets: Tree | None = None,
    services: Tree | None = None,
    balancers: Tree | None = None,
    duration: str = "100s",
    **keys: Any,
) -> Tree:
    """The tree of a scenario: `traffic` is one source, or sources by name."""
    return {
        "nephoscope": 1,
        "name": "lab",
        "duration": duration,
        "fleets": fleets or {"web": fleet()},
        "services": {"work": service or work()} | (services or {}),
        "load_balancers": balancers or {},
        "traffic": {"customers": traffic} if "to" in traffic else traffic,
        **keys,
    }


def outcome(tree: Tree, rng: int = 7) -> nph.Result:
    return nph.Scenario.model_validate(tree).run(rng=rng)


def run(tree: Tree, rng: int = 7) -> Tree:
    """The result as the contract's tree of figures."""
    return outcome(tree, rng).to_dict()


class Stepper:
    """A simulation that is advanced to instants."""

    def __init__(self, simulation: nph.Simulation) -> None:
        self._simulation = simulation

    def advance(self, until: str) -> None:
        now = int(self._simulation.state()["now_ns"])
        self._simulation.advance(f"{max(int(Duration.parse(until)) - now, 0)}ns")

    def set(self, path: str, value: Any) -> None:
        self._simulation.set(path, value)

    def state(self) -> Tree:
        return self._simulation.state()

    def results(self) -> nph.Result:
        return self._simulation.result()

    def numbers(self) -> Tree:
        """What the core counted, by name."""
        raw = self._simulation.result()._numbers
        return {
            kind: {account["name"]: account for account in raw[kind]}
            for kind in ("traffic", "load_balancers", "fleets")
        }

    def fork(self) -> Stepper:
        return Stepper(self._simulation.fork())


def simulation(tree: Tree, rng: int = 7) -> Stepper:
    return Stepper(nph.Simulation(nph.Scenario.model_validate(tree), rng=rng))


def targets(result: Tree, balancer: str = "door") -> list[Tree]:
    """The targets of a balancer, in the order of the fleets and of launch."""
    return list(result["load_balancers"][balancer]["targets"].values())


def customers(tree: Tree, rng: int = 7) -> Tree:
    """What became of the one source of traffic."""
    return run(tree, rng)["traffic"]["customers"]


def fates(source: Tree) -> tuple[int, int, int, int, int]:
    """Completed, rejected, failed, timed out, in flight."""
    keys = ("completed", "rejected", "failed", "timed_out", "in_flight")
    return tuple(source[key] for key in keys)  # type: ignore[return-value]


def completions(tree: Tree, until: int) -> list[int]:
    """Completed requests by each whole second: index t counts those completed before t s + 1 ns."""
    counts = []
    for second in range(until + 1):
        cut = tree | {"duration": f"{second}.000000001s"}
        counts.append(customers(cut)["completed"])
    return counts


def seconds(*instants: float, until: int) -> list[int]:
    """What `completions` gives for requests that end at these instants."""
    return [sum(instant <= second for instant in instants) for second in range(until + 1)]


def moments(latencies: Sequence[float]) -> tuple[float, float, float, float]:
    """Mean, population standard deviation, least and greatest: what the histogram has exactly."""
    mean = math.fsum(latencies) / len(latencies)
    spread = math.sqrt(math.fsum((x - mean) ** 2 for x in latencies) / len(latencies))
    return mean, spread, min(latencies), max(latencies)


def latency(source: Tree) -> tuple[float, float, float, float]:
    figures = source["latency_s"]
    return figures["mean"], figures["std"], figures["min"], figures["max"]
