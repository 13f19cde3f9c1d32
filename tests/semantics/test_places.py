"""On which host each instance of a fleet is, in results: one test a rule."""

import pytest

import nephoscope as nph
from nephoscope.errors import PathError
from nephoscope.results import places

HALL = {"count": 3, "type": {"cores": 2, "memory": "16GiB"}, "place": "spread"}
MACHINE = {"vcpus": 1, "memory": "1GiB"}


def scenario(count=3, hall=None, duration="20s", **more):
    fleet = {"service": "page", "instance_type": MACHINE, "count": count, "hosts": "hall"}
    return nph.Scenario(
        duration=duration,
        hosts={"hall": HALL | (hall or {})},
        fleets={"web": fleet, "apart": {"service": "page"}},
        services={"page": {"steps": [{"compute": "10ms"}]}},
        traffic={"users": {"to": "web", "rate": "20/s"}},
        **more,
    )


def hosts(result):
    return [it["host"] for it in result["fleets.web.by_instance"].values()]


def test_each_instance_has_its_host_in_the_order_of_launch():
    result = scenario().run()
    assert hosts(result) == ["hall/0", "hall/1", "hall/2"]
    assert result["fleets.web.by_instance.1.present"]
    assert "by_instance" not in result["fleets.apart"]


def test_as_many_are_there_as_the_host_says():
    result = scenario(count=5).run()
    there = [it["host"] for it in result["fleets.web.by_instance"].values() if it["present"]]
    for host, part in result["hosts.hall.by_host"].items():
        assert there.count(f"hall/{host}") == part["instances"]


def test_one_that_is_gone_keeps_the_host_it_was_on():
    result = scenario(actions=[{"at": "10s", "terminate": {"fleet": "web", "count": 1}}]).run()
    gone = [i for i, it in result["fleets.web.by_instance"].items() if not it["present"]]
    assert len(gone) == 1
    assert result[f"fleets.web.by_instance.{gone[0]}.host"] == f"hall/{gone[0]}"


def test_one_that_moved_is_on_the_host_it_went_to():
    simulation = nph.Simulation(scenario(count=1), rng=1)
    simulation.advance("5s")
    assert hosts(simulation.result()) == ["hall/0"]
    assert simulation.migrate(0, host=2)
    simulation.advance("10s")
    result = simulation.result()
    assert hosts(result) == ["hall/2"]


def test_one_that_boots_again_is_the_same_instance():
    result = scenario(
        actions=[{"at": "5s", "reboot": {"fleet": "web", "count": 1}}], duration="10m"
    ).run()
    assert len(result["fleets.web.by_instance"]) == 3
    assert all(it["present"] for it in result["fleets.web.by_instance"].values())


@pytest.mark.parametrize("scheduler", ["fluid", "fair", "credit"])
def test_what_was_run_and_stolen_adds_up_to_that_of_the_fleet(scheduler):
    hall = {"count": 1, "cpu_overcommit": 3, "scheduler": scheduler}
    crowded = scenario(count=6, hall=hall, load_balancers={"door": {"targets": ["web"]}})
    busy = crowded.replace({"traffic.users.to": "door", "traffic.users.rate": "180/s"})
    result = busy.replace({"traffic.users.arrivals": "constant"}).run()
    each = result["fleets.web.by_instance"].values()
    stolen = result["fleets.web.steal_s"]
    for cause, total in stolen.items():
        assert sum(it["steal_s"][cause] for it in each) == pytest.approx(total, abs=1e-9)
    ran = result.places("web")["run_ns"].sum()
    assert ran / 1e9 / (6 * 20) == pytest.approx(result["fleets.web.utilization"])
    assert result.places("web")["steal_ns"].sum() == pytest.approx(1e9 * sum(stolen.values()))


def test_of_a_large_fleet_one_may_be_asked_for_by_its_index(monkeypatch):
    monkeypatch.setattr(places, "INSTANCES_LISTED_MAX", 2)
    result = scenario().run()
    assert result["fleets.web.by_instance"]["count"] == 3
    assert result["fleets.web.by_instance.2.host"] == "hall/2"
    with pytest.raises(PathError, match="0 to 2"):
        result["fleets.web.by_instance.3"]
    with pytest.raises(PathError, match=r"fleets\.web"):
        result.places("apart")


def test_they_are_no_numbers_of_experiments():
    assert not any("by_instance" in path for path, _ in scenario().run().scalars())
