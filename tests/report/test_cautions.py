"""What a scenario is warned of: by `check`, `run` and `compare`, and by nobody without a reason."""

import pytest
from click.testing import CliRunner

from nephoscope import Scenario, explain
from nephoscope.cli import main
from nephoscope.report import cautions
from nephoscope.report.cautions import warnings, zone_warnings

POOL = {"count": 3, "zones": ["a", "b", "c"], "type": {"cores": 8, "memory": "64GiB"}}


def shop(**more):
    """Six instances behind a door, a mailer who is called, and a queue that is consumed."""
    return {
        "nephoscope": 1,
        "name": "shop",
        "duration": "20s",
        "fleets": {
            "web": {"count": 6, "service": "page"},
            "mailer": {"service": "mail"},
            "workers": {"service": "work"},
        },
        "services": {
            "page": {"steps": [{"compute": "5ms"}, {"call": "mailer"}, {"send": "outbox"}]},
            "mail": {"steps": [{"compute": "5ms"}]},
            "work": {"consumes": "outbox", "steps": [{"compute": "5ms"}]},
        },
        "queues": {"outbox": {}},
        "load_balancers": {"door": {"targets": ["web"]}},
        "traffic": {"users": {"to": "door", "rate": "10/s"}},
    } | more


def warned(values, changes=None):
    scenario = Scenario.from_dict(values).replace(changes or {})
    return list(warnings(scenario, explain(scenario)))


def on_hosts(fleet=None, **pool):
    values = shop(hosts={"hall": POOL | pool})
    values["fleets"]["web"] |= {"hosts": "hall"} | (fleet or {})
    return Scenario.from_dict(values)


def test_a_scenario_that_does_what_it_seems_to_is_not_warned_of():
    assert warned(shop()) == []


def test_the_fleet_that_is_all_in_one_of_its_zones():
    (line,) = zone_warnings(on_hosts())
    assert line.startswith("web: all 6 instances are in zone a, though a, b, c are open to it")
    (line,) = zone_warnings(on_hosts({"zones": ["c", "b"]}))
    assert "in zone b, though b, c are open" in line


@pytest.mark.parametrize(
    "scenario",
    [
        on_hosts(place="spread"),
        on_hosts({"zone_balance": "best_effort"}),
        on_hosts(type={"cores": 1, "memory": "4GiB"}, count=6),  # a host has room for one of them
        on_hosts({"zones": ["b"]}),  # which is what was asked for
        on_hosts(zones=["a"]),
    ],
)
def test_the_fleet_that_is_in_several_zones_or_may_be_in_one(scenario):
    assert list(zone_warnings(scenario)) == []


def test_more_instances_than_a_warning_is_worth_are_not_placed(monkeypatch):
    monkeypatch.setattr(cautions, "_PLACED_MAX", 7)
    assert list(zone_warnings(on_hosts())) == []  # of 8


def test_the_queue_that_nobody_consumes():
    alone = shop()
    alone["queues"]["mail-order"] = {}
    assert warned(alone) == []  # nor sends to it
    alone["traffic"]["letters"] = {"to": "mail-order", "rate": "1/s"}
    assert warned(alone) == ["mail-order: nobody consumes it"]


def test_dead_letters_need_no_consumer():
    values = shop()
    values["queues"] = {"outbox": {"dead_letter": {"queue": "lost"}}, "lost": {}}
    values["services"]["work"]["steps"] = [{"fail": 0.5}]
    assert warned(values) == []
    values = shop(topics={"news": {"subscriptions": [{"to": "web", "dead_letter": "lost"}]}})
    values["queues"]["lost"] = {}
    values["traffic"]["press"] = {"to": "news", "rate": "1/s"}
    assert not any("nobody" in line for line in warned(values))


def test_the_fleet_of_several_that_nothing_chooses_among():
    line = (
        "mailer: what comes straight to it, from web, goes to the first running one of its 3 "
        "instances: a load balancer spreads it"
    )
    assert warned(shop(), {"fleets.mailer.count": 3}) == [line]
    assert "from users, goes" in warned(shop(), {"traffic.users.to": "web"})[0]


def test_what_is_said_comes_true():
    values = shop(traffic={"users": {"to": "web", "rate": "10/s"}}, hosts={"hall": POOL})
    values["fleets"]["web"]["hosts"] = "hall"
    result = Scenario.from_dict(values).run()
    places = result.places("web")
    assert set(places["host"]) == {0}
    assert (places["run_ns"] > 0).tolist() == [True] + 5 * [False]


def test_overload_by_vcpus_and_by_workers():
    (line,) = warned(shop(), {"services.mail.steps.0.compute": "15m"})[1:]
    assert line == "mailer: more comes than it can work on (by theory 900000.0 % busy)"
    slow = {"services.mail.steps": [{"compute": "1ms"}, {"sleep": "150ms"}]}
    busy = "(by theory its workers held 151.0 % of the time)"
    assert f"mailer: more comes than it can work on {busy}" in warned(shop(), slow)


def said(tmp_path, *arguments):
    file = tmp_path / "shop.yaml"
    file.write_text(
        """
nephoscope: 1
name: shop
duration: 20s
hosts: {hall: {count: 2, zones: [a, b], type: {cores: 8, memory: 64GiB}}}
fleets: {web: {count: 2, service: page, hosts: hall}}
services: {page: {steps: [{compute: 1ms}, {send: outbox}]}}
queues: {outbox: {}}
load_balancers: {door: {targets: [web]}}
traffic: {users: {to: door, rate: 5/s}}
"""
    )
    command, *rest = arguments
    outcome = CliRunner().invoke(main, [command, str(file), *rest])
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


@pytest.mark.parametrize("command", ["check", "run"])
def test_check_and_run_say_it(tmp_path, command):
    told = said(tmp_path, command)
    assert "! outbox: nobody consumes it" in told
    assert "! web: all 2 instances are in zone a" in told
    mended = ("hosts.hall.place=spread", "services.page.steps=[{compute: 1ms}]")
    assert "!" not in said(tmp_path, command, *(part for it in mended for part in ("--set", it)))


def test_explain_says_where_instances_are(tmp_path):
    assert "placement\n  web: all 2 instances are in zone a" in said(tmp_path, "explain")


def test_compare_says_once_what_holds_of_all(tmp_path):
    told = said(
        *(tmp_path, "compare", "--vary", "hosts.hall.place=first_fit,spread"),
        *("--replications", "2", "--report", str(tmp_path / "page.html")),
    )
    assert told.count("! outbox: nobody consumes it") == 1
    assert told.count("! first_fit: web: all 2 instances are in zone a") == 1
    assert "spread: web" not in told
    assert "outbox: nobody consumes it" in (tmp_path / "page.html").read_text()
