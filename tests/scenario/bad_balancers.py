"""Ways to break what a scenario says of balancers besides their targets and routing."""

from scenario.breaking import DELETE, Case, same

FRONT = "load_balancers.front"
PROXY = "load_balancers.proxy"
BLUE = {"targets": ["web"], "weight": 95}
GREEN = {"targets": ["db"], "weight": 5}

BALANCERS: list[Case] = [
    *same(f"{FRONT}.slow_start", ["0s", "29s", "901s", "1h", "-30s"], "30s to 900s"),
    *same(f"{FRONT}.slow_start", [30, True, {"x": 1}], "such as 250ms"),
    *same(f"{FRONT}.slow_start", ["30s"], "least_connections does not go with slow_start"),
    *same(f"{PROXY}.slow_start", ["30s"], "weighted_random does not go with slow_start"),
    *same(f"{FRONT}.stickiness", ["0s", "900ms", "8d"], "1s to 7d"),
    *same(f"{FRONT}.stickiness", [True, 60, "lb_cookie"], "such as 250ms"),
    (f"{FRONT}.stickiness", {"x": 1}, f"{FRONT}.stickiness.x", "no key"),
    (f"{FRONT}.stickiness", {"duration": "8d"}, f"{FRONT}.stickiness.duration", "1s to 7d"),
    ("traffic.users.clients", DELETE, f"{PROXY}.stickiness", "users sends here without clients"),
    *same(f"{FRONT}.cross_zone", ["no", 0, {"x": 1}]),
    *same(f"{FRONT}.cross_zone", [False], "instances of web are in no zone"),
    *same(f"{FRONT}.surge_queue", [0, -1, 1.5, "1024", True, 2**20 + 1], "whole number"),
    *same(f"{PROXY}.surge_queue", [1024], "stickiness does not go with a surge queue"),
    *same(f"{FRONT}.nodes", [0, 65, 1.5, "2", True], "whole number"),
    (FRONT, {"groups": {"blue": BLUE}, "nodes": 2}, f"{FRONT}.nodes", "do not go with groups"),
    (
        FRONT,
        {"targets": ["batch"], "cross_zone": False, "nodes": 2},
        f"{FRONT}.nodes",
        "there is a node in each zone",
    ),
    (
        FRONT,
        {"targets": ["web"], "surge_queue": 5, "nodes": 2},
        f"{FRONT}.surge_queue",
        "nodes does not go with a surge queue",
    ),
    *same(f"{FRONT}.capacity", ["0/s", 5, "much", {"minimum": "1/s"}]),
    *same(f"{FRONT}.capacity", ["2000000000/s"], "too fast"),
    *same(f"{FRONT}.capacity", [{"start": "0.0001/s"}], "out of range"),
    (f"{FRONT}.capacity", {"start": "5/s", "minimum": "6/s"}, None, "is above the start"),
    (f"{FRONT}.routing", {"weighted_random": {"window": "3s"}}, None, "a window without"),
    (f"{FRONT}.routing", {"weighted_random": {"anomaly_mitigation": "yes"}}, None, ""),
    (f"{FRONT}.routing", {"weighted_random": {"mitigation": True}}, None, "no key"),
    (f"{PROXY}.stickiness", {"duration": "1d", "application": {}}, None, "has its own"),
    (f"{PROXY}.stickiness", {"application": "8d"}, None, "1s to 7d"),
    (
        FRONT,
        {"groups": {"blue": BLUE}, "stickiness": {"application": "1h"}},
        f"{FRONT}.stickiness.application",
        "do not work with weighted groups",
    ),
    *same(f"{FRONT}.idle_timeout", ["0s", "-1s", 60, {"x": 1}]),
    (f"{FRONT}.groups", {"blue": GREEN}, None, "targets stand outside of the groups"),
    *same(FRONT, [{"groups": {}}], ""),
    (FRONT, {"groups": {"blue": BLUE, "b c": GREEN}}, None, "letters"),
    (FRONT, {"groups": {"blue": BLUE, "green": {}}}, f"{FRONT}.groups.green.targets", "missing"),
    (FRONT, {"groups": {"blue": BLUE | {"weight": 1000}}}, f"{FRONT}.groups.blue.weight", "999"),
    (FRONT, {"groups": {"blue": BLUE | {"weight": 0.5}}}, f"{FRONT}.groups.blue.weight", "whole"),
    (FRONT, {"groups": {"blue": BLUE | {"weight": 0}}}, f"{FRONT}.groups", "no group has a weight"),
    (
        FRONT,
        {"groups": {"blue": BLUE, "green": BLUE}},
        f"{FRONT}.groups.green.targets.0",
        "the fleet web is a target already, in groups.blue.targets.0",
    ),
    (
        FRONT,
        {"groups": {"blue": {"targets": ["wbe"]}}},
        f"{FRONT}.groups.blue.targets.0",
        "did you mean web?",
    ),
    (
        FRONT,
        {"groups": {"blue": {"targets": [{"fleet": "web", "weight": 2}]}}, "routing": "random"},
        f"{FRONT}.groups.blue.targets.0.weight",
        "no use for weights",
    ),
    (
        FRONT,
        {"groups": {"all": {"targets": ["batch"]}}, "cross_zone": False},
        f"{FRONT}.cross_zone",
        "groups does not go with cross_zone: false",
    ),
    (
        FRONT,
        {"targets": ["batch"], "cross_zone": False, "stickiness": {"duration": "1d"}},
        f"{FRONT}.cross_zone",
        "stickiness does not go with cross_zone: false",
    ),
    (
        FRONT,
        {"groups": {f"g{i}": {"targets": ["web"]} for i in range(6)}},
        f"{FRONT}.groups",
        "6 groups are too many",
    ),
]
