"""Ways to break the good scenario by hand: one for every rule of the language."""

from scenario.bad_balancers import BALANCERS
from scenario.bad_failures import FAILURES
from scenario.bad_hosts import DEVICES, HOSTS, LIFE
from scenario.bad_queues import QUEUES
from scenario.bad_resilience import RESILIENCE
from scenario.bad_scaling import SCALING
from scenario.bad_topics import TOPICS
from scenario.breaking import DELETE, GOOD, Case, same

COMPUTE = "services.page.steps.0.compute"
ARRIVALS = "traffic.clerks.arrivals"
USERS = "traffic.users"

SCALARS: list[Case] = [
    *same("nephoscope", [2, 0, "1", 1.0, True, [1]]),
    *same("name", ["", "a b", "a.b", "-a", "x" * 65, 5, ["a"], {"a": 1}, "a/b", "é"]),
    *same("duration", ["0s", "-1h", "1", 60, "1 fortnight", "101w1000d40000d", "1h1h", "1m1h"]),
    *same("duration", ["nan", "infs", "1e99h", "101y", "", [1], True, "0.1ns", "40000d"]),
    *same("warmup", ["10m", "11m", "-1s", 60, "never"]),
    *same("start", ["2024-01-01", "2024-01-01 09:00", "2024-01-01T00:00:00"], "did you mean 2024"),
    *same("start", ["2024-02-30T00:00:00Z", "2023-02-29T00:00Z"], "not in the calendar"),
    *same("start", ["monday", 0, 2024, True, [1], "2024-01-01T24:00:00Z", "2024-01-01T00:00z"]),
    *same("start", ["1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "2024-W01-1T00:00Z", ""]),
    *same("seed", [-1, 2**64, 1.5, "7", True]),
    *same("series", ["0s", "-1s", "always", 1, "1us"]),
    *same("fleets.web.count", [-1, 2.0, 2.5, "3", True, 4_194_305, 10**30, [3]]),
    *same("fleets.web.instance_type.vcpus", [0, -2, 1.5, 4097, "2"]),
    *same(
        "fleets.web.instance_type.memory", ["0B", "4", 4, "4 gibi", "-4GiB", "1.5B", "9999999PiB"]
    ),
    *same("fleets.web.instance_type.speed", [0, -1.0, float("nan"), float("inf"), "fast", 1001]),
    *same("fleets.web.instance_type", ["m5.lrage", "M5.large", "m5 large"], "mean m5.large?"),
    *same("fleets.web.instance_type", ["m5.metal"], "m5.12xlarge or m5.24xlarge"),
    *same("fleets.web.instance_type", ["", "x" * 500], "nephoscope catalog"),
    *same("fleets.web.instance_type", [{"type": "m5.large", "vcpus": 2}], "brings its own vcpus"),
    *same("fleets.web.instance_type", [{"type": "m5.large", "speed": 1.2}], "m5.large alone"),
    *same("fleets.web.instance_type.type", ["m5.lrage", 5, None]),
    *same("fleets.web.instance_type", [4, [2]]),
    *same("services.page.discipline", ["lifo", "FIFO", 1, ["fifo"]]),
    *same("services.page.concurrency", [0, -1, 1.5, "2", 10**9]),
    *same("services.page.backlog", [-1, 0.5, "many", 2**40]),
    *same(
        "load_balancers.front.routing", ["", "least_conn", "Round_Robin", 1, [], {}, "source_ip"]
    ),
    *same(
        "load_balancers.proxy.targets.0.weight", [-1, float("nan"), float("inf"), "2", True, 1e7]
    ),
    *same(
        "traffic.users.rate", ["0/s", "-40/s", "40", 40, "40/fortnight", "nan/s", "1e12/s", "40s"]
    ),
    *same("traffic.users.timeout", ["0s", "-2s", 2, "2", "soon", [], {"s": 2}]),
    *same("traffic.users.on_timeout", ["retry", "Finish", 1, None]),
    *same("traffic.users.clients.count", [0, -1, 2.5, "100", 2**40]),
    *same(
        "traffic.users.clients.popularity",
        ["zipf", "pareto", {"zipf": 0}, {"zipf": 1, "uniform": {}}],
    ),
    ("traffic.users.clients.count", 2**25, "traffic.users.clients", "zipf"),
    *same("traffic.users.clients", [0, "many", [100], -3.5]),
]
# Options of a form are refused at the form's own path.
SCALARS = [
    (p, v, f"{p}.zipf" if v == {"zipf": 0} else f"{p}.count" if p.endswith("clients.") else e, w)
    for p, v, e, w in SCALARS
]

DISTRIBUTIONS: list[Case] = [
    *same(COMPUTE, ["10", 10, "-10ms", "fast", "exponential", None, [], {}, True, ["10ms"]]),
    (COMPUTE, {"exponentail": "10ms"}, f"{COMPUTE}.exponentail", "exponential"),
    (COMPUTE, {"exponential": "10ms", "gamma": {"mean": "1ms", "cv": 1}}, COMPUTE, "one"),
    (COMPUTE, {"exponential": "0s"}, f"{COMPUTE}.exponential", "more than 0"),
    (COMPUTE, {"exponential": 10}, f"{COMPUTE}.exponential", "10s"),
    (COMPUTE, {"exponential": {"mean": "1ms"}}, f"{COMPUTE}.exponential", ""),
    (COMPUTE, {"lognormal": "1ms"}, f"{COMPUTE}.lognormal", "mean or cv"),
    (COMPUTE, {"lognormal": {"mean": "1ms"}}, f"{COMPUTE}.lognormal.cv", "missing"),
    (COMPUTE, {"lognormal": {"cv": 1}}, f"{COMPUTE}.lognormal.mean", "missing"),
    (COMPUTE, {"lognormal": {"mean": "1ms", "cv": 0}}, f"{COMPUTE}.lognormal.cv", "above 0"),
    (COMPUTE, {"lognormal": {"mean": "1ms", "cv": "80%"}}, f"{COMPUTE}.lognormal.cv", "number"),
    (COMPUTE, {"lognormal": {"mean": "1ms", "cv": 1, "p": 1}}, f"{COMPUTE}.lognormal.p", "no key"),
    (COMPUTE, {"gamma": {"mean": "1ms", "cv": -1}}, f"{COMPUTE}.gamma.cv", ""),
    (COMPUTE, {"erlang": {"mean": "1ms", "k": 0}}, f"{COMPUTE}.erlang.k", ""),
    (COMPUTE, {"erlang": {"mean": "1ms", "k": 2.5}}, f"{COMPUTE}.erlang.k", "whole"),
    (COMPUTE, {"weibull": {"mean": "1ms", "shape": 0}}, f"{COMPUTE}.weibull.shape", ""),
    (COMPUTE, {"pareto": {"mean": "1ms", "shape": 1}}, f"{COMPUTE}.pareto.shape", "above 1"),
    (COMPUTE, {"uniform": {"min": "2ms", "max": "1ms"}}, f"{COMPUTE}.uniform", "below min"),
    (COMPUTE, {"uniform": ["1ms", "2ms"]}, f"{COMPUTE}.uniform", "mapping"),
    (COMPUTE, {"normal": {"mean": "-1ms", "cv": 1}}, f"{COMPUTE}.normal.mean", ""),
    (
        COMPUTE,
        {"hyperexponential": {"mean": "1ms", "cv": 0.5}},
        f"{COMPUTE}.hyperexponential.cv",
        "",
    ),
    (COMPUTE, {"hyperexponential": {"mean": "1ms"}}, f"{COMPUTE}.hyperexponential", "mean and cv"),
    (
        COMPUTE,
        {"hyperexponential": {"probabilities": [0.5, 0.4], "means": ["1ms", "2ms"]}},
        f"{COMPUTE}.hyperexponential",
        "add up",
    ),
    (
        COMPUTE,
        {"hyperexponential": {"probabilities": [0.5, 0.5], "means": ["1ms"]}},
        f"{COMPUTE}.hyperexponential",
        "2 probabilities and 1 means",
    ),
    (COMPUTE, {"empirical": {"values": []}}, f"{COMPUTE}.empirical.values", "empty"),
    (COMPUTE, {"empirical": {"values": [1]}}, f"{COMPUTE}.empirical.values.0", "unit"),
    (COMPUTE, {"empirical": {"values": ["1ms"], "weights": [0]}}, f"{COMPUTE}.empirical", "weight"),
    (COMPUTE, {"empirical": {"values": ["1ms"], "weights": [1, 2]}}, f"{COMPUTE}.empirical", "2"),
    (COMPUTE, {"empirical": {"values": ["1ms"], "file": "x.csv"}}, f"{COMPUTE}.empirical", "file"),
    (COMPUTE, {"empirical": {"file": "x.csv"}}, f"{COMPUTE}.empirical", "column"),
    (COMPUTE, {"replay": {"column": "x"}}, f"{COMPUTE}.replay.file", "missing"),
    (
        COMPUTE,
        {"replay": {"file": "no.csv", "column": "x"}},
        f"{COMPUTE}.replay.file",
        "no such file",
    ),
    (COMPUTE, {"replay": {"file": "\0", "column": "x"}}, f"{COMPUTE}.replay.file", ""),
    (
        COMPUTE,
        {"replay": {"file": "/dev/zero", "column": "x"}},
        f"{COMPUTE}.replay.file",
        "no such",
    ),
    (COMPUTE, {"replay": {"file": "..", "column": "x"}}, f"{COMPUTE}.replay.file", "no such file"),
]

ARRIVAL: list[Case] = [
    *same(ARRIVALS, ["closed", "sometimes", 5, [], {}, "", "Poisson"]),
    (ARRIVALS, {"poison": {}}, f"{ARRIVALS}.poison", "poisson"),
    (ARRIVALS, {"poisson": {"rate": "4/s"}}, f"{ARRIVALS}.poisson.rate", ""),
    (ARRIVALS, "poisson", "traffic.clerks.rate", "missing"),
    (ARRIVALS, "constant", "traffic.clerks.rate", "missing"),
    (ARRIVALS, {"closed": {"users": 0, "think": "1s"}}, f"{ARRIVALS}.closed.users", ""),
    (ARRIVALS, {"closed": {"users": 3}}, f"{ARRIVALS}.closed.think", "missing"),
    (ARRIVALS, {"closed": 3}, f"{ARRIVALS}.closed", "mapping"),
    (
        ARRIVALS,
        {"mmpp": {"rates": ["1/s"], "mean_stay": ["1s", "2s"]}},
        f"{ARRIVALS}.mmpp",
        "1 rates",
    ),
    (ARRIVALS, {"mmpp": {"rates": ["0/s"], "mean_stay": ["1s"]}}, f"{ARRIVALS}.mmpp", "every rate"),
    (
        ARRIVALS,
        {"mmpp": {"rates": ["1/s"], "mean_stay": ["0s"]}},
        f"{ARRIVALS}.mmpp.mean_stay.0",
        "",
    ),
    (ARRIVALS, {"mmpp": {"rates": [], "mean_stay": []}}, f"{ARRIVALS}.mmpp.rates", "empty"),
    (ARRIVALS, {"profile": []}, f"{ARRIVALS}.profile", "empty"),
    (ARRIVALS, {"profile": [["0s", "1/s", 3]]}, f"{ARRIVALS}.profile.0", "point"),
    (ARRIVALS, {"profile": [["0s"]]}, f"{ARRIVALS}.profile.0", "point"),
    (ARRIVALS, {"profile": {"0s": "1/s"}}, f"{ARRIVALS}.profile", "list"),
    (ARRIVALS, {"profile": [["0s", "1s"]]}, f"{ARRIVALS}.profile.0.1", "rate"),
    (ARRIVALS, {"profile": [["1/s", "0s"]]}, f"{ARRIVALS}.profile.0.0", "duration"),
    (ARRIVALS, {"profile": [["2s", "1/s"], ["1s", "1/s"]]}, f"{ARRIVALS}.profile", "ascending"),
    (ARRIVALS, {"profile": [["-1s", "1/s"]]}, f"{ARRIVALS}.profile.0.0", "negative"),
    (ARRIVALS, {"profile": [["0s", "0/s"]]}, f"{ARRIVALS}.profile", "every rate"),
    (ARRIVALS, {"trace": "x.csv"}, f"{ARRIVALS}.trace", "mapping"),
    (ARRIVALS, {"trace": {"file": "x.csv"}}, f"{ARRIVALS}.trace", "column"),
    (
        ARRIVALS,
        {"trace": {"file": "no.csv", "column": "t"}},
        f"{ARRIVALS}.trace.file",
        "no such file",
    ),
    (ARRIVALS, {"trace": {"column": "t"}}, f"{ARRIVALS}.trace.file", "missing"),
    (
        ARRIVALS,
        {"trace": {"file": "x.csv", "column": "t", "count_column": "n"}},
        f"{ARRIVALS}.trace",
        "time_column",
    ),
    (
        ARRIVALS,
        {"trace": {"file": "x.csv", "time_column": "t"}},
        f"{ARRIVALS}.trace",
        "count_column",
    ),
    (
        ARRIVALS,
        {"trace": {"file": "x.csv", "column": "t", "scale": 0}},
        f"{ARRIVALS}.trace.scale",
        "above 0",
    ),
    (
        ARRIVALS,
        {"trace": {"file": "x.csv", "column": "t", "shift": 5}},
        f"{ARRIVALS}.trace.shift",
        "unit",
    ),
    (f"{USERS}.arrivals", {"profile": [["0s", "1/s"]]}, f"{USERS}.rate", "carry their own rate"),
    (f"{USERS}.rate", DELETE, f"{USERS}.rate", "missing"),
]

STEPS = "services.page.steps"
STEP = "services.page.steps.0"
KIND = "fleets.web.instance_type"
JOINED: list[Case] = [
    *same(STEPS, [[], {}, "compute", None, [5], ["compute"]])[:4],
    (STEPS, [5], f"{STEPS}.0", "mapping"),
    (STEPS, ["compute"], f"{STEPS}.0", ""),
    (STEPS, [{}], f"{STEPS}.0", "one"),
    (STEPS, [{"compute": "1ms", "sleep": "1ms"}], f"{STEPS}.0", "one"),
    (STEPS, [{"comput": "1ms"}], f"{STEPS}.0.comput", "compute"),
    (STEPS, [{"call": {"timeout": "1s"}}], f"{STEPS}.0.call.to", "missing"),
    (STEPS, [{"call": {"to": "db", "timeout": 0}}], f"{STEPS}.0.call.timeout", ""),
    (STEPS, [{"call": 5}], f"{STEPS}.0.call", ""),
    (STEPS, [{"call": "nobody"}], f"{STEPS}.0.call", "not the name"),
    (STEPS, [{"call": {"to": "prox"}}], f"{STEPS}.0.call.to", "proxy"),
    (STEPS, [{"call": "query"}], f"{STEPS}.0.call", "is a service"),
    (STEPS, [{"call": "users"}], f"{STEPS}.0.call", "is a source of traffic"),
    (STEPS, [{"call": "web"}], f"{STEPS}.0.call", "never end"),
    (STEPS, [{"call": "front"}], f"{STEPS}.0.call", "never end"),
    ("services.query.steps", [{"call": "front"}], "services.query.steps.0.call", "never end"),
    (STEPS, [{"choose": []}], f"{STEPS}.0.choose", "empty"),
    (STEPS, [{"choose": {}}], f"{STEPS}.0.choose", "list"),
    (STEPS, [{"choose": [{"steps": [{"fail": 1}]}]}], f"{STEPS}.0.choose.0.weight", "missing"),
    (STEPS, [{"choose": [{"weight": 1}]}], f"{STEPS}.0.choose.0.steps", "missing"),
    (STEPS, [{"choose": [{"weight": 0, "steps": [{"fail": 1}]}]}], f"{STEPS}.0.choose", "weight"),
    (
        STEPS,
        [{"choose": [{"weight": -1, "steps": [{"fail": 1}]}]}],
        f"{STEPS}.0.choose.0.weight",
        "",
    ),
    (STEPS, [{"choose": [{"weight": 1, "steps": []}]}], f"{STEPS}.0.choose.0.steps", "empty"),
    (STEPS, [{"choose": [{"weight": 1, "steps": [{"call": "web"}]}]}], None, "never end"),
    (
        STEPS,
        [
            {
                "choose": [
                    {"weight": 3, "steps": [{"call": "web"}]},
                    {"weight": 1, "steps": [{"sleep": "0s"}]},
                ]
            },
            {
                "choose": [
                    {"weight": 3, "steps": [{"call": "web"}]},
                    {"weight": 1, "steps": [{"sleep": "0s"}]},
                ]
            },
        ],
        STEPS,
        "grow without end",
    ),
    *[
        (STEPS, [{"fail": value}], f"{STEPS}.0.fail", "")
        for value in (-0.1, 1.1, "110%", "x", True, None, float("nan"))
    ],
    *[
        (STEP, {key: value}, f"{STEP}.{key}", words)
        for key, value, words in (
            ("network", 5, "unit"),
            ("network", "0B", "more than 0"),
            ("network", "4097PiB", "at most 4096PiB"),
            ("memory", "4097PiB", "at most 4096PiB"),
            ("network", "5Gbps", "size"),
            ("memory", {"size": "1GiB"}, ""),
            ("disk", {}, "neither bytes nor ops"),
            ("gpu", "5", "unit"),
            ("gpu", {}, ""),
        )
    ],
    (STEP, {"disk": {"ops": 0}}, f"{STEP}.disk.ops", "out of range"),
    (STEP, {"disk": {"byte": "1MB"}}, f"{STEP}.disk.byte", "bytes"),
    (STEP, {"gpu": {"work": "1s", "batch": 0}}, f"{STEP}.gpu.batch", "out of range"),
    (STEP, {"gpu": {"work": "1s", "marginal": 2}}, f"{STEP}.gpu.marginal", "out of range"),
    (STEP, {"gpu": {"batch": 2}}, f"{STEP}.gpu.work", "missing"),
    (STEP, {"gpu": {"exponential": "0s"}}, f"{STEP}.gpu", "more than 0"),
    (f"{KIND}.network", 10, f"{KIND}.network", "10Gbps"),
    (f"{KIND}.network", "10Gb", f"{KIND}.network", "Gbps"),
    (f"{KIND}.network", "9Tbps", f"{KIND}.network", "too fast"),
    (f"{KIND}.network", "1bps", f"{KIND}.network", "whole number of bytes"),
    (f"{KIND}.network", {"baseline": "2Gbps", "burst": "1Gbps"}, None, "below baseline"),
    (f"{KIND}.disk", {"iops": 0}, f"{KIND}.disk.iops", "out of range"),
    (f"{KIND}.disk", {"count": -1}, f"{KIND}.disk.count", "out of range"),
    (f"{KIND}.disk", {"burst": "1MB/s"}, None, "below bandwidth"),
    (f"{KIND}.gpu", {"count": 1, "speed": 0}, f"{KIND}.gpu.speed", "out of range"),
    (KIND, {"type": "m5.large", "network": "1Gbps"}, None, "brings its own network"),
    ("fleets.web.service", DELETE, "fleets.web.service", "missing"),
    ("fleets.web.service", "pagee", "fleets.web.service", "page"),
    ("fleets.web.service", "db", "fleets.web.service", "is a fleet"),
    ("fleets.web.service", ["page"], "fleets.web.service", "text"),
    ("fleets.front", {"service": "page"}, "load_balancers.front", "taken"),
    ("traffic.page", {"to": "web", "rate": "1/s"}, "services.page", "taken"),
    ("load_balancers.front.targets", [], None, "empty"),
    ("load_balancers.front.targets", "web", None, "list"),
    ("load_balancers.front.targets", DELETE, None, "missing"),
    (
        "load_balancers.front.targets",
        ["front"],
        "load_balancers.front.targets.0",
        "is a load balancer",
    ),
    ("load_balancers.front.targets", ["wbe"], "load_balancers.front.targets.0", "web"),
    ("load_balancers.front.targets", ["web", "web"], "load_balancers.front.targets.1", "already"),
    (
        "load_balancers.front.targets",
        [{"weight": 1}],
        "load_balancers.front.targets.0.fleet",
        "missing",
    ),
    ("load_balancers.proxy.targets.0.weight", 0, None, "above 0"),
    *[
        (
            "load_balancers.proxy.routing",
            routing,
            "load_balancers.proxy.targets.0.weight",
            "weights",
        )
        for routing in (
            "random",
            "power_of_two",
            "join_idle_queue",
            {"power_of_two": {"choices": 3}},
        )
    ],
    (
        "load_balancers.front.routing",
        {"power_of_two": {"choices": 1}},
        "load_balancers.front.routing.power_of_two.choices",
        "",
    ),
    (
        "load_balancers.front.routing",
        {"round_robin": {"choices": 2}},
        "load_balancers.front.routing.round_robin.choices",
        "",
    ),
    ("load_balancers.front.routing", {"random": None}, "load_balancers.front.routing.random", ""),
    ("traffic.users.to", DELETE, None, "missing"),
    ("traffic.users.to", "frnt", None, "front"),
    ("traffic.users.to", "clerks", None, "is a source of traffic"),
    ("traffic.users.to", {"fleet": "web"}, None, "text"),
    ("traffic", {}, None, "empty"),
    ("traffic", DELETE, None, "missing"),
    ("traffic", [GOOD["traffic"]["users"]], None, "mapping"),
    ("services", DELETE, None, "missing"),
    ("fleets", DELETE, None, "missing"),
    ("fleets", None, None, "no value"),
    ("load_balancers", ["front"], None, "mapping"),
    ("duration", DELETE, None, "missing"),
    ("nephoscope", DELETE, None, "missing"),
    ("traffic.a b", {"to": "web", "rate": "1/s"}, None, "letters"),
    ("fleets.web.instance_type.cores", 2, None, "no key"),
    ("durations", "1h", None, "duration"),
    ("fleets.web.instances", 3, None, "no key"),
    ("fleets.big", {"service": "page", "count": 4_194_303}, "fleets.big.count", "too many"),
]

# What a later version brings is refused by its name.
LATER: list[Case] = [
    (f"{prefix}{key}", {"x": 1}, None, "not built yet in this version of nephoscope")
    for prefix, keys in {
        "services.page.steps.0.": "parallel",
    }.items()
    for key in keys.split()
]

CASES = [
    *(*SCALARS, *DISTRIBUTIONS, *ARRIVAL, *HOSTS, *DEVICES, *LIFE, *FAILURES, *RESILIENCE),
    *(*BALANCERS, *SCALING, *QUEUES, *TOPICS, *JOINED, *LATER),
]
