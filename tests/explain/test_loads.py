"""Rates and loads by the programs: by hand, and as runs show them."""

from pathlib import Path

import pytest

import nephoscope as nph
from explain.small import closed, consumers, farm, machine, station
from nephoscope.theory import explain

CLOSE = pytest.approx
EXAMPLES = Path(__file__).parents[2] / "examples"
WORK = {"compute": "10ms"}


def explained(tree):
    return explain(nph.Scenario.from_dict({"nephoscope": 1, **tree}))


def loads_of(tree):
    return {load.fleet: load for load in explained(tree).loads}


def tiers(steps):
    """A fleet in front with these steps, and one behind the balancer `back`."""
    tree = station(10.0, steps=steps)
    tree["fleets"]["db"] = machine(count=2) | {"service": "query"}
    tree["services"]["query"] = {"steps": [WORK]}
    return tree | {"load_balancers": {"back": {"targets": ["db"]}}}


def test_calls_choices_and_failures():
    calls = {"choose": [{"weight": 3, "steps": [{"call": "back"}]}, {"weight": 1, "steps": [WORK]}]}
    loads = loads_of(tiers([{"fail": 0.2}, calls, WORK]))
    # Of ten requests a second eight get past the failure; three in four of them call.
    assert loads["db"].rate == CLOSE(8 * 0.75)
    assert loads["db"].utilization == CLOSE(8 * 0.75 * 0.010 / 2)
    assert loads["web"].work == CLOSE(0.8 * (0.25 * 0.010 + 0.010))
    assert loads["web"].utilization == CLOSE(8 * 0.0125)


def test_retries_of_calls_and_of_clients():
    tree = tiers([{"call": {"to": "back", "retry": {"attempts": 3}}}])
    tree["services"]["query"]["steps"].append({"fail": 0.5})
    # Of each call 1 + 1/2 + 1/4 attempts; one in eight fails in the end, and clients try twice.
    tree["traffic"]["users"]["retry"] = {"attempts": 2}
    assert loads_of(tree)["web"].rate == CLOSE(10 * (1 + 1 / 8))
    assert loads_of(tree)["db"].rate == CLOSE(10 * (1 + 1 / 8) * 1.75)


def test_callers_hold_their_workers():
    tree = tiers([WORK, {"call": "back"}, {"sleep": "80ms"}])
    tree["services"]["work"]["concurrency"] = 4
    load = loads_of(tree)["web"]
    # 10 ms of its own, 10 ms at the other, 80 ms asleep: one of four workers.
    assert load.workers == CLOSE(10 * 0.100 / 4)
    assert load.utilization == CLOSE(0.1)


def test_a_cycle_of_calls_ends():
    again = {"choose": [{"weight": 1, "steps": [{"call": "web"}]}, {"weight": 3, "steps": [WORK]}]}
    tree = station(10.0, steps=[again], concurrency=100)
    assert loads_of(tree)["web"].rate == CLOSE(10 / (1 - 0.25))


def test_only_the_first_instance_gets_what_no_balancer_spreads():
    load = loads_of(station(50.0, fleet={"count": 3}))["web"]
    assert (load.instances, load.spare, load.utilization) == (1, 2, CLOSE(0.5))
    spread = loads_of(farm(50.0, 3, "random"))["web"]
    assert (spread.instances, spread.spare, spread.utilization) == (3, 0, CLOSE(0.5 / 3))


def test_messages_that_fail_come_again_and_then_no_more():
    letters = {"dead_letter": {"queue": "lost", "max_receives": 3}}
    tree = consumers(10.0, rules=letters)
    tree["services"]["work"]["steps"].append({"fail": 0.5})
    tree["queues"]["lost"] = {}
    board, lost = explained(tree).queues
    assert board.received == CLOSE(10 * 1.75)
    assert board.capacity == CLOSE(100.0)
    assert lost.sent == CLOSE(10 / 8)
    assert lost.capacity is None


def test_a_poisoned_message_fails_every_time():
    """A branch belongs to the request: it is the same in every attempt."""
    found = explain(nph.Scenario.load(EXAMPLES / "poison-message.yaml"))
    board, lost = found.queues
    # One in 200 is received ten times.
    assert board.received == CLOSE(5 * (199 / 200 + 10 / 200))
    assert lost.sent == CLOSE(5 / 200)


def test_rates_that_change():
    profile = {"profile": [["0s", "10/s"], ["2m", "50/s"], ["2m", "100/s"], ["4m", "100/s"]]}
    tree = station(1.0) | {"duration": "4m", "warmup": "0s"}
    tree["traffic"]["users"] = {"to": "web", "arrivals": profile}
    load = loads_of(tree)["web"]
    assert load.rate == CLOSE((30 + 100) / 2)
    assert load.peak == CLOSE(100)
    mmpp = {"mmpp": {"rates": ["10/s", "90/s"], "mean_stay": ["3s", "1s"]}}
    tree["traffic"]["users"] = {"to": "web", "arrivals": mmpp}
    load = loads_of(tree)["web"]
    assert (load.rate, load.peak) == (CLOSE(30), CLOSE(90))
    assert load.peak_utilization == CLOSE(0.9)


def test_traces_are_counted_in_the_measured_window(tmp_path):
    file = tmp_path / "trace.csv"
    file.write_text("at\n" + "\n".join(str(i / 2) for i in range(100)), encoding="utf-8")
    tree = station(1.0) | {"duration": "30s", "warmup": "10s"}
    tree["traffic"]["users"] = {
        "to": "web",
        "arrivals": {"trace": {"file": str(file), "column": "at"}},
    }
    assert loads_of(tree)["web"].rate == CLOSE(2.0)
    file.write_text("from,n\n0,10\n10,40\n20,80\n30,0\n", encoding="utf-8")
    counts = {"file": str(file), "time_column": "from", "count_column": "n"}
    tree["traffic"]["users"]["arrivals"] = {"trace": counts}
    load = loads_of(tree)["web"]
    assert (load.rate, load.peak) == (CLOSE(6.0), CLOSE(8.0))


def test_closed_users_are_bounded_by_their_cycle():
    found = explained(closed(20, "990ms"))
    load = found.loads[0]
    assert load.rate == CLOSE(20.0)
    assert load.at_most
    assert not explained(station(20.0)).loads[0].at_most


def test_what_a_filter_lets_through_is_not_known():
    tree = station(10.0, steps=[WORK, {"publish": {"to": "news", "attributes": {"kind": "cake"}}}])
    tree["fleets"] |= {"all": machine(), "some": machine()}
    tree["fleets"]["all"]["service"] = tree["fleets"]["some"]["service"] = "hear"
    tree["services"]["hear"] = {"steps": [WORK]}
    some = {"to": "some", "filter": {"kind": ["cake"]}}
    tree["topics"] = {"news": {"subscriptions": [{"to": "all"}, some]}}
    loads = loads_of(tree)
    assert (loads["all"].rate, loads["all"].at_most) == (CLOSE(10), False)
    assert (loads["some"].rate, loads["some"].at_most) == (CLOSE(10), True)


def test_speed_and_hosts():
    tree = station(50.0)
    tree["fleets"]["web"]["instance_type"]["speed"] = 2.0
    assert loads_of(tree)["web"].utilization == CLOSE(0.25)
    tree = station(50.0, fleet={"hosts": "hall"})
    kind = {"sockets": 1, "cores": 4, "threads_per_core": 1, "clock": "1.55GHz", "memory": "8GiB"}
    tree["hosts"] = {"hall": {"type": kind}}
    # Half the clock of the reference.
    assert loads_of(tree)["web"].utilization == CLOSE(1.0)


def test_overload_is_seen():
    found = explained(farm(350.0, 3, "least_connections"))
    assert found.loads[0].overloaded
    assert not explained(farm(290.0, 3, "least_connections")).loads[0].overloaded
    assert explained(consumers(120.0)).queues[0].overloaded
    held = [{"compute": "1ms"}, {"sleep": "19ms"}]
    load = loads_of(station(60.0, steps=held))["web"]
    assert load.utilization == CLOSE(0.06)
    assert load.workers == CLOSE(1.2)
    assert load.overloaded


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        ("coffee-shop-by-call", ()),
        ("poison-message", ()),
        ("unequal-servers", ()),
        # Its baristas are more in the end than at the start.
        ("coffee-shop", ("baristas",)),
    ],
)
def test_examples_are_as_busy_as_they_should_be(name, left_out):
    """Requests and utilisation of each fleet: within 6 standard errors of a Poisson count, and 3 %.

    The 3 % are of the work, whose coefficient of variation is 1 or so.
    """
    scenario = nph.Scenario.load(EXAMPLES / f"{name}.yaml")
    result = scenario.run()
    for load in explain(scenario).loads:
        requests = load.rate * result.measured_s
        seen = result[f"fleets.{load.fleet}.requests"]
        assert abs(seen - requests) <= 6 * requests**0.5 + 1
        if load.fleet not in left_out:
            busy = result[f"fleets.{load.fleet}.utilization"]
            assert busy == CLOSE(load.utilization, rel=0.03 + 6 / requests**0.5)


def test_schedules_of_rules_are_load_without_a_put():
    """Every minute one event to each target; what is put goes to the rule with a pattern alone."""
    tree = station(10.0)
    tree |= {"duration": "10m", "topics": {"news": {"subscriptions": ["web"]}}}
    timed = {"schedule": "rate(1 minute)", "targets": ["web", "news"]}
    tree["buses"] = {"bell": {"rules": {"tick": timed}}}
    tree["traffic"]["put"] = {"to": "bell", "rate": "7/s"}
    # At the minutes 1 to 9, straight to the fleet and by way of the topic.
    assert loads_of(tree)["web"].rate == CLOSE(10 + 2 * 9 / 600)
    tree["buses"]["bell"]["rules"]["tick"]["pattern"] = {"a": [1]}
    assert loads_of(tree)["web"].rate == CLOSE(10 + 2 * 9 / 600 + 2 * 7)


def test_schedules_count_until_their_rule_changes():
    """At the minutes 1 to 3 of the first, every 2 minutes from 3.5 min on, and then no more."""
    tree = station(10.0) | {"duration": "10m"}
    changes = [
        {"at": "210s", "schedule": "rate(2 minutes)"},
        {"at": "8m", "schedule": "rate(1 minute)", "enabled": False},
    ]
    timed = {"schedule": "rate(1 minute)", "targets": ["web"], "changes": changes}
    tree["buses"] = {"bell": {"rules": {"tick": timed}}}
    # 330 s and 450 s.
    assert loads_of(tree)["web"].rate == CLOSE(10 + (3 + 2) / 600)
    assert not loads_of(tree)["web"].at_most
    tree["traffic"]["put"] = {"to": "bell", "rate": "7/s"}
    assert loads_of(tree)["web"].rate == CLOSE(10 + (3 + 2) / 600)
    changes[1]["pattern"] = {"a": [1]}
    assert loads_of(tree)["web"].rate == CLOSE(10 + (3 + 2) / 600 + 7)


def test_what_changes_in_a_filter_or_is_confirmed_late_is_not_known():
    def known(**keys):
        tree = station(10.0)
        tree["topics"] = {"news": {"subscriptions": [{"to": "web"} | keys]}}
        tree["traffic"]["told"] = {"to": "news", "rate": "1/s"}
        return not loads_of(tree)["web"].at_most

    assert known()
    assert known(changes=[{"at": "1s"}])
    assert not known(changes=[{"at": "1s", "filter": {"kind": ["cake"]}}])
    assert not known(confirmed_after="1s")
    assert not known(subscribed_at="1s")
