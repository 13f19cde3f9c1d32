"""The horizon, the measured window, time-outs and users who think."""

from __future__ import annotations

import pytest

from semantics.lab import customers, fates, fleet, latency, moments, run, scenario, work


def exactly(*latencies: float):
    return pytest.approx(moments(latencies), rel=1e-12, abs=1e-9)


# --- horizon and window -----------------------------------------------------------------------


def test_the_horizon_is_exclusive():
    # DD1_horizon of the reference data: an arrival every 0.1 s, service 0.1 s, 1000 s. The first
    # comes at 0.1 s; the one at 1000 s itself is not run, nor is the completion there.
    tree = scenario(
        {"to": "web", "rate": "10/s", "arrivals": "constant"},
        work({"compute": "0.1s"}),
        duration="1000s",
    )
    source = customers(tree)
    assert source["offered"] == 9999
    assert fates(source) == (9998, 0, 0, 0, 1)
    assert latency(source) == exactly(0.1)  # nobody waits
    longer = customers(tree | {"duration": "1000.000000001s"})
    assert longer["offered"] == 10000
    assert longer["completed"] == 9999


def test_a_completion_at_the_horizon_is_not_run(lab):
    tree = scenario(lab.at(0), duration="1s")
    assert fates(customers(tree)) == (0, 0, 0, 0, 1)
    assert fates(customers(tree | {"duration": "1.000000001s"})) == (1, 0, 0, 0, 0)


def test_what_is_unfinished_at_the_end_is_in_flight(lab):
    tree = scenario(lab.at(0, 0, 0, 9.5), duration="10s")
    source = customers(tree)
    assert fates(source) == (3, 0, 0, 0, 1)
    assert source["offered"] == 4


def test_requests_count_where_they_arrive(lab):
    # Before the warm-up's end: not counted, though it ends after; at its very end: counted.
    tree = scenario(lab.at(4.5, 5, 9.9), duration="10s", warmup="5s")
    source = customers(tree)
    assert source["offered"] == 2
    assert fates(source) == (1, 0, 0, 0, 1)
    # The second had to wait for the first, which is not in the figures.
    assert latency(source) == exactly(1.5)


def test_the_window_of_every_account_is_the_same(lab):
    tree = scenario(
        lab.at(0, 4.5, 5, 6, to="door"),
        balancers={"door": {"targets": ["web"]}},
        duration="20s",
        warmup="5s",
    )
    result = run(tree)
    assert result["traffic"]["customers"]["completed"] == 2
    assert result["load_balancers"]["door"]["completed"] == 2
    assert result["fleets"]["web"]["completed"] == 2
    # vCPU time is that of the window whoever it was spent on: 5 to 7.5 s.
    assert result["fleets"]["web"]["utilization"] == pytest.approx(2.5 / 15)


def test_the_result_says_what_was_measured(lab):
    result = run(scenario(lab.at(0), duration="20s", warmup="5s"))
    assert result["simulated_s"] == 20
    assert result["measured_s"] == 15


# --- time-outs --------------------------------------------------------------------------------


def test_an_answer_at_the_deadline_is_in_time(lab):
    assert fates(customers(scenario(lab.at(0, timeout="1s")))) == (1, 0, 0, 0, 0)


def test_an_answer_after_the_deadline_is_too_late(lab):
    source = customers(scenario(lab.at(0, timeout="0.999999999s")))
    assert fates(source) == (0, 0, 0, 1, 0)
    assert source["latency_s"]["count"] == 0


def test_the_work_of_a_client_who_left_goes_on(lab):
    # The second waits for the worker that the first, long gone, still holds.
    tree = scenario(lab.at(0, 2, timeout="3.5s"), work(lab.sizes(5, 1)), duration="10s")
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (0, 0, 0, 2, 0)
    assert result["fleets"]["web"]["utilization"] == pytest.approx(0.6)


def test_one_who_gives_up_waiting_leaves_the_backlog(lab):
    # The second leaves at 1.5 s, unserved: the third is served at 2 s, at once.
    tree = scenario(
        lab.at(0, 0.5, 1.6, timeout="1s", on_timeout="abandon"),
        work(lab.sizes(2, 1, 1)),
        duration="10s",
    )
    result = run(tree)
    source = result["traffic"]["customers"]
    assert fates(source) == (2, 0, 0, 1, 0)
    assert latency(source) == exactly(2, 1.4)
    assert result["fleets"]["web"]["utilization"] == pytest.approx(0.3)


def test_giving_up_is_about_the_wait_not_the_service(lab):
    source = customers(scenario(lab.at(0, timeout="0.5s", on_timeout="abandon")))
    assert fates(source) == (1, 0, 0, 0, 0)
    assert latency(source) == exactly(1)


def test_a_worker_free_at_the_deadline_takes_the_request(lab):
    source = customers(scenario(lab.at(0, 0, timeout="1s", on_timeout="abandon")))
    assert fates(source) == (2, 0, 0, 0, 0)
    source = customers(scenario(lab.at(0, 0, timeout="0.999999999s", on_timeout="abandon")))
    assert fates(source) == (1, 0, 0, 1, 0)


def test_one_who_gives_up_makes_room_in_the_backlog(lab):
    # Served 0-2; the one of 0.1 waits in the only place until 1.1 and is gone when 1.5 comes.
    tree = scenario(
        lab.at(0, 0.1, 0.2, 1.5, timeout="1s", on_timeout="abandon"),
        work({"compute": "2s"}, backlog=1),
    )
    assert fates(customers(tree)) == (2, 1, 0, 1, 0)


def test_one_whose_client_left_keeps_its_place_in_the_backlog(lab):
    tree = scenario(lab.at(0, 0.1, 0.2, 1.5, timeout="1s"), work({"compute": "2s"}, backlog=1))
    assert fates(customers(tree)) == (0, 2, 0, 2, 0)


def test_a_longer_patience_elsewhere_does_not_keep_the_impatient(lab):
    tree = scenario(
        {
            "busy": lab.at(0, to="web"),
            "patient": lab.at(0.1, to="web", timeout="8s"),
            "hasty": lab.at(0.2, 0.3, to="web", timeout="2s"),
        },
        work({"compute": "5s"}),
        duration="30s",
    )
    traffic = run(tree)["traffic"]
    assert fates(traffic["busy"]) == (1, 0, 0, 0, 0)
    assert fates(traffic["patient"]) == (0, 0, 0, 1, 0)
    assert fates(traffic["hasty"]) == (0, 0, 0, 2, 0)


# --- users who think --------------------------------------------------------------------------


def users(count: int, think: str, **keys) -> dict:
    return {"to": "web", "arrivals": {"closed": {"users": count, "think": think}}, **keys}


def test_a_user_thinks_before_sending():
    # Sends at 2, 5, 8; each answered after 1 s.
    source = customers(scenario(users(1, "2s"), duration="10s"))
    assert source["offered"] == 3
    assert fates(source) == (3, 0, 0, 0, 0)
    # The answer at 9 s, the next request at 11 s.
    assert customers(scenario(users(1, "2s"), duration="11s"))["offered"] == 3
    assert customers(scenario(users(1, "2s"), duration="11.000000001s"))["offered"] == 4


def test_users_who_do_not_think_keep_the_server_busy():
    result = run(scenario(users(3, "0s"), duration="100s"))
    assert result["fleets"]["web"]["utilization"] == pytest.approx(1)
    assert result["traffic"]["customers"]["completed"] == 99
    assert result["traffic"]["customers"]["in_flight"] == 3


def test_a_rejected_user_thinks_again():
    source = customers(scenario(users(1, "2s"), fleets={"web": fleet(count=0)}, duration="9s"))
    assert fates(source) == (0, 4, 0, 0, 0)


def test_a_user_who_timed_out_thinks_again_from_the_deadline():
    # Sends at 2; gives up at 3; sends at 5; gives up at 6; sends at 8 exactly.
    source = users(1, "2s", timeout="1s")
    tree = scenario(source, work({"compute": "50s"}), duration="8s")
    assert customers(tree)["offered"] == 2
    assert customers(tree | {"duration": "8.000000001s"})["offered"] == 3


def test_a_failed_user_thinks_again():
    source = customers(
        scenario(users(1, "2s"), work({"compute": "1s"}, {"fail": 1.0}), duration="9s")
    )
    assert source["offered"] == 3
    assert source["failed"] == 2  # the third at 9 s, which is not run


@pytest.mark.parametrize("rng", [1, 2])
def test_there_are_never_more_requests_than_users(rng):
    arrivals = {"closed": {"users": 5, "think": {"exponential": "1s"}}}
    tree = scenario(
        {"to": "web", "arrivals": arrivals},
        work({"compute": {"exponential": "1s"}}, backlog=3),
        duration="300s",
    )
    source = customers(tree, rng)
    assert source["rejected"] > 0
    assert source["in_flight"] <= 5
    # One server, four places: nobody waits for more than three others.
    assert source["offered"] == sum(fates(source))
