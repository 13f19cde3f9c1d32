"""Cookies of a balancer, by which a client goes back to its target."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from semantics.lab import ROUTINGS, fates, fleet, run, scenario, simulation, targets, work

Tree = dict[str, Any]


def sticky(traffic: Tree, count: int = 3, lives: str = "1d", service=None, **keys: Any) -> Tree:
    """Instances behind a balancer that sets cookies; a request is a second of work."""
    routing = keys.pop("routing", "round_robin")
    check = keys.pop("check", None)
    checked = {} if check is None else {"health_check": check}
    door = {"targets": ["web"], "routing": routing, "stickiness": {"duration": lives}, **checked}
    fleets = {"web": fleet(count=count)}
    return scenario(traffic, service, fleets=fleets, balancers={"door": door}, **keys)


def requests(result: Tree) -> list[int]:
    return [target["requests"] for target in targets(result)]


def cookies(result: Tree) -> tuple[int, int]:
    found = result["load_balancers"]["door"]["stickiness"]
    return found["followed"], found["moved"]


@pytest.mark.parametrize("routing", sorted(ROUTINGS))
def test_a_client_goes_back_to_its_target(lab, routing):
    """The routing picks the first target, whatever it would say of the next."""
    times = [2.0 * k for k in range(20)]
    result = run(sticky(lab.at(*times, to="door", clients=1), routing=ROUTINGS[routing]))
    assert sorted(requests(result)) == [0, 0, 20]
    assert cookies(result) == (19, 0)


def test_what_follows_a_cookie_is_outstanding(lab):
    """Least connections counts it, so a client without a cookie goes elsewhere."""
    traffic = {
        "known": lab.at(0, 2, to="door", clients=1),
        "new": lab.at(2.5, to="door", clients=1),
    }
    result = run(sticky(traffic, 2, routing="least_connections"))
    assert sorted(requests(result)) == [1, 2]


def test_the_cookie_comes_with_the_answer(lab):
    """Two requests before there is one: the answer that comes last stands."""
    result = run(sticky(lab.at(0, 0.5, 2, 4, to="door", clients=1)))
    assert requests(result) == [1, 3, 0]
    assert cookies(result) == (2, 0)


def test_each_answer_renews_it(lab):
    # Answered at 1 s; at 10.9 s the cookie lives still. Then at 11.9 s; it is over at 21.9 s.
    times = [0, 10.9, 21.9]
    result = run(sticky(lab.at(*times, to="door", clients=1), lives="10s"))
    assert requests(result) == [2, 1, 0]
    result = run(sticky(lab.at(0, 10.9, 21.8, to="door", clients=1), lives="10s"))
    assert requests(result) == [3, 0, 0]


def test_a_target_that_is_gone_is_replaced(lab):
    """And the cookie is rewritten: the client stays with the new one."""
    traffic = {
        "first": lab.at(0, to="door", clients=1),
        "second": lab.at(0.1, 5, 15, 20, to="door", clients=1),
    }
    sim = simulation(sticky(traffic, 2))
    sim.advance("10s")
    sim.set("fleets.web.count", 1)
    sim.advance("12s")
    sim.set("fleets.web.count", 2)
    sim.advance("100s")
    result = sim.results().to_dict()
    assert requests(result) == [3, 2, 0]
    assert cookies(result) == (2, 1)


def test_an_unhealthy_target_is_replaced(lab):
    """Until it is found out its clients come back to it, and fail; then they stay away."""
    check = {"interval": "10s", "timeout": "5s", "healthy_threshold": 2}
    times = [float(t) + 0.5 for t in range(0, 100, 2)]
    fault = {"at": "20s", "for": "30s", "fail": "web"}
    tree = sticky(lab.at(*times, to="door", clients=1), 2, check=check, faults=[fault])
    result = run(tree)
    failed = result["traffic"]["customers"]["failed"]
    assert 5 <= failed <= 10  # one each two seconds, until the second check after 20 s
    assert requests(result) == [10 + failed, 40 - failed]
    assert cookies(result)[1] == 1


def test_what_the_balancer_answers_itself_sets_no_cookie(lab):
    """A target that refuses has said nothing: round robin goes on."""
    fault = {"at": "1s", "fail": "web"}
    tree = sticky(lab.at(2, 3, 5, 10, to="door", clients=1), 2, faults=[fault])
    result = run(tree)
    assert requests(result) == [1, 3]
    assert fates(result["traffic"]["customers"]) == (3, 0, 1, 0, 0)


def test_what_a_target_fails_by_itself_does(lab):
    tree = sticky(lab.at(2, 4, 6, to="door", clients=1), service=work({"fail": 1.0}))
    assert requests(run(tree)) == [3, 0, 0]


def test_a_client_that_has_left_gets_no_cookie(lab):
    traffic = lab.at(0, 3, 6, to="door", clients=1, timeout="500ms")
    assert requests(run(sticky(traffic))) == [1, 1, 1]


def test_clients_are_told_apart_by_source_and_index():
    sources = {
        name: {"to": "door", "rate": "2/s", "arrivals": "constant", "clients": clients}
        for name, clients in (("few", 3), ("more", 40))
    }
    result = run(sticky(sources, 20, service=work({"compute": "1ms"}), duration="500s"))
    followed, moved = cookies(result)
    offered = sum(source["offered"] for source in result["traffic"].values())
    assert (offered - followed, moved) == (43, 0)  # the first request of each


def test_users_are_clients():
    users = {"to": "door", "arrivals": {"closed": {"users": 4, "think": "1s"}}}
    result = run(sticky(users, 4, service=work({"compute": "10ms"})))
    offered = result["traffic"]["customers"]["offered"]
    assert cookies(result) == (offered - 4, 0)
    assert max(requests(result)) - min(requests(result)) <= 1


def test_a_call_brings_the_client_of_its_request(lab):
    """Behind an instance that calls through the balancer, the client's cookie holds too."""
    traffic = lab.at(*[3.0 * k for k in range(10)], to="front", clients=2)
    tree = sticky(traffic, 4)
    tree["services"]["ask"] = work({"call": "door"})
    tree["fleets"]["front"] = fleet("ask")
    result = run(tree)
    used = [count for count in requests(result) if count]
    assert len(used) == 2  # both clients sent, and each has one target
    assert cookies(result) == (8, 0)


# --- cookies of the application ---------------------------------------------------------------


def sessions(lab, renew: bool | None, *times: float) -> list[int]:
    """Requests by target of one client whose sessions last 10 s."""
    keys = {} if renew is None else {"renew": renew}
    tree = sticky(lab.at(*times, to="door", clients=1))
    tree["load_balancers"]["door"]["stickiness"] = {"application": {"duration": "10s", **keys}}
    return requests(run(tree))


def test_a_session_of_the_application_ends_when_it_says(lab):
    # Begun by the answer at 1 s, over at 11 s, whatever has been answered meanwhile.
    assert sessions(lab, None, 0, 5, 10.9, 11.1) == [3, 1, 0]
    assert sessions(lab, False, 0, 5, 10.9, 11.1) == [3, 1, 0]


def test_it_may_be_renewed_by_every_answer(lab):
    assert sessions(lab, True, 0, 5, 10.9, 11.1) == [4, 0, 0]


def test_the_next_answer_begins_another_session(lab):
    # The second target answers at 13 s: its session is over at 23 s.
    assert sessions(lab, False, 0, 12, 22.9, 23.1) == [1, 2, 1]


def test_an_answer_of_another_target_takes_the_session_over(lab):
    """Two requests before there is a cookie: what the second target says last stands."""
    # Answered at 1 s by the first and at 1.5 s by the second, whose session ends at 11.5 s.
    assert sessions(lab, False, 0, 0.5, 11.4, 11.6) == [1, 2, 1]


def test_sessions_of_the_application_do_not_work_with_groups(lab):
    tree = sticky(lab.at(0, to="door", clients=1))
    door = tree["load_balancers"]["door"]
    door |= {"groups": {"a": {"targets": door.pop("targets")}}, "stickiness": {"application": "1h"}}
    with pytest.raises(nph.ScenarioError, match="do not work with weighted groups"):
        nph.Scenario.model_validate(tree)


# --- cookies of groups ------------------------------------------------------------------------


def grouped(lab: Any, *times: float, lives: str = "1d", weights=(1, 1), **door: Any) -> Tree:
    """Two groups of two instances each; one client."""
    groups = {
        name: {"targets": [name], "weight": weight}
        for name, weight in zip(("blue", "green"), weights, strict=True)
    }
    return scenario(
        lab.at(*times, to="door", clients=1) | door.pop("traffic", {}),
        work({"compute": "100ms"}),
        fleets={name: fleet(count=2) for name in groups},
        balancers={"door": {"groups": groups, "group_stickiness": lives, **door}},
    )


def of_groups(result: Tree) -> list[int]:
    return [group["requests"] for group in result["load_balancers"]["door"]["groups"].values()]


def test_a_client_goes_back_to_its_group_and_there_to_any_target(lab):
    """Whichever the first draw chose gets all twenty, and its targets take turns."""
    seen = set()
    for rng in range(8):
        result = run(grouped(lab, *range(1, 21)), rng)
        assert sorted(of_groups(result)) == [0, 20]
        assert sorted(requests(result)) == [0, 0, 10, 10]
        assert result["load_balancers"]["door"]["group_stickiness"] == {"followed": 19}
        seen.add(tuple(of_groups(result)))
    assert len(seen) == 2


def test_without_such_a_cookie_each_request_is_drawn(lab):
    tree = grouped(lab, *range(1, 41))
    del tree["load_balancers"]["door"]["group_stickiness"]
    assert min(of_groups(run(tree))) > 5


def test_each_answer_renews_the_cookie_of_a_group(lab):
    """It lives for 2 s: a second apart all are one group's, three seconds apart each is drawn."""
    near = run(grouped(lab, *range(1, 41), lives="2s"))
    far = run(grouped(lab, *range(1, 100, 3), lives="2s"))
    assert sorted(of_groups(near)) == [0, 40]
    assert min(of_groups(far)) > 5
    assert far["load_balancers"]["door"]["group_stickiness"] == {"followed": 0}


def test_it_comes_with_the_answer_of_a_target(lab):
    """Until then each request is drawn: of twenty within 100 ms some go either way."""
    times = [1 + i / 1000 for i in range(20)]
    assert min(of_groups(run(grouped(lab, *times)))) > 2


def test_a_group_without_a_weight_is_left(lab):
    """All twenty until 20 s, and the rest elsewhere, to which the next answers lead back."""
    sim = simulation(grouped(lab, *range(1, 41)))
    sim.advance("20500ms")
    first = of_groups(sim.results().to_dict())
    own = ("blue", "green")[first.index(20)]
    sim.set(f"load_balancers.door.groups.{own}.weight", 0)
    sim.advance("30500ms")
    assert sorted(of_groups(sim.results().to_dict())) == [10, 20]
    sim.set(f"load_balancers.door.groups.{own}.weight", 999)
    sim.advance("50s")
    assert sorted(of_groups(sim.results().to_dict())) == [20, 20]


def test_both_cookies_together(lab):
    """That of the target goes first; where its target takes none, that of the group is followed."""
    sim = simulation(grouped(lab, *range(1, 41), stickiness="1d"))
    sim.advance("10500ms")
    own = ("blue", "green")[of_groups(sim.results().to_dict()).index(10)]
    sim.set(f"fleets.{own}.count", 1)
    sim.advance("50s")
    result = sim.results().to_dict()
    assert sorted(of_groups(result)) == [0, 40]
    again = simulation(grouped(lab, *range(1, 41), stickiness="1d"))
    again.advance("30s")
    assert of_groups(again.fork().results().to_dict()) == of_groups(again.results().to_dict())


def test_a_cookie_of_a_group_lives_for_a_second_to_seven_days(lab):
    for good, bad in (("1s", "999ms"), ("604800s", "604801s")):
        nph.Scenario.model_validate(grouped(lab, 1, lives=good))
        with pytest.raises(nph.ScenarioError, match="1s to 7d"):
            nph.Scenario.model_validate(grouped(lab, 1, lives=bad))


def test_a_cookie_of_a_group_needs_groups_and_clients(lab):
    tree = sticky(lab.at(1, to="door", clients=1))
    tree["load_balancers"]["door"]["group_stickiness"] = "1h"
    with pytest.raises(nph.ScenarioError, match="no groups to go back to"):
        nph.Scenario.model_validate(tree)
    tree = grouped(lab, 1)
    del tree["traffic"]["customers"]["clients"]
    with pytest.raises(nph.ScenarioError, match="kept by client"):
        nph.Scenario.model_validate(tree)
