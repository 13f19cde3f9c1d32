"""Random scenarios: every feature of the language in every combination that can be run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nephoscope.scenario.units import Duration
from properties import strategies as st
from properties.clients import resilience
from properties.elastic import balanced, can_be_set, elastic, within
from properties.failures import checks, faults
from properties.fronts import MITIGATED, first_target, fleets_behind, front_up
from properties.keeping import adorn
from properties.lives import accounts, acts, lives, operations
from properties.upkeep import admissions, bills, refreshes

Tree = dict[str, Any]

ROUTINGS = (
    "round_robin",
    "least_connections",
    "ip_hash",
    "least_response_time",
    "random",
    {"power_of_two": {"choices": 2}},
    {"power_of_two": {"choices": 3}},
    "join_idle_queue",
    "weighted_random",
)
WEIGHTED = ("round_robin", "least_connections", "ip_hash", "least_response_time", "weighted_random")
SECONDS = st.sampled_from([1, 7, 20, 50, 100, 400, 1000, 5000]).map(lambda ms: f"{ms}ms")


@dataclass(frozen=True)
class Change:
    """An intervention: at an instant (ns), a path takes a value."""

    at_ns: int
    path: str
    value: Any


@dataclass(frozen=True)
class System:
    tree: Tree
    changes: tuple[Change, ...]
    cuts_ns: tuple[int, ...]  # instants at which a run may be cut
    seed: int

    @property
    def duration_ns(self) -> int:
        return int(Duration.parse(self.tree["duration"]))


@st.composite
def laws(draw, zero: bool = True, means: Any = SECONDS) -> Any:
    mean = draw(means)
    kind = draw(
        st.sampled_from(
            ["constant", "exponential", "lognormal", "gamma", "erlang", "weibull", "uniform"]
            + ["normal", "hyperexponential", "empirical", "pareto"]
            + (["zero"] if zero else [])
        )
    )
    return {
        "zero": "0s",
        "constant": mean,
        "exponential": {"exponential": mean},
        "lognormal": {"lognormal": {"mean": mean, "cv": 1.3}},
        "gamma": {"gamma": {"mean": mean, "cv": 0.7}},
        "erlang": {"erlang": {"mean": mean, "k": 3}},
        "weibull": {"weibull": {"mean": mean, "shape": 0.7}},
        "uniform": {"uniform": {"min": "0s", "max": mean}},
        "normal": {"normal": {"mean": mean, "cv": 0.4}},
        "pareto": {"pareto": {"mean": mean, "shape": 2.5}},
        "hyperexponential": {"hyperexponential": {"mean": mean, "cv": 2.0}},
        "empirical": {"empirical": {"values": ["1ms", mean], "weights": [1, 2]}},
    }[kind]


@st.composite
def steps(draw, callable_: list[str], itself: str | None, depth: int = 0) -> list[Tree]:
    """A program that calls only what `callable_` names, or now and then itself under a choice."""
    kinds = ["compute", "compute", "sleep", "fail", "device", "device"]
    kinds += ["choose"] if depth < 2 else []
    kinds += ["call", "call"] if callable_ else []
    program: list[Tree] = []
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3)):
        if kind in ("compute", "sleep"):
            program.append({kind: draw(laws())})
        elif kind == "fail":
            program.append({"fail": draw(st.sampled_from([0.0, 0.1, 1.0]))})
        elif kind == "device":
            program.append(draw(devices()))
        elif kind == "call":
            program.append({"call": draw(calls(callable_))})
        else:
            branches = [
                {"weight": weight, "steps": draw(steps(callable_, None, depth + 1))}
                for weight in draw(st.sampled_from([[1], [1, 2], [0, 1, 3]]))
            ]
            program.append({"choose": branches})
    if itself is not None and depth == 0 and draw(st.integers(0, 4)) == 0:
        again = {"weight": 1, "steps": [{"call": itself}]}
        program.append({"choose": [again, {"weight": 4, "steps": [{"compute": "1ms"}]}]})
    return program


@st.composite
def devices(draw) -> Tree:
    """A step that asks something of the devices of its instance."""
    kind = draw(st.sampled_from(["network", "disk", "memory", "gpu"]))
    if kind == "network":
        return {"network": draw(st.sampled_from(["1B", "20kB", "1MB"]))}
    if kind == "disk":
        asked = [{"bytes": "200kB"}, {"ops": 7}, {"bytes": "20kB", "ops": 40}]
        return {"disk": draw(st.sampled_from(asked))}
    if kind == "memory":
        return {"memory": draw(st.sampled_from(["10MiB", "400MiB"]))}
    batch, marginal = draw(st.sampled_from([(1, 0.1), (4, 0.0), (8, 0.5)]))
    return {"gpu": {"work": draw(laws(zero=False)), "batch": batch, "marginal": marginal}}


@st.composite
def machines(draw) -> Tree:
    """The devices of an instance, slow enough to be busy."""
    keys: Tree = {"disk": {"bandwidth": "1MB/s", "iops": 100}}
    keys |= draw(
        st.sampled_from(
            [
                {},
                {"network": "4Mbps"},
                {"network": {"baseline": "800kbps", "burst": "8Mbps", "burst_for": "2s"}},
            ]
        )
    )
    return keys


@st.composite
def calls(draw, names: list[str]) -> Any:
    name = draw(st.sampled_from(names))
    if draw(st.booleans()):
        return name
    return {"to": name, "timeout": draw(SECONDS)} | draw(resilience())


@st.composite
def services(draw, callable_: list[str], itself: str | None) -> Tree:
    made: Tree = {
        "discipline": draw(st.sampled_from(["fifo", "fifo", "ps"])),
        "steps": draw(steps(callable_, itself)),
    }
    concurrency = draw(st.sampled_from([None, None, 1, 2, 5]))
    backlog = draw(st.sampled_from([None, None, 0, 1, 4]))
    made |= {} if concurrency is None else {"concurrency": concurrency}
    made |= {} if backlog is None else {"backlog": backlog}
    made |= draw(admissions())
    room = None if None in (concurrency, backlog) else concurrency + backlog
    if room is not None and made.get("shed", {}).get("in_flight", 0) >= room:
        del made["shed"]
    return made


@st.composite
def balancers(draw, fleets: list[str]) -> Tree:
    chosen = draw(st.lists(st.sampled_from(fleets), min_size=1, max_size=3, unique=True))
    routing = draw(st.sampled_from(ROUTINGS))
    weighted = isinstance(routing, str) and routing in WEIGHTED
    targets = [
        {"fleet": name, "weight": draw(st.sampled_from([1, 2, 0.5]))} if weighted else name
        for name in chosen
    ]
    return {"targets": targets, "routing": routing, **draw(checks()), **draw(bills())}


SPEEDS = st.sampled_from([0.5, 1.0, 1.7])
RATES = st.sampled_from([1, 4, 10, 25])


@st.composite
def arrivals(draw) -> Tree:
    kind = draw(st.sampled_from(["poisson", "poisson", "constant", "mmpp", "profile", "closed"]))
    rates = [f"{draw(RATES)}/s" for _ in range(2)]
    if kind in ("poisson", "constant"):
        return {"rate": rates[0], "arrivals": kind}
    if kind == "mmpp":
        return {"arrivals": {"mmpp": {"rates": [*rates, "0/s"], "mean_stay": ["2s", "1s", "3s"]}}}
    if kind == "profile":
        return {"arrivals": {"profile": [["0s", rates[0]], ["10s", rates[1]], ["15s", "1/s"]]}}
    users = draw(st.sampled_from([1, 3, 20]))
    # Users who do not think and are refused would send for ever at one instant.
    # Those who think next to nothing, and are refused, are a million events.
    thinking = laws(zero=False, means=st.sampled_from(["50ms", "400ms", "5000ms"]))
    think = draw(thinking.filter(lambda law: "uniform" not in law and "normal" not in law))
    give_up = {"give_up": 3} if users == 3 else {}
    return {"arrivals": {"closed": {"users": users, "think": think, **give_up}}}


@st.composite
def sources(draw, destinations: list[str]) -> Tree:
    made = {"to": draw(st.sampled_from(destinations)), **draw(arrivals())}
    if draw(st.sampled_from([True, True, False])):
        made["timeout"] = draw(SECONDS)
        made["on_timeout"] = draw(st.sampled_from(["finish", "abandon"]))
    made |= draw(resilience())
    if "closed" not in made["arrivals"]:
        clients = draw(st.sampled_from([None, 5, {"count": 50, "popularity": {"zipf": 1.1}}]))
        made |= {} if clients is None else {"clients": clients}
    return made


CHANGES = ("count", "count", "act", "rate", "routing", "routing", "weight", "migrate", "migrate")


@st.composite
def changes(draw, tree: Tree, duration: int) -> tuple[Change, ...]:
    rated = [n for n, t in tree["traffic"].items() if t["arrivals"] in ("poisson", "constant")]
    made = []
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(1, duration * 10**9))  # a notice may come with the start
        kind = draw(st.sampled_from(CHANGES))
        if kind == "act":
            made.append(Change(at, *draw(acts(tree["fleets"]))))
        elif kind == "migrate" and tree.get("hosts"):
            pause_ns = draw(st.sampled_from([0, 300_000_000, 2_000_000_000]))
            name = draw(st.sampled_from(sorted(tree["fleets"])))
            made.append(Change(at, f"migrate.{name}.{draw(st.integers(0, 5))}", pause_ns))
        elif kind == "count":
            name = draw(st.sampled_from(sorted(tree["fleets"])))
            fleet = tree["fleets"][name]
            count = within(fleet, draw(st.integers(0, 8)))
            if can_be_set(fleet):
                made.append(Change(at, f"fleets.{name}.count", count))
        elif kind == "rate" and rated:
            name = draw(st.sampled_from(rated))
            made.append(Change(at, f"traffic.{name}.rate", f"{draw(RATES)}/s"))
        elif kind in ("routing", "weight") and tree["load_balancers"]:
            name = draw(st.sampled_from(sorted(tree["load_balancers"])))
            balancer = tree["load_balancers"][name]
            weighted = isinstance(first_target(balancer), dict)
            if kind == "routing" and ("slow_start" in balancer or balancer["routing"] == MITIGATED):
                continue  # it goes with one routing only
            if kind == "weight" and "groups" in balancer:
                path = f"load_balancers.{name}.groups.group0.weight"
                made.append(Change(at, path, draw(st.sampled_from([0, 7, 999]))))
            elif kind == "routing":
                # A balancer with weights goes to a policy that honours them.
                routing = draw(st.sampled_from(WEIGHTED if weighted else ROUTINGS))
                made.append(Change(at, f"load_balancers.{name}.routing", routing))
            elif weighted:
                fleet = first_target(balancer)["fleet"]
                path = f"load_balancers.{name}.targets.{fleet}.weight"
                made.append(Change(at, path, draw(st.sampled_from([1, 3, 0.25]))))
    return tuple(sorted(made, key=lambda change: change.at_ns))


@st.composite
def pools(draw) -> Tree:
    """Hosts that are small, so that they are contended and sometimes full."""
    threads = draw(st.sampled_from([1, 1, 2]))
    scheduler = draw(st.sampled_from(["fluid", "fluid", "fluid", "fair", "credit", "pinned"]))
    apart = draw(st.booleans()) if scheduler == "fair" else False
    return {
        "scheduler": scheduler,
        "core_scheduling": apart,
        "count": draw(st.sampled_from([1, 2, 4])),
        "type": {
            "cores": draw(st.sampled_from([1, 2, 4])),
            "threads_per_core": threads,
            "clock": draw(st.sampled_from(["3.1GHz", "2.5GHz"])),
            "memory": draw(st.sampled_from(["4GiB", "64GiB"])),
            **draw(st.sampled_from([{}, {"network": "6Mbps"}])),
        },
        "cpu_overcommit": 1.0 if scheduler == "pinned" else draw(st.sampled_from([1.0, 2.0, 3.5])),
        "place": draw(st.sampled_from(["first_fit", "best_fit", "worst_fit", "random", "spread"])),
        **draw(st.sampled_from([{}, {"zones": ["a", "b"], "racks": 2}])),
        "smt_gain": draw(st.sampled_from([1.0, 0.3])),
    }


@st.composite
def tenancies(draw, hosts: list[str]) -> Tree:
    """What a fleet says of the hosts it is on, of caps and of booting."""
    keys: Tree = {"boot": draw(st.sampled_from(["0s", "3s", {"exponential": "2s"}]))}
    keys |= draw(st.sampled_from([{}, {}, {}, {"initially": "pending"}]))
    keys |= draw(
        st.sampled_from([{}, {}, {"cap": 0.3}, {"cap": {"quota": "7ms", "period": "20ms"}}])
    )
    if hosts and draw(st.booleans()):
        keys["hosts"] = draw(st.sampled_from(hosts))
        keys |= draw(st.sampled_from([{}, {"weight": 64}, {"weight": 1000}]))
        presses = {"interference": {"pressure": 0.7, "sensitivity": 0.5}}
        feels = {"interference": {"sensitivity": 2.0}}
        keys |= draw(st.sampled_from([{}, {}, presses, feels]))
    return keys


def reach(level: dict[str, int], at: int) -> tuple[list[str], str | None]:
    """What a service of a level may call: whatever is above it, and a fleet of its own."""
    above = sorted(name for name, other in level.items() if other > at)
    own = sorted(n for n, other in level.items() if other == at and n.startswith("fleet"))
    return above, own[0] if own else None


@st.composite
def systems(draw) -> System:
    """A whole scenario with interventions. Service i calls only fleets of services above i."""
    hosts = {f"hall{i}": draw(pools()) for i in range(draw(st.integers(0, 2)))}
    names = [f"service{i}" for i in range(draw(st.integers(1, 3)))]
    level = {f"fleet{i}": min(i, len(names) - 1) for i in range(draw(st.integers(1, 4)))}
    fleets = {
        fleet: {
            "service": names[at],
            "count": draw(st.sampled_from([0, 1, 1, 2, 2, 5, 5])),
            "instance_type": {
                "vcpus": draw(st.sampled_from([1, 1, 2, 3])),
                "memory": "1GiB",
                "speed": draw(SPEEDS),
                **draw(machines()),
            },
            **draw(tenancies(sorted(hosts))),
            **draw(lives()),
        }
        for fleet, at in level.items()
    }
    for fleet in fleets.values():
        if "hosts" in fleet:  # their clock counts
            del fleet["instance_type"]["speed"]
        else:
            fleet["instance_type"]["gpu"] = draw(st.sampled_from([0, 1, {"count": 2, "speed": 3}]))
        fluid = "hosts" not in fleet or hosts[fleet["hosts"]]["scheduler"] == "fluid"
        if fluid and "cap" not in fleet and draw(st.integers(0, 5)) == 0:
            fleet["instance_type"] = draw(st.sampled_from(["t2.micro", "t3.micro"]))
    doors = {f"door{i}": draw(balancers(sorted(fleets))) for i in range(draw(st.integers(1, 2)))}
    for name, door in doors.items():
        level[name] = min(level[fleet] for fleet in fleets_behind(door))
    programs = {name: draw(services(*reach(level, i))) for i, name in enumerate(names)}
    sliced = any(pool["scheduler"] in ("fair", "credit") for pool in hosts.values())
    duration = 2 if sliced else draw(st.sampled_from([5, 20, 40]))  # slices are many events
    for name, fleet in fleets.items():
        fleet.update(draw(elastic(fleet["count"], balanced(doors, name), duration)))
        fleet.update(draw(refreshes(fleet, duration)))
    tree = {
        "nephoscope": 1,
        "name": "random",
        "duration": f"{duration}s",
        "warmup": f"{draw(st.sampled_from([0, 0, 1, duration // 2]))}s",
        "series": draw(st.sampled_from(["none", "1s", "auto"])),
        "hosts": hosts,
        "fleets": fleets,
        "services": programs,
        "load_balancers": doors,
        "traffic": {
            f"source{i}": draw(sources(sorted(level))) for i in range(draw(st.integers(1, 3)))
        },
    }
    adorn(tree, fronts=2, keeps=2)
    tree |= draw(accounts(fleets)) | {"actions": draw(operations(fleets, duration))}
    tree["faults"] = draw(faults(hosts, fleets, doors, duration))
    return System(
        tree,
        draw(changes(tree, duration)),
        tuple(sorted(draw(st.lists(st.integers(0, duration * 10**9), max_size=4)))),
        draw(st.integers(0, 2**32)),
    )


BLIND = ("round_robin", "ip_hash", "random", "weighted_random")


@st.composite
def plain_systems(draw) -> System:
    """Requests that only compute, one at a time and in turn, sent without a look at who is busy.

    Interventions may put a stop to that. Works are continuous, so that no two instants are equal.
    """
    names = [f"fleet{i}" for i in range(draw(st.integers(1, 3)))]
    fleets = {
        name: {
            "service": f"{name}-work",
            "count": draw(st.sampled_from([0, 1, 2, 5])),
            "instance_type": {"vcpus": 1, "memory": "1GiB", "speed": draw(SPEEDS)},
        }
        for name in names
    }
    for name in names:
        boots = {"boot": draw(st.sampled_from(["0s", "2s"]))}
        fleets[name] |= boots | draw(st.sampled_from([{}, draw(lives())]))
    means = st.sampled_from(["20ms", "100ms", "400ms"])
    programs = {
        f"{name}-work": {"steps": [{"compute": {"lognormal": {"mean": draw(means), "cv": 1.3}}}]}
        for name in names
    }
    programs[f"{names[0]}-work"] |= draw(st.sampled_from([{}, {}, {}, draw(admissions())]))
    doors = {
        f"door{i}": {
            "targets": draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)),
            "routing": draw(st.sampled_from(BLIND)),
            **draw(checks()),
        }
        for i in range(draw(st.integers(1, 2)))
    }
    duration = draw(st.sampled_from([5, 20]))
    for name in fleets:
        fleets[name] |= draw(elastic(fleets[name]["count"], balanced(doors, name), duration))
    tree = {
        "nephoscope": 1,
        "name": "plain",
        "duration": f"{duration}s",
        "warmup": f"{draw(st.sampled_from([0, 1]))}s",
        "series": draw(st.sampled_from(["none", "1s", "auto"])),
        "fleets": fleets,
        "services": programs,
        "load_balancers": doors,
        "traffic": {
            f"source{i}": {"to": draw(st.sampled_from([*doors, *names]))}
            | {"rate": f"{draw(RATES)}/s", "arrivals": "poisson"}
            for i in range(draw(st.integers(1, 3)))
        },
    }
    adorn(tree, fronts=6, keeps=4)
    tree["faults"] = draw(faults({}, fleets, doors, duration))
    return System(
        tree,
        draw(changes(tree, duration)),
        tuple(sorted(draw(st.lists(st.integers(0, duration * 10**9), max_size=4)))),
        draw(st.integers(0, 2**32)),
    )


@st.composite
def farms(draw) -> System:
    """One source of plain requests, to one fleet or to one balancer of one fleet."""
    service: Tree = {
        "discipline": draw(st.sampled_from(["fifo", "ps"])),
        "steps": [{"compute": draw(laws())}],
    }
    service |= draw(st.sampled_from([{}, {"concurrency": 1}, {"concurrency": 3}]))
    service |= draw(st.sampled_from([{}, {"backlog": 0}, {"backlog": 3}]))
    web = {
        "service": "work",
        "count": draw(st.sampled_from([1, 2, 7])),
        "instance_type": {
            "vcpus": draw(st.sampled_from([1, 2])),
            "memory": "1GiB",
            "speed": draw(st.sampled_from([1.0, 1.7])),
        },
        "boot": draw(st.sampled_from(["0s", "2s"])),
    }
    door = {"targets": ["web"], "routing": draw(st.sampled_from(ROUTINGS)), **draw(checks())}
    balanced = draw(st.sampled_from([True, True, True, False]))
    duration = draw(st.sampled_from([5, 20]))
    source: Tree = {"to": "door" if balanced else "web", **draw(arrivals())}
    if "closed" not in source["arrivals"] and draw(st.booleans()):
        source["clients"] = 20
    tree = {
        "nephoscope": 1,
        "name": "farm",
        "duration": f"{duration}s",
        "warmup": f"{draw(st.sampled_from([0, 1]))}s",
        "series": draw(st.sampled_from(["none", "1s", "auto"])),
        "fleets": {"web": web},
        "services": {"work": service},
        "load_balancers": {"door": door} if balanced else {},
        "traffic": {"customers": source},
    }
    front_up(tree, once_in=6)
    tree["faults"] = draw(faults({}, tree["fleets"], tree["load_balancers"], duration))
    return System(tree, draw(changes(tree, duration)), (), draw(st.integers(0, 2**32)))
