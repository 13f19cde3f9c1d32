"""The ways to break what the good scenario says of the life of instances."""

from scenario.cases import DELETE, Case
from scenario.cases import same as _same

SPOT = "fleets.web.purchase.spot"
DB = "fleets.db"

LIFE: list[Case] = [
    *_same("fleets.web.purchase", ["spott", "on-demand"], "did you mean"),
    *_same("fleets.web.purchase", [1, None, [], {}, {"spot": {}, "on_demand": {}}]),
    *_same(f"{SPOT}.interruption", ["often", -1, {"exponential": 5}]),
    (f"{SPOT}.interruption", DELETE, SPOT, "without an interruption has no effect"),
    *_same(f"{SPOT}.behaviour", ["reboot", "Stop", 1]),
    (f"{SPOT}.behaviour", "terminate", SPOT, "outage belongs to"),
    (f"{SPOT}.behaviour", "hibernate", "fleets.web", "cannot hibernate"),
    (f"{SPOT}.outage", DELETE, SPOT, "outage belongs to"),
    *_same(f"{SPOT}.outage", ["long", 4]),
    *_same(f"{SPOT}.discount", ["110%", -0.1, "much"]),
    (f"{SPOT}.discount", 0.5, "fleets.web", "no price to discount"),
    *_same(f"{SPOT}.price", [1], "no key"),
    *_same(f"{DB}.hibernation", ["yes", 1, None]),
    *_same(f"{DB}.durations", ["short", 1, []]),
    *_same(f"{DB}.durations.stop", ["soon", -1, {"exponential": 5}]),
    *_same(f"{DB}.durations.shutdown", ["1s"], "no key"),
    ("fleets.batch.durations", {"boot": "1s"}, "fleets.batch", "boot is given twice"),
    *_same("actions", [4, "stop", {"at": "1m", "stop": "web"}], "list"),
    *_same("actions.0", [4, None, "stop"]),
    ("actions.0", {"at": "1m"}, None, "not one action"),
    ("actions.0", {"at": "1m", "stop": "web", "start": "web"}, None, "not one action"),
    ("actions.0", {"at": "1m", "kill": "web"}, "actions.0.kill", "no key"),
    ("actions.0.at", DELETE, None, "missing"),
    *_same("actions.0.at", ["later", -1, "-1s"]),
    *_same("actions.0.stop", ["wbe"], "did you mean web?"),
    *_same("actions.0.stop", ["page"], "is a service"),
    *_same("actions.0.stop.fleet", ["wbe"], "did you mean web?"),
    *_same("actions.0.stop.count", [0, -1, 1.5, "2"]),
    ("actions.1", {"at": "1m", "hibernate": "web"}, "actions.1.hibernate", "behaviour is stop"),
    ("actions.1", {"at": "1m", "hibernate": "small"}, "actions.1.hibernate", "cannot hibernate"),
    ("fleets.small.purchase", "spot", "actions.2.stop", "behaviour is terminate cannot stop"),
    ("accounts", {"labs": {}}, "accounts.labs", "no fleet has the tenant labs"),
    *_same("accounts.lab", [4, "free"]),
    *_same("accounts.lab.vcpus", [-1, "many", 1.5, 2**31]),
    *_same("accounts.lab.vcpus", [{"standrd": 4}], "no key"),
    *_same("accounts.lab.spot_vcpus.g", [-1, "many"]),
    *_same("accounts.lab.api", [True, 5, "default"]),
    *_same("accounts.lab.api.instances", [0, -1, 1.5, "many", 2 * 10**9]),
    *_same("accounts.lab.api.requests_per_s", [0, "2/s"]),
]
