"""Ways to break what a scenario says of failures and of who finds out."""

from scenario.breaking import DELETE, Case, same

CHECK = "load_balancers.front.health_check"
LOST = "faults.2.lose_health_checks"

FAILURES: list[Case] = [
    *same(CHECK, [4, "often", True, []]),
    *same(f"{CHECK}.interval", ["0s", 10, "-1s", "often"]),
    (f"{CHECK}.interval", "1s", CHECK, "longer than the interval"),
    (f"{CHECK}.timeout", "11s", CHECK, "at most 10s"),
    *same(f"{CHECK}.timeout", ["0s", 5, "soon"]),
    *same(f"{CHECK}.healthy_threshold", [0, 256, 1.5, "3"]),
    *same(f"{CHECK}.unhealthy_threshold", [0, 256, None]),
    *same(f"{CHECK}.work", ["-1ms", 3, "much"]),
    *same(f"{CHECK}.minimum_healthy.count", [-1, 1.5, "2"]),
    *same(f"{CHECK}.minimum_healthy.share", ["110%", -0.1, "half"]),
    (f"{CHECK}.minimum_healthy", "half", f"{CHECK}.minimum_healthy", "whole number"),
    *same(f"{CHECK}.intervall", ["10s"], "did you mean interval?"),
    *same("load_balancers.front.deregistration_delay", ["-1s", 300, "long"]),
    (CHECK, DELETE, LOST, "no load balancer has a health check"),
    *same("faults", [4, "all", {"at": "1m", "kill": "web"}], "list"),
    *same("faults.0", [4, None, "kill"]),
    ("faults.0", {"at": "1m"}, None, "not one fault"),
    ("faults.0", {"at": "1m", "kill": "web", "fail": "web"}, None, "not one fault"),
    ("faults.0", {"kill": "web"}, None, "needs at or every"),
    ("faults.0", {"at": "1m", "every": "1h", "kill": "web"}, None, "needs at or every"),
    ("faults.0", {"at": "1m", "for": "1m", "kill": "web"}, None, "stays dead"),
    ("faults.0", {"at": "1m", "explode": "web"}, "faults.0.explode", "no key"),
    ("faults.0", {"at": "1m", "slow": "web"}, "faults.0.slow", "not built yet"),
    ("faults.0", {"at": "1m", "maintain": "web"}, "faults.0.maintain", "not built yet"),
    *same("faults.0.at", ["later", -1, "-1s"]),
    *same("faults.0.for", ["long", -1, {"exponential": 5}]),
    *same("faults.1.every", ["often", -1, {"exponential": "0s"}]),
    *same("faults.0.fail", ["wbe"], "did you mean web?"),
    *same("faults.0.fail", ["page"], "is a service"),
    *same("faults.0.fail", [{}], "not one place"),
    *same("faults.0.fail", [{"fleet": "web", "zone": "a"}], "not one place"),
    *same("faults.0.fail", [{"zone": "a", "count": 2}], "count is of a fleet"),
    *same("faults.0.fail", [{"fleet": "web", "index": 2}], "index is of a host"),
    *same("faults.0.fail.fleet", ["wbe"], "did you mean web?"),
    *same("faults.0.fail.count", [0, -1, 1.5, "2"]),
    ("faults.0.fail", {"zone": "x"}, "faults.0.fail.zone", "no zone of any hosts"),
    ("faults.0.fail", {"host": "hal"}, "faults.0.fail.host", "did you mean hall?"),
    ("faults.0.fail", {"host": "hall", "index": 2}, "faults.0.fail.index", "0 to 1"),
    ("faults.0.fail", {"rack": "hall", "index": 6}, "faults.0.fail.index", "0 to 5"),
]
