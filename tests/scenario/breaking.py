"""A good scenario, and what it takes to break it."""

import copy
from typing import Any

import yaml

GOOD: dict[str, Any] = {
    "nephoscope": 1,
    "name": "good",
    "duration": "10m",
    "warmup": "1m",
    "start": "2024-03-09 18:00:00.5-05:00",
    "seed": 1,
    "series": "auto",
    "fleets": {
        "web": {
            "instance_type": {"vcpus": 2, "memory": "4GiB", "speed": 1.5},
            "count": 3,
            "service": "page",
            "purchase": {
                "spot": {
                    "interruption": {"exponential": "2h"},
                    "behaviour": "stop",
                    "outage": "10m",
                }
            },
        },
        "db": {
            "count": 2,
            "service": "query",
            "hibernation": True,
            "durations": {"restart": "20s", "stop": {"exponential": "10s"}},
        },
        "batch": {
            "instance_type": {"vcpus": 2, "memory": "2GiB"},
            "service": "query",
            "hosts": "hall",
            "weight": 512,
            "reservation": 0.5,
            "cap": {"quota": "30ms", "period": "100ms"},
            "zones": ["b"],
            "tenant": "lab",
            "tenancy": "dedicated",
            "placement": {"group": "apart", "strategy": "partition", "partitions": 3},
            "os": "windows",
            "boot": {"exponential": "20s"},
            "initially": "pending",
        },
        "small": {
            "instance_type": "t3.micro",
            "cpu_credits": {"mode": "standard", "lowered_over": "15m"},
            "service": "query",
        },
    },
    "hosts": {
        "hall": {
            "count": 2,
            "type": {"sockets": 1, "cores": 4, "threads_per_core": 2, "memory": "64GiB"},
            "scheduler": "fluid",
            "cpu_overcommit": 2.0,
            "smt_gain": 0.3,
            "place": "spread",
            "zones": ["a", "b"],
            "racks": 3,
        },
    },
    "services": {
        "page": {
            "discipline": "fifo",
            "concurrency": 2,
            "backlog": 10,
            "steps": [
                {"compute": {"exponential": "10ms"}},
                {"sleep": "1ms"},
                {"call": {"to": "proxy", "timeout": "1s", "retry": {"attempts": 2}}},
                {
                    "choose": [
                        {"weight": 1, "steps": [{"fail": 0.1}]},
                        {"weight": 3, "steps": [{"call": "db"}]},
                    ]
                },
            ],
        },
        "query": {
            "discipline": "ps",
            "steps": [{"compute": {"lognormal": {"mean": "2ms", "cv": 1.5}}}],
        },
    },
    "load_balancers": {
        "front": {
            "targets": ["web"],
            "routing": "least_connections",
            "health_check": {
                "interval": "10s",
                "timeout": "5s",
                "healthy_threshold": 3,
                "unhealthy_threshold": 2,
                "work": "1ms",
                "minimum_healthy": {"count": 2, "share": "50%"},
                "dns_failover": {"minimum_healthy_targets": {"count": 1, "share": "10%"}},
            },
            "deregistration_delay": "1m",
            "surge_queue": 100,
        },
        "proxy": {
            "targets": [{"fleet": "db", "weight": 2}],
            "routing": {"weighted_random": {"anomaly_mitigation": True, "window": "30s"}},
            "capacity": {"start": "500/s", "minimum": "100/s"},
            "stickiness": {"duration": "1h"},
            "idle_timeout": "30s",
        },
    },
    "actions": [
        {"at": "5m", "stop": {"fleet": "web", "count": 1}},
        {"at": "6m", "reboot": "db"},
        {"at": "7m", "stop": "small"},
    ],
    "faults": [
        {"at": "2m", "for": "1m", "fail": {"fleet": "web", "count": 1}},
        {"every": {"exponential": "1h"}, "for": "30s", "fail": {"rack": "hall", "index": 2}},
        {"at": "3m", "for": "1m", "lose_health_checks": "web"},
        {"every": "4m", "for": "10s", "hang": {"fleet": "db", "count": 2}},
    ],
    "accounts": {
        "lab": {
            "vcpus": 8,
            "spot_vcpus": {"standard": 4, "g": 2},
            "api": {"instances": 100},
        },
    },
    "traffic": {
        "users": {
            "to": "front",
            "rate": "40/s",
            "arrivals": "poisson",
            "clients": {"count": 100, "popularity": {"zipf": 1.1}},
            "timeout": "2s",
            "on_timeout": "abandon",
            "retry": {
                "attempts": 3,
                "backoff": {"exponential": {"base": "50ms", "cap": "2s"}},
                "jitter": "full",
                "budget": {"share": "10%", "reserve": 20, "rate": "1/s"},
            },
            "deadline": "10s",
            "hedge": {"after": "1s"},
            "circuit_breaker": {
                "failures": 50,
                "failure_rate": "80%",
                "window": 200,
                "open": "5s",
                "probes": 3,
            },
        },
        "clerks": {"to": "web", "arrivals": {"closed": {"users": 3, "think": "5s"}}},
    },
}

DELETE = object()

# (path to set, value, path of the problem where it is another, words the message must hold)
Case = tuple[str, Any, str | None, str]


def same(path: str, values: list[Any], words: str = "") -> list[Case]:
    """Several values of one path, each of which is a problem there."""
    return [(path, value, None, words) for value in values]


def broken(path: str, value: Any) -> str:
    """The good scenario with one value changed, as the text of a file."""
    tree = copy.deepcopy(GOOD)
    node: Any = tree
    *parents, last = path.split(".")
    for part in parents:
        node = node[int(part) if isinstance(node, list) else part]
    if value is DELETE:
        del node[last]
    elif isinstance(node, list):
        node[int(last)] = value
    else:
        node[last] = value
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(tree, Dumper=dumper, sort_keys=False, allow_unicode=True)
    return text
