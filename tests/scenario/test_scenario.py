"""Scenarios: every form of the language, defaults, building in Python, and what varies them."""

import copy
import json
import pickle
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from nephoscope import Scenario
from nephoscope.errors import ScenarioError
from nephoscope.scenario.language.fleet import Fleet
from nephoscope.scenario.language.instance_type import InstanceType
from nephoscope.scenario.language.traffic import Traffic
from nephoscope.scenario.units import Duration
from scenario.breaking import GOOD

EXAMPLES = Path(__file__).parents[2] / "examples"

SMALL = {
    "duration": "1m",
    "services": {"page": {"steps": [{"compute": "5ms"}]}},
    "fleets": {"web": {"service": "page"}},
    "traffic": {"users": {"to": "web", "rate": "10/s"}},
}


def small(**values):
    return Scenario(**{**copy.deepcopy(SMALL), **values})


def test_defaults():
    scenario = small()
    assert (scenario.name, scenario.seed, scenario.series) == ("scenario", 0, "auto")
    assert scenario.warmup == 0
    fleet, service, traffic = (
        scenario.fleets["web"],
        scenario.services["page"],
        scenario.traffic["users"],
    )
    assert (fleet.count, fleet.instance_type.vcpus, fleet.instance_type.speed) == (1, 1, 1.0)
    assert (service.discipline, service.concurrency, service.backlog) == ("fifo", None, None)
    assert (traffic.arrivals.form, traffic.clients, traffic.on_timeout) == (
        "poisson",
        None,
        "finish",
    )


@pytest.mark.parametrize(
    ("law", "form"),
    [
        ("0s", "constant"),
        ({"constant": "1ms"}, "constant"),
        ({"exponential": "1ms"}, "exponential"),
        ({"lognormal": {"mean": "1ms", "cv": 0.8}}, "lognormal"),
        ({"gamma": {"mean": "1ms", "cv": 2}}, "gamma"),
        ({"erlang": {"mean": "1ms", "k": 3}}, "erlang"),
        ({"weibull": {"mean": "1ms", "shape": 0.5}}, "weibull"),
        ({"pareto": {"mean": "1ms", "shape": 1.5}}, "pareto"),
        ({"uniform": {"min": "0s", "max": "2ms"}}, "uniform"),
        ({"normal": {"mean": "1ms", "cv": 0.1}}, "normal"),
        ({"hyperexponential": {"mean": "1ms", "cv": 2}}, "hyperexponential"),
        (
            {"hyperexponential": {"probabilities": [0.25, 0.75], "means": ["1ms", "2ms"]}},
            "hyperexponential",
        ),
        ({"empirical": {"values": ["1ms", "5ms"]}}, "empirical"),
        ({"empirical": {"values": ["1ms", "5ms"], "weights": [1, 0]}}, "empirical"),
    ],
)
def test_distributions(law, form):
    scenario = small(services={"page": {"steps": [{"compute": law}, {"sleep": law}]}})
    for step in scenario.services["page"].steps:
        assert step.options.form == form
    scenario.run()


@pytest.mark.parametrize(
    ("arrivals", "form"),
    [
        ("poisson", "poisson"),
        ({"poisson": {}}, "poisson"),
        ("constant", "constant"),
        ({"mmpp": {"rates": ["0/s", "9/s"], "mean_stay": ["1s", "1s"]}}, "mmpp"),
        ({"profile": [["0s", "1/s"], ["10s", "20/s"], ["10s", "0/s"]]}, "profile"),
        ({"closed": {"users": 4, "think": {"exponential": "1s"}}}, "closed"),
        ({"closed": {"users": 4, "think": "0s"}}, "closed"),
    ],
)
def test_arrivals(arrivals, form):
    rated = form in {"poisson", "constant"}
    traffic = {"to": "web", "arrivals": arrivals} | ({"rate": "5/s"} if rated else {})
    scenario = small(traffic={"users": traffic})
    assert scenario.traffic["users"].arrivals.form == form
    assert scenario.run()["traffic.users.offered"] > 0


@pytest.mark.parametrize(
    "routing",
    [
        "round_robin",
        "least_connections",
        "ip_hash",
        "least_response_time",
        "random",
        "power_of_two",
        {"power_of_two": {"choices": 3}},
        {"round_robin": {}},
        "join_idle_queue",
        "weighted_random",
    ],
)
def test_routings(routing):
    scenario = small(
        load_balancers={"lb": {"targets": ["web"], "routing": routing}},
        traffic={"users": {"to": "lb", "rate": "10/s", "clients": 50}},
    )
    assert scenario.run()["load_balancers.lb.completed"] > 0


def test_what_is_dumped_is_a_scenario():
    for path in EXAMPLES.glob("*.yaml"):
        scenario = Scenario.load(path)
        assert Scenario.model_validate(scenario.model_dump()) == scenario
        assert Scenario.model_validate(scenario.model_dump(exclude_unset=True)) == scenario
        assert Scenario(**scenario.to_dict()) == scenario
        assert pickle.loads(pickle.dumps(scenario)) == scenario


def test_parts_may_be_models_and_numbers_of_numpy():
    scenario = small(
        seed=np.int64(7),
        fleets={"web": Fleet(service="page", count=2)},
        traffic={"users": Traffic(to="web", rate="5/s")},
    )
    assert (scenario.seed, scenario.fleets["web"].count) == (7, 2)
    assert scenario.replace({"fleets.web.count": np.int32(9)}).fleets["web"].count == 9
    assert small(warmup=None).warmup == 0
    assert small(duration=Duration.parse("2m")).duration == Duration.parse("2m")


@pytest.mark.parametrize(
    "written", ["c4.large", {"type": "c4.large"}, InstanceType(type="c4.large")]
)
def test_instance_types_of_the_catalogue(written):
    scenario = small(fleets={"web": {"service": "page", "instance_type": written}})
    kind = scenario.fleets["web"].instance_type
    assert (kind.type, kind.vcpus, str(kind.memory)) == ("c4.large", 2, "3840MiB")
    assert kind.speed == pytest.approx(2.9 / 3.1)
    assert scenario.model_dump(exclude_unset=True)["fleets"]["web"]["instance_type"] == "c4.large"
    for values in (scenario.model_dump(), scenario.to_dict()):
        assert Scenario.model_validate(values) == scenario
    assert pickle.loads(pickle.dumps(scenario)) == scenario
    named = small(fleets={"web": {"service": "page", "instance_type": "c4.large"}})
    assert named.to_dict()["fleets"]["web"]["instance_type"] == "c4.large"


def test_a_name_is_the_custom_type_that_it_stands_for():
    custom = {"vcpus": 2, "memory": "8GiB"}
    named, measured = (
        small(fleets={"web": {"service": "page", "instance_type": written}}).run().fingerprint
        for written in ("m5.large", custom)
    )
    assert named == measured


def test_a_faster_type_answers_sooner():
    services = {"page": {"steps": [{"compute": "310ms"}]}}
    for name, seconds in (("m5.large", 0.310), ("c5.large", 0.31 * 3.1 / 3.4)):
        fleets = {"web": {"service": "page", "instance_type": name}}
        traffic = {"users": {"to": "web", "arrivals": "constant", "rate": "1/s"}}
        result = small(services=services, fleets=fleets, traffic=traffic).run()
        assert result["traffic.users.latency_s.mean"] == pytest.approx(seconds, abs=1e-8)


def test_a_run_begins_when_the_calendar_says():
    assert small().start == datetime(2024, 1, 1, tzinfo=UTC)
    assert small().start.isoweekday() == 1
    written = "2024-03-09T18:00:00.25-05:00"
    moment = datetime(2024, 3, 9, 18, 0, 0, 250_000, timezone(-timedelta(hours=5)))
    assert small(start=written).start == small(start=moment).start == moment
    assert small(start=moment) == Scenario.model_validate(small(start=moment).model_dump())
    with pytest.raises(ScenarioError, match="did you mean 2024-03-09T18:00:00Z"):
        small(start=datetime(2024, 3, 9, 18))
    # By itself it changes nothing.
    assert small(start=moment).run().fingerprint == small().run().fingerprint


def test_a_scenario_does_not_change():
    scenario = small()
    with pytest.raises(ValueError, match="frozen"):
        scenario.seed = 5
    tree = scenario.to_dict()
    tree["seed"] = 9
    assert scenario.seed == 0


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ScenarioError, match="No such file"):
        Scenario.load(tmp_path / "none.yaml")
    with pytest.raises(ScenarioError, match="cannot be read"):
        Scenario.load(tmp_path)


def test_json_files(tmp_path):
    file = tmp_path / "good.json"
    file.write_text(json.dumps(GOOD))
    assert Scenario.load(file) == Scenario(**GOOD)


def test_calls_may_form_a_cycle_that_ends():
    scenario = small(
        services={
            "page": {
                "steps": [
                    {"compute": "1ms"},
                    {
                        "choose": [
                            {"weight": 1, "steps": [{"call": "web"}]},
                            {"weight": 3, "steps": [{"sleep": "1ms"}]},
                        ]
                    },
                ]
            }
        },
        fleets={"web": {"service": "page", "instance_type": {"vcpus": 64}}},
    )
    result = scenario.run()
    per_request = result["fleets.web.requests"] / result["traffic.users.offered"]
    assert per_request == pytest.approx(4 / 3, rel=0.1)


@pytest.mark.parametrize(
    ("services", "fleets"),
    [
        ({"page": {"steps": [{"compute": "0s"}]}}, {"web": {"service": "page"}}),
        ({"page": {"backlog": 5, "steps": [{"compute": "1s"}]}}, {"web": {"service": "page"}}),
        (
            {"page": {"shed": {"in_flight": 5}, "steps": [{"compute": "1s"}]}},
            {"web": {"service": "page"}},
        ),
        (
            {"page": {"rate_limit": {"rate": "1/s", "burst": 5}, "steps": [{"compute": "1s"}]}},
            {"web": {"service": "page"}},
        ),
        (
            {"page": {"steps": [{"compute": "1s"}]}},
            {"web": {"service": "page", "refresh": {"at": "1m"}}},
        ),
        ({"page": {"steps": [{"compute": "1s"}]}}, {"web": {"service": "page", "count": 0}}),
        ({"page": {"steps": [{"fail": 1}, {"compute": "1s"}]}}, {"web": {"service": "page"}}),
        (
            {"page": {"steps": [{"call": "db"}]}, "query": {"steps": [{"fail": "100%"}]}},
            {"web": {"service": "page"}, "db": {"service": "query"}},
        ),
    ],
)
def test_time_does_not_stand_still(services, fleets):
    traffic = {"users": {"to": "web", "arrivals": {"closed": {"users": 9, "think": "0s"}}}}
    with pytest.raises(ScenarioError, match="stand still") as caught:
        small(services=services, fleets=fleets, traffic=traffic)
    assert caught.value.problems[0].path == "traffic.users.arrivals.closed.think"
