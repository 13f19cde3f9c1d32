"""What is free or cheaper in a month, on the bill. One test a rule, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from nephoscope.message_costs import queue_requests_usd
from nephoscope.report.description import describe
from semantics.lab import run, scenario, work

Tree = dict[str, Any]


def account(**used: int) -> Tree:
    return {"provider": {"free_tier": True, "used": used}}


def bill(tree: Tree, section: str) -> Tree:
    return run(tree)["cost_usd"][section]


def sent(lab, **keys: Any) -> Tree:
    """Three messages for each of two queues, which nobody receives: as many requests."""
    sources = {name: lab.at(1, 2, 3, to=name) for name in ("x", "y")}
    return scenario(
        {f"to-{name}": source for name, source in sources.items()},
        queues={"x": {}, "y": {}}, **keys,
    )  # fmt: skip


def told(lab, *ends: Any, duration: str = "100s", **keys: Any) -> Tree:
    """Four messages for a topic."""
    topics = {"news": {"subscriptions": list(ends)}}
    return scenario(lab.at(1, 2, 3, 4, to="news"), work({"compute": "1ms"}), topics=topics,
                    duration=duration, **keys)  # fmt: skip


def test_a_million_requests_of_queues_are_free_in_a_month(lab):
    """Four are left, of which the first queue has three and the second one."""
    lines = bill(sent(lab, **account(queue_requests=999_996)), "queues")
    assert [lines[name]["requests"] for name in "xy"] == [3, 3]
    assert [lines[name]["free_queue_requests"] for name in "xy"] == [3, 1]
    assert [lines[name]["usd"] for name in "xy"] == pytest.approx([0.0, 2 * 0.40e-6])


def test_nothing_is_free_unless_told(lab):
    lines = bill(sent(lab), "queues")
    assert [lines[name]["usd"] for name in "xy"] == pytest.approx([3 * 0.40e-6] * 2)
    assert "free_queue_requests" not in lines["x"]


def test_what_has_been_used_up_is_free_no_more(lab):
    lines = bill(sent(lab, **account(queue_requests=5_000_000)), "queues")
    assert [lines[name]["usd"] for name in "xy"] == pytest.approx([3 * 0.40e-6] * 2)


def test_a_million_requests_of_topics_are_free_in_a_month(lab):
    tree = told(lab, {"endpoint": "firehose"}, **account(topic_requests=999_999))
    line = bill(tree, "topics")["news"]
    assert line["free_topic_requests"] == 1
    assert line["usd"] == pytest.approx(3 * 0.50e-6 + 4 * 0.19e-6)


def test_a_fifo_topic_has_nothing_free(lab):
    topics = {"row": {"type": "fifo"}}
    tree = scenario(lab.at(1, 2, to="row", group="g"), topics=topics, **account())
    assert bill(tree, "topics")["row"]["usd"] == pytest.approx(2 * 0.30e-6)


def test_100_000_deliveries_by_http_and_1_000_by_mail_are_free_in_a_month(lab):
    """Three and two of four; those of mobile push are billed."""
    used = account(http_deliveries=99_997, emails=998)
    ends = ("web", {"endpoint": "email"}, {"endpoint": "mobile_push"})
    line = bill(told(lab, *ends, **used), "topics")["news"]
    assert (line["free_http_deliveries"], line["free_emails"]) == (3, 2)
    assert (line["by_http"], line["email"], line["mobile_push"]) == (4, 4, 4)
    assert line["usd"] == pytest.approx(0.60e-6 + 2 * 20e-6 + 4 * 0.50e-6)


def test_a_longer_run_has_as_much_in_each_month_that_it_begins(lab):
    """800 h are two months of 730 h: two millions, of which all but one had been used."""
    used = account(topic_requests=1_999_999)
    line = bill(told(lab, duration="800h", **used), "topics")["news"]
    assert line["free_topic_requests"] == 1
    assert "free_topic_requests" not in bill(told(lab, **used), "topics")["news"]


# --- cheaper beyond ------------------------------------------------------------------------------

BILLION = 10**9


@pytest.mark.parametrize(
    ("kind", "prices"), [("standard", (0.40, 0.30, 0.24)), ("fifo", (0.50, 0.40, 0.35))]
)
def test_requests_are_cheaper_beyond_100_and_200_billion_a_month(kind, prices):
    """Of 250 billion each hundred has its price, and the rest the last; so have parts of them."""
    whole = 100_000 * prices[0] + 100_000 * prices[1] + 50_000 * prices[2]
    assert queue_requests_usd(kind, 0, 250 * BILLION) == pytest.approx(whole)
    across = 10_000 * prices[0] + 20_000 * prices[1]
    assert queue_requests_usd(kind, 90 * BILLION, 120 * BILLION) == pytest.approx(across)
    assert queue_requests_usd(kind, 0, 200 * BILLION, 2) == pytest.approx(200_000 * prices[0])


def test_what_was_used_before_makes_requests_cheaper(lab):
    """One is left at $0.40; the other two of the first queue and all of the second are cheaper."""
    lines = bill(sent(lab, provider={"used": {"queue_requests": 100 * BILLION - 1}}), "queues")
    assert [lines[name]["usd"] for name in "xy"] == pytest.approx([1.00e-6, 0.90e-6])
    tree = sent(lab, provider={"used": {"queue_requests": 200 * BILLION}})
    lines = bill(tree, "queues")
    assert [lines[name]["usd"] for name in "xy"] == pytest.approx([0.72e-6] * 2)
    words = list(describe(nph.Scenario.model_validate(tree)))
    assert "  in us-east-1 without quotas, after 200,000,000,000 requests of queues" in words


def test_fifo_queues_become_cheaper_by_themselves(lab):
    """All 150 billion were theirs, so requests of a standard queue are dear still."""
    sources = {"a": lab.at(1, to="x"), "b": lab.at(1, to="y", group="g")}
    used = {"queue_requests": 150 * BILLION, "fifo_requests": 150 * BILLION}
    queues = {"x": {}, "y": {"type": "fifo"}}
    lines = bill(scenario(sources, queues=queues, provider={"used": used}), "queues")
    assert [lines[name]["usd"] for name in "xy"] == pytest.approx([0.40e-6, 0.40e-6])
    used["queue_requests"] -= 1
    with pytest.raises(ScenarioError, match="fifo_requests are more than all queue_requests"):
        nph.Scenario.model_validate(scenario(sources, queues=queues, provider={"used": used}))


def test_what_was_used_counts_whether_or_not_it_was_free(lab):
    """A million are free and were used; the last of the first 100 billion is one of them."""
    lines = bill(sent(lab, **account(queue_requests=100 * BILLION - 1)), "queues")
    assert "free_queue_requests" not in lines["x"]
    assert lines["x"]["usd"] == pytest.approx(1.00e-6)
