"""What a run found, as plain numbers by path, with everything that is needed to judge it."""

import importlib.metadata
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from nephoscope import _core
from nephoscope.errors import PathError
from nephoscope.nearest import ending, listing, nearest
from nephoscope.results.balancers import balancer_tree, target_state
from nephoscope.results.breakdown import breakdown_tree
from nephoscope.results.buses import bus_tree
from nephoscope.results.clients import retry_tree
from nephoscope.results.failures import failure_flags, fault_list
from nephoscope.results.fingerprint import fingerprint_of
from nephoscope.results.fleets import OUTCOMES, account_tree, fleet_tree, latency_summary
from nephoscope.results.hosts import host_trees, pool_tree, steal_at
from nephoscope.results.leaves import numbers_in, undefined_in
from nephoscope.results.lives import life_flags
from nephoscope.results.places import place_columns, place_tree, places_tree
from nephoscope.results.queues import pipe_tree, queue_tree
from nephoscope.results.steady import grows
from nephoscope.results.topics import topic_tree
from nephoscope.scenario import Scenario
from nephoscope.scenario.language.fleet import Fleet
from nephoscope.tables import Tabular, by_path, series_of

FORMAT = 1

# What there may be several of by name, each with figures.
SECTIONS = ("traffic", "load_balancers", "fleets", "hosts", "queues", "topics", "buses", "pipes")

# A table of more targets helps nobody; by its path every target can be read all the same.
TARGETS_LISTED_MAX = 1000

# Of a section, what has other parts in the next run.
_OF_THIS_RUN = {"traffic": "breakdown", "fleets": "by_instance"}

Tree = dict[str, Any]


@cache
def engine_version() -> str:
    """Name and version of what simulated."""
    try:
        return f"nephoscope {importlib.metadata.version('nephoscope')}"
    except importlib.metadata.PackageNotFoundError:
        return "nephoscope (from its sources)"


class Result(Tabular):
    """The numbers of one run.

    `result["traffic.customers.latency_s.p99"]` reads one number, `to_dict()` gives all of them, and
    `series("traffic.customers.in_flight")` what was sampled while time went by. Counts are of the
    requests that arrived in the measured window, [warmup, duration), latencies of those of them
    that completed. As a table (`to_arrow`) it is its `numbers`, or its `series`.
    """

    _tables: ClassVar = {"numbers": lambda it: by_path(list(it.scalars())), "series": series_of}

    def __init__(
        self,
        numbers: Mapping[str, Any],
        *,
        scenario: str,
        seed: int,
        replication: int,
        vcpus: Mapping[str, int],
        cost: Mapping[str, Any] | None = None,
        makes: Mapping[str, Sequence[Fleet]] = MappingProxyType({}),
        source: Scenario | None = None,
        wall_s: float,
    ) -> None:
        self._numbers = numbers
        self._cost = cost
        self._vcpus = dict(vcpus)
        self._makes = dict(makes)
        self.scenario = scenario
        self.source = source
        """What was run; of a simulation, as it was before anything was set."""
        self.seed = seed
        self.replication = replication
        self.engine = engine_version()
        self.wall_s = wall_s

    @property
    def events(self) -> int:
        """Events that the engine handled."""
        return int(self._numbers["events"])

    @property
    def simulated_s(self) -> float:
        """How far simulated time went."""
        return float(self._numbers["now_ns"]) / 1e9

    @property
    def warmup_s(self) -> float:
        """The part of it that was not measured."""
        return float(self._numbers["warmup_ns"]) / 1e9

    @property
    def measured_s(self) -> float:
        """The part of it that was."""
        return max(self.simulated_s - self.warmup_s, 0.0)

    @property
    def in_flight(self) -> int:
        """Measured requests that were unfinished at the end."""
        return sum(int(traffic["in_flight"]) for traffic in self._numbers["traffic"])

    @cached_property
    def steady(self) -> bool | None:
        """Whether the system settled: False when the number in it never ceased to grow.

        None when that cannot be told: no series were kept, or too few intervals.
        """
        in_system = self.in_system()
        interval_ns = int(self._numbers["series"]["interval_ns"])
        if in_system is None:
            return None
        measured = in_system[int(self._numbers["warmup_ns"]) // interval_ns :]
        return None if len(measured) < 20 else not grows(measured)

    @cached_property
    def flags(self) -> list[str]:
        """What a reader of the numbers must know."""
        flags = []
        if self.steady is False:
            flags.append(
                "no steady state: the number of requests in the system grew over the whole run"
            )
        for fleet in self._numbers["fleets"]:
            flags += life_flags(fleet)
        flags += failure_flags(self._numbers)
        if not any(traffic["completed"] for traffic in self._numbers["traffic"]):
            flags.append("no request completed in the measured window")
        return flags

    @cached_property
    def fingerprint(self) -> str:
        """128 bits over every count, histogram and time of the run, the same wherever it runs."""
        return fingerprint_of(self._numbers, SECTIONS)

    def in_system(self) -> npt.NDArray[np.float64] | None:
        """Requests in the system at the end of each interval; None where no series were kept.

        Messages count too, of queues from which somebody has received.
        """
        worked = {it["name"] for it in self._numbers.get("queues", []) if it["received"]}
        depths = {f"queues.{name}.depth" for name in worked}
        gauges = [
            values
            for name, values in self._numbers["series"].items()
            if (name.startswith("traffic.") and name.endswith(".in_flight")) or name in depths
        ]
        return np.sum(gauges, axis=0, dtype=np.float64) if gauges else None

    def histogram(self, path: str) -> _core.Histogram:
        """The latencies (ns) behind a part, of a queue the ages: `histogram("queues.orders")`."""
        section, _, name = path.partition(".")
        times, suffix = ("age", ".age_s") if section == "queues" else ("latency", ".latency_s")
        name, _, group = name.removesuffix(suffix).partition(".groups.")
        part = self._part(section, name)
        if group and group not in part.get("groups", {}):
            raise _no_path(path, part.get("groups", {}))
        latencies: _core.Histogram = (part["groups"][group] if group else part)[times]
        return latencies.copy()

    def series(self, name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Times (s, the ends of the intervals) and values.

        Counts such as `traffic.customers.offered` are of the interval, gauges such as
        `traffic.customers.in_flight` are read at its end. Series begin at 0, warm-up included.
        """
        columns = self._numbers["series"]
        if name == "interval_ns" or name not in columns:
            raise _no_path(name, self.series_names)
        values = np.array(columns[name], dtype=np.int64)
        ends_ns = np.arange(1, len(values) + 1, dtype=np.int64) * int(columns["interval_ns"])
        return ends_ns.astype(np.float64) / 1e9, values

    def places(self, fleet: str) -> dict[str, npt.NDArray[Any]]:
        """Where the instances of a fleet on hosts are: arrays in the order of launch.

        `host` is the number in the pool (the last one, of who has moved or is gone), `present` says
        whether it is there at the end; `run_ns` and `steal_ns` are vCPU time since the warm-up.
        """
        if fleet not in self._places:
            raise _no_path(f"fleets.{fleet}.by_instance", [f"fleets.{it}" for it in self._places])
        return place_columns(self._places[fleet])

    @property
    def series_names(self) -> list[str]:
        """What `series` knows."""
        return [name for name in self._numbers["series"] if name != "interval_ns"]

    def __getitem__(self, path: str) -> Any:
        parts = path.split(".")
        # By far the most is asked of traffic, which needs no tree of all the targets.
        part: Any = {"traffic": self._traffic} if parts[0] == "traffic" else self._tree
        if parts[:1] == ["load_balancers"] and parts[2:3] == ["targets"] and len(parts) > 3:
            part = {parts[3]: self._target(parts[1], parts[3])}
            parts = parts[3:]
        elif parts[:1] == ["fleets"] and parts[2:3] == ["by_instance"] and len(parts) > 3:
            part = {parts[3]: self._place(parts[1], parts[3])}
            parts = parts[3:]
        for key in parts:
            if not isinstance(part, dict) or key not in part:
                whole = ending(path, (it for it, _ in self.scalars()))
                raise _no_path(path, part if isinstance(part, dict) else [], whole)
            part = part[key]
        return part

    def to_dict(self) -> Tree:
        """Every number, in the keys of the JSON that `nephoscope run --json` prints."""
        tree: Tree = json.loads(json.dumps(self._tree))
        return tree

    def to_json(self, indent: int | None = 2) -> str:
        """The same as text; whoever parses it needs nothing but standard JSON."""
        return json.dumps(self._tree, indent=indent, allow_nan=False)

    def to_html(self) -> str:
        """A report of one file that needs nothing else; `pip install nephoscope[report]` first."""
        from nephoscope.report.html import page  # noqa: PLC0415  (reports know results)

        return page(self)

    def scalars(self, *, details: bool = True) -> Iterator[tuple[str, float]]:
        """Every number of the simulated system by its path, those of the run itself left out.

        Nor what latencies are made of, nor single instances on hosts: which parts there are differs
        from run to run. Without `details` those of single targets and hosts, which are many, are
        left out as well.
        """
        tree = self._tree if details else self._outline
        for section in (*SECTIONS, "cost_usd"):
            part = tree.get(section, {})
            if section in _OF_THIS_RUN:
                part = {name: _without(it, _OF_THIS_RUN[section]) for name, it in part.items()}
            yield from numbers_in(part, section).items()

    def undefined(self, *, details: bool = True) -> list[str]:
        """The paths of what might be a number and is none in this run."""
        return undefined_in(self._tree if details else self._outline)

    def _origin(self) -> Tree:
        keys = ("scenario", "seed", "replication", "engine", "fingerprint")
        return {key: getattr(self, key) for key in keys}

    def __repr__(self) -> str:
        return (
            f"Result({self.scenario!r}, seed={self.seed}, events={self.events}, "
            f"simulated_s={self.simulated_s:g}, fingerprint={self.fingerprint!r})"
        )

    def _repr_html_(self) -> str:
        from nephoscope.report.notebook import notebook_html  # noqa: PLC0415  (it knows this)

        return notebook_html(self)

    @cached_property
    def _tree(self) -> Tree:
        return self._made(details=True)

    @cached_property
    def _outline(self) -> Tree:
        """The same without single targets and hosts, which take longer than all the rest."""
        return self._made(details=False)

    def _made(self, *, details: bool) -> Tree:
        tree: Tree = {
            "format": FORMAT,
            **self._origin(),
            "simulated_s": self.simulated_s,
            "warmup_s": self.warmup_s,
            "measured_s": self.measured_s,
            "events": self.events,
            "wall_s": self.wall_s,
            "in_flight": self.in_flight,
            "steady": self.steady,
            "flags": self.flags,
            "traffic": self._traffic,
        }
        if self._numbers["load_balancers"]:
            tree["load_balancers"] = {
                balancer["name"]: balancer_tree(balancer, account_tree)
                | ({"targets": self._targets(balancer["name"])} if details else {})
                for balancer in self._numbers["load_balancers"]
            }
        tree["fleets"] = {
            fleet["name"]: fleet_tree(fleet, self._makes.get(fleet["name"], ()))
            | (places_tree(self._places.get(fleet["name"])) if details else {})
            for fleet in self._numbers["fleets"]
        }
        if self._numbers["hosts"]:
            tree["hosts"] = {
                pool["name"]: pool_tree(pool, self.measured_s)
                | ({"by_host": host_trees(pool, self.measured_s)} if details else {})
                for pool in self._numbers["hosts"]
            }
        if "queues" in self._numbers:
            tree["queues"] = {
                it["name"]: queue_tree(it, latency_summary) for it in self._numbers["queues"]
            }
        if "topics" in self._numbers:
            tree["topics"] = {it["name"]: topic_tree(it) for it in self._numbers["topics"]}
        if "buses" in self._numbers:
            tree["buses"] = {it["name"]: bus_tree(it) for it in self._numbers["buses"]}
        if "pipes" in self._numbers:
            tree["pipes"] = {it["name"]: pipe_tree(it) for it in self._numbers["pipes"]}
        tree |= fault_list(self._numbers)
        if self._cost is not None:
            tree["cost_usd"] = dict(self._cost)
        return tree

    @cached_property
    def _traffic(self) -> Tree:
        return {
            t["name"]: account_tree(t, "offered") | retry_tree(t) | self._breakdown(t)
            for t in self._numbers["traffic"]
        }

    def _breakdown(self, traffic: Mapping[str, Any]) -> Tree:
        if "traces" not in traffic:
            return {}
        fleets = [fleet["name"] for fleet in self._numbers["fleets"]]
        return {"breakdown": breakdown_tree(traffic["traces"], fleets)}

    def _part(self, section: str, name: str) -> Mapping[str, Any]:
        parts = {p["name"]: p for p in self._numbers.get(section, []) if isinstance(p, Mapping)}
        if name not in parts:
            raise _no_path(f"{section}.{name}", [f"{section}.{known}" for known in parts])
        return parts[name]

    @cached_property
    def _places(self) -> dict[str, Mapping[str, Any]]:
        return {part["name"]: part for part in self._numbers.get("places", [])}

    def _place(self, fleet: str, index: str) -> Tree:
        known = len(self.places(fleet)["host"])
        if not index.isdecimal() or int(index) >= known:
            raise _no_path(f"fleets.{fleet}.by_instance.{index}", [f"0 to {known - 1}"])
        return place_tree(self._places[fleet], int(index))

    def _targets(self, balancer: str) -> Tree:
        targets = self._part("load_balancers", balancer)["targets"]
        count = len(targets["requests"])
        if count <= TARGETS_LISTED_MAX:
            return {str(i): self._target(balancer, str(i)) for i in range(count)}
        requests = targets["requests"]
        return {
            "count": count,
            "requests": {
                "min": int(requests.min()),
                "mean": float(requests.mean()),
                "max": int(requests.max()),
            },
            "note": f"more than {TARGETS_LISTED_MAX} targets: ask for one by its index",
        }

    def _target(self, balancer: str, index: str) -> Tree:
        targets = self._part("load_balancers", balancer)["targets"]
        if not index.isdecimal() or int(index) >= len(targets["requests"]):
            known = f"0 to {len(targets['requests']) - 1}"
            raise _no_path(f"load_balancers.{balancer}.targets.{index}", [known])
        i = int(index)
        fleet = self._numbers["fleets"][int(targets["fleet"][i])]["name"]
        vcpus = int(targets["vcpus"][i]) if "vcpus" in targets else self._vcpus[fleet]
        capacity_ns = self.measured_s * 1e9 * vcpus
        return {
            "fleet": fleet,
            "instance": int(targets["instance"][i]),
            "requests": int(targets["requests"][i]),
            **{key: int(targets[key][i]) for key in OUTCOMES},
            "utilization": int(targets["run_ns"][i]) / capacity_ns if capacity_ns else None,
            "steal_s": steal_at(targets, i),
            **target_state(targets, i),
        }


def _without(part: Tree, left_out: str) -> Tree:
    return {key: value for key, value in part.items() if key != left_out}


def _no_path(path: str, known: Any, whole: str | None = None) -> PathError:
    words = [str(word) for word in known]
    word = whole or nearest(path, words) or nearest(path.rpartition(".")[2], words)
    hint = f"; did you mean {word}?" if word else ""
    return PathError(f"no {path!r} in this result{hint} (there: {listing(words) or 'nothing'})")
