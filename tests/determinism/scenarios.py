"""The scenarios whose fingerprints must be the same everywhere: every policy, law and kind once."""

import tempfile
from pathlib import Path
from typing import Any

Tree = dict[str, Any]

ROUTINGS = (
    "round_robin",
    "least_connections",
    "ip_hash",
    "least_response_time",
    "random",
    {"power_of_two": {"choices": 3}},
    "join_idle_queue",
    "weighted_random",
)

WORK = (
    "10ms",
    {"exponential": "10ms"},
    {"lognormal": {"mean": "10ms", "cv": 1.5}},
    {"gamma": {"mean": "10ms", "cv": 0.7}},
    {"erlang": {"mean": "10ms", "k": 3}},
    {"weibull": {"mean": "10ms", "shape": 0.7}},
    {"pareto": {"mean": "10ms", "shape": 2.5}},
    {"uniform": {"min": "1ms", "max": "19ms"}},
    {"normal": {"mean": "10ms", "cv": 0.4}},
    {"hyperexponential": {"mean": "10ms", "cv": 2.0}},
    {"hyperexponential": {"probabilities": [0.9, 0.1], "means": ["5ms", "55ms"]}},
    {"empirical": {"values": ["5ms", "10ms", "30ms"], "weights": [2, 5, 1]}},
)


def arrivals(folder: Path) -> tuple[Tree, ...]:
    """The traffic keys of each arrival kind; the two traces are written into `folder`."""
    instants = folder / "instants.csv"
    instants.write_text("t\n" + "".join(f"{k * k / 400000:.6f}\n" for k in range(4000)))
    counts = folder / "counts.csv"
    counts.write_text("t,n\n" + "".join(f"{t},{100 + 37 * t % 300}\n" for t in range(20)))
    return (
        {"rate": "400/s"},
        {"rate": "400/s", "arrivals": "constant"},
        {"arrivals": {"mmpp": {"rates": ["100/s", "700/s"], "mean_stay": ["2s", "1s"]}}},
        {"arrivals": {"profile": [["0s", "100/s"], ["10s", "600/s"], ["20s", "50/s"]]}},
        {"arrivals": {"closed": {"users": 40, "think": {"exponential": "90ms"}}}},
        {"arrivals": {"trace": {"file": str(instants), "column": "t"}}},
        {
            "arrivals": {
                "trace": {"file": str(counts), "time_column": "t", "count_column": "n"},
            },
        },
    )


def farm(routing: Any, work: Any, traffic: Tree) -> Tree:
    """Eight instances of two vCPUs behind one balancer."""
    return {
        "nephoscope": 1,
        "name": "farm",
        "duration": "20s",
        "warmup": "2s",
        "seed": 11,
        "fleets": {
            "web": {
                "instance_type": {"vcpus": 1, "memory": "1GiB"},
                "count": 6,
                "service": "answer",
            }
        },
        "services": {"answer": {"discipline": "fifo", "steps": [{"compute": work}]}},
        "load_balancers": {"front": {"targets": ["web"], "routing": routing}},
        "traffic": {"users": {"to": "front", "clients": 1000, **traffic}},
    }


def tiers() -> Tree:
    """Calls two levels deep, a choice, a failure, a sleep; two sources of traffic."""
    tree = farm("least_connections", {"exponential": "2ms"}, {"rate": "300/s", "timeout": "80ms"})
    tree["fleets"]["store"] = {
        "instance_type": {"vcpus": 2, "memory": "4GiB"},
        "count": 2,
        "service": "look-up",
    }
    tree["services"]["answer"] = {
        "discipline": "fifo",
        "concurrency": 8,
        "steps": [
            {"compute": {"exponential": "2ms"}},
            {
                "choose": [
                    {"weight": 3, "steps": [{"call": "stores"}]},
                    {"weight": 1, "steps": [{"sleep": "5ms"}, {"fail": 0.1}]},
                ]
            },
            {"call": {"to": "store", "timeout": "50ms"}},
        ],
    }
    tree["services"]["look-up"] = {
        "discipline": "ps",
        "steps": [{"compute": {"erlang": {"mean": "3ms", "k": 2}}}],
    }
    tree["load_balancers"]["stores"] = {"targets": ["store"], "routing": "power_of_two"}
    tree["traffic"]["batch"] = {
        "to": "front",
        "arrivals": {"closed": {"users": 5, "think": "100ms"}},
        "on_timeout": "abandon",
        "timeout": "30ms",
    }
    return tree


def hosted(scheduler: str) -> Tree:
    """Tenants of three contended hosts, with weights, caps, booting and a launch without room."""
    tree = farm("least_response_time", {"exponential": "10ms"}, {"rate": "500/s"})
    pinned = scheduler == "pinned"
    tree["hosts"] = {
        "hall": {
            "count": 3,
            "type": {"cores": 2, "threads_per_core": 2, "clock": "2.9GHz", "memory": "5GiB"},
            "scheduler": scheduler,
            "core_scheduling": scheduler == "fair",
            "cpu_overcommit": 1 if pinned else 2.5,
            "smt_gain": 0.3,
            "place": "random",
            "zones": ["a", "b"],
        }
    }
    tree["fleets"]["web"] |= {
        "hosts": "hall",
        "cap": 0.8,
        "weight": 300,
        "interference": {"pressure": 0.1, "sensitivity": 0.7},
    }
    tree["fleets"]["batch"] = {
        "instance_type": {"vcpus": 2, "memory": "1GiB"},
        "count": 12,
        "service": "crunch",
        "hosts": "hall",
        "interference": {"pressure": 0.45},
        "boot": {"exponential": "4s"},
        "initially": "pending",
    }
    tree["services"]["crunch"] = {"discipline": "ps", "steps": [{"compute": "300ms"}]}
    tree["load_balancers"]["back"] = {"targets": ["batch"], "routing": "least_connections"}
    tree["traffic"]["jobs"] = {"to": "back", "arrivals": {"closed": {"users": 40, "think": "1s"}}}
    return tree


def lives() -> Tree:
    """Spot that is taken, an operator at work, and an account that is limited."""
    tree = farm("least_response_time", {"exponential": "10ms"}, {"rate": "500/s"})
    short = {"uniform": {"min": "100ms", "max": "2s"}}
    laws = ("pending", "boot", "restart", "resume", "reboot", "stop", "hibernate", "terminate")
    web = tree["fleets"]["web"] | {"durations": dict.fromkeys(laws, short)}
    web.pop("boot", None)
    unfrozen = dict.fromkeys([law for law in laws if law not in ("resume", "hibernate")], short)
    spot = {"interruption": {"uniform": {"min": "115s", "max": "140s"}}}
    tree["fleets"] = {
        "web": web | {"count": 6, "hibernation": True},
        "spare": web | {"count": 3, "purchase": {"spot": spot}, "durations": unfrozen},
    }
    tree["load_balancers"]["front"]["targets"] = ["web", "spare"]
    tree["accounts"] = {"main": {"vcpus": 5, "api": {"instances": 1, "requests": 1}}}
    tree["actions"] = [
        {"at": "2s", "stop": {"fleet": "web", "count": 1}},
        {"at": "3s", "hibernate": {"fleet": "web", "count": 1}},
        {"at": "4s", "reboot": {"fleet": "web", "count": 2}},
        {"at": "6s", "start": "web"},
        {"at": "7s", "terminate": {"fleet": "web", "count": 1}},
    ]
    return tree


def storm() -> Tree:
    """Two tiers whose callers try again by every rule, in and out of an overload."""
    waits = {"exponential": {"base": "20ms", "cap": "1s"}}
    tree = tiers()
    rush = [["0s", "200/s"], ["5s", "200/s"], ["5s", "900/s"], ["8s", "900/s"], ["8s", "200/s"]]
    tree["traffic"]["users"] |= {
        "arrivals": {"profile": rush},
        "retry": {"attempts": 4, "backoff": waits, "jitter": "full", "budget": "20%"},
        "deadline": "500ms",
        "hedge": "40ms",
    }
    del tree["traffic"]["users"]["rate"]
    tree["traffic"]["batch"] |= {
        "retry": {"attempts": 3, "backoff": waits, "jitter": "decorrelated"},
        "circuit_breaker": {"failures": 5, "failure_rate": 0.3, "window": 20, "open": "1s"},
    }
    steps = tree["services"]["answer"]["steps"]
    law = {"fixed": {"exponential": "10ms"}}
    steps[2]["call"]["retry"] = {"attempts": 2, "backoff": law, "jitter": "equal"}
    return tree


def failing() -> Tree:
    """Hosts that fail at random, a zone that goes dark, and health checks that find out."""
    tree = hosted("fluid")
    tree["faults"] = [
        {"every": {"exponential": "2s"}, "for": {"lognormal": {"mean": "1s", "cv": 2}}}
        | {"fail": {"host": "hall"}},
        {"at": "6s", "for": "2s", "fail": {"zone": "b"}},
        {"every": {"exponential": "4s"}, "kill": "batch"},
        {"every": "1s", "for": "700ms", "slow": {"fleet": "web", "count": 2, "factor": 3}},
        {"at": "3s", "for": "4s", "lose_health_checks": {"fleet": "web", "count": 2}},
    ]
    check = {"interval": "400ms", "timeout": "200ms", "healthy_threshold": 2, "work": "1ms"}
    for door in tree["load_balancers"].values():
        door["health_check"] = check
    return tree


def boards() -> Tree:
    """Requests that become messages, workers that fail and overrun, and one queue after another."""
    tree = farm("round_robin", "1ms", {"rate": "200/s"})
    machine = {"vcpus": 2, "memory": "1GiB"}
    letters = {"queue": "lost", "max_receives": 3}
    tree["queues"] = {
        "orders": {"visibility_timeout": "200ms", "dead_letter": letters, "duplicates": 0.05},
        "ready": {"type": "fifo", "throughput": "unlimited"},
        "lost": {},
    }
    taken = {"queue": "orders", "batch": 4, "wait": "1s", "heartbeat": "150ms"}
    tree["services"] |= {
        "answer": {"steps": [{"compute": "1ms"}, {"send": {"to": "orders", "delay": "0s"}}]},
        "make": {
            "consumes": taken | {"on_timeout": "abandon"},
            "steps": [
                {"compute": {"lognormal": {"mean": "12ms", "cv": 1.5}}},
                {"fail": 0.1},
                {"send": {"to": "ready", "group": "all"}},
            ],
        },
        "call-out": {"consumes": {"queue": "ready", "batch": 10}, "steps": [{"sleep": "2ms"}]},
        "mourn": {"consumes": {"queue": "lost", "wait": "20s"}, "steps": [{"compute": "1ms"}]},
    }
    for name, service in {"makers": "make", "callers": "call-out", "mourners": "mourn"}.items():
        tree["fleets"][name] = {"instance_type": machine, "count": 2, "service": service}
    tree["faults"] = [{"at": "5s", "for": "3s", "fail": "makers"}]
    return tree


def shouts() -> Tree:
    """Choices of events, filters, endpoints that fail and are late, dead letters, FIFO groups."""
    tree = farm("round_robin", "1ms", {"rate": "100/s"})
    machine = {"vcpus": 2, "memory": "1GiB"}
    said = [{"weight": w, "attributes": {"n": n}, "event": {"n": n}} for n, w in ((1, 2), (2, 5))]
    retry = {"retries": 4, "immediate": 1, "min_delay": "1s", "max_delay": "3s", "jitter": "full"}
    ends = [
        {"to": "listeners", "retry": retry, "timeout": "30ms", "dead_letter": "lost"},
        {"to": "board", "filter": {"n": [{"numeric": [">", 1]}]}},
    ]
    tree["queues"] = {"board": {}, "lost": {}, "row": {"type": "fifo"}}
    tree["topics"] = {
        "news": {"subscriptions": ends},
        "orders": {"type": "fifo", "subscriptions": ["row"]},
    }
    tree["services"] |= {
        "answer": {"steps": [{"compute": "1ms"}, {"publish": "news"}]},
        "listen": {"steps": [{"compute": {"exponential": "8ms"}}, {"fail": 0.2}]},
    }
    tree["fleets"]["listeners"] = {"instance_type": machine, "service": "listen"}
    tree["faults"] = [{"at": "5s", "for": "3s", "fail": "listeners"}]
    for source in tree["traffic"].values():
        source["event"] = {"choose": said}
    rule = {"pattern": {"n": [2]}, "targets": ["listeners", {"to": "row", "group": "all"}, "news"]}
    tree["buses"] = {"bell": {"rules": {"two": rule}, "latency": {"exponential": "200ms"}}}
    tree["traffic"]["put"] = {"to": "bell", "rate": "20/s", "event": {"choose": said}}
    tree["traffic"]["direct"] = {"to": "orders", "rate": "350/s", "group": "all"}
    return tree


def changes() -> Tree:
    """Latency of topics, filters and rules that change, and attributes of queues."""
    tree = shouts()
    news, row, bell = tree["topics"]["news"], tree["topics"]["orders"], tree["buses"]["bell"]
    row["latency"] = news["latency"] = {"exponential": "300ms"}
    board = news["subscriptions"][1]
    board |= {"changes": [{"at": "4s", "propagation": {"exponential": "2s"}}]}
    board["confirmed_after"] = "1s"
    other = {"at": "2s", "pattern": {"n": [1]}, "propagation": {"exponential": "3s"}}
    bell["rules"]["two"]["changes"] = [other]
    change = {"queue": "row", "delay": "2s", "takes": {"exponential": "2s"}}
    tree["actions"] = [*tree.get("actions", ()), {"at": "3s", "change": change}]
    return tree


def special() -> dict[str, Tree]:
    """What the farm alone does not cover."""
    work, busy = {"exponential": "10ms"}, {"rate": "700/s"}
    found = {
        "tiers": tiers(),
        "changes": changes(),
        **{f"hosts {name}": hosted(name) for name in ("fluid", "fair", "credit", "pinned")},
        "lives": lives(),
        "storm": storm(),
        "failing": failing(),
        "boards": boards(),
        "shouts": shouts(),
        "ps": farm("least_connections", work, {"rate": "450/s"}),
        "rejected": farm("random", work, busy),
        "timed-out": farm("round_robin", work, {**busy, "timeout": "100ms"}),
        "abandoned": farm(
            "round_robin", work, {**busy, "timeout": "100ms", "on_timeout": "abandon"}
        ),
        "zipf": farm(
            "ip_hash",
            work,
            {"rate": "400/s", "clients": {"count": 500, "popularity": {"zipf": 1.1}}},
        ),
        "weights": farm("weighted_random", work, {"rate": "400/s"}),
        "weighted-connections": farm("least_connections", work, {"rate": "400/s"}),
        "no-balancer": farm("random", "1ms", {"rate": "400/s"}),
        "large": farm("join_idle_queue", work, {"rate": "9000/s"}),
    }
    found["devices"] = farm("random", work, {"rate": "100/s"})
    found["devices"]["services"]["answer"] = {
        "concurrency": 4,
        "steps": [
            {"memory": "300MiB"},
            {"network": "100kB"},
            {"disk": {"bytes": "200kB", "ops": 5}},
            {"gpu": {"work": work, "batch": 4}},
        ],
    }
    found["devices"]["fleets"]["web"]["instance_type"] = {
        "vcpus": 1,
        "network": {"baseline": "20Mbps", "burst": "80Mbps", "burst_for": "1s"},
        "gpu": {"count": 1, "speed": 1.5},
    }
    found["ps"]["services"]["answer"]["discipline"] = "ps"
    found["rejected"]["services"]["answer"]["backlog"] = 4
    found["no-balancer"]["traffic"]["users"]["to"] = "web"
    found["large"]["fleets"]["web"]["count"] = 3000
    found["large"]["duration"] = "5s"
    for name in ("weights", "weighted-connections"):
        tree = found[name]
        tree["fleets"]["old"] = {**tree["fleets"]["web"], "count": 2}
        tree["load_balancers"]["front"]["targets"] = ["web", {"fleet": "old", "weight": 0.5}]
    return found


def all_scenarios(folder: Path | None = None) -> dict[str, Tree]:
    """Name -> scenario; `folder` receives the traces (default: a new temporary one)."""
    folder = folder or Path(tempfile.mkdtemp(prefix="nephoscope-traces-"))
    traffic = arrivals(folder)
    found = {}
    for index, work in enumerate(WORK):
        routing = ROUTINGS[index % len(ROUTINGS)]
        kind = traffic[index % len(traffic)]
        found[f"farm-{index}"] = farm(routing, work, kind)
    return found | special()
