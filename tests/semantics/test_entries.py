"""Entries of buses: their sizes, what they have to have, their order, what keeping them costs.

Every number is worked out by hand.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from nephoscope.report.description import describe
from nephoscope.scenario.language.entries import entry_size, is_entry
from semantics.lab import fates, outcome, run, scenario, work
from semantics.test_buses import CAKE, CAKES, TEA, puts, ringing, rule

Tree = dict[str, Any]

# 4 + 5 + 7 bytes: its detail is `{"n":1}`.
GOOD: Tree = {"source": "shop", "detail-type": "order", "detail": {"n": 1}}
MONTH_S = 730 * 3600
KIB = 1024


def without(key: str) -> Tree:
    return {name: value for name, value in GOOD.items() if name != key}


def line(tree: Tree) -> Tree:
    return run(tree)["cost_usd"]["buses"]["bell"]


# --- sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "size"),
    [
        (GOOD, 16),
        (GOOD | {"time": "2024-01-01T00:00:00Z"}, 30),
        (GOOD | {"resources": ["ab", "cde"]}, 21),
        (GOOD | {"id": "not counted", "account": "neither"}, 16),
        (GOOD | {"source": "café"}, 17),
        ('{"source": "shop", "detail-type": "order", "detail": {"n" :  1}}', 16),
        ("no entry", 8),
        (None, 0),
    ],
    ids=["parts", "time", "resources", "others", "utf-8", "text", "words", "nothing"],
)
def test_the_size_of_an_entry_is_that_of_its_parts(event, size):
    assert entry_size(event) == size


def sized(detail: int, **others: Any) -> Tree:
    """An entry of so many bytes."""
    return GOOD | {"detail": {"n": "x" * (detail - 9 - 8)}} | others


def test_auto_bills_each_event_by_its_own_size(lab):
    """One of 64 KiB is a request, one with a byte more is two, and so is its replay."""
    small, large = sized(64 * KIB), sized(64 * KIB + 1)
    assert [entry_size(it) for it in (small, large)] == [64 * KIB, 64 * KIB + 1]
    sources = {"s": puts(lab, 1, 2, event=small), "l": puts(lab, 3, event=large)}
    bus = {"event_size": "auto", "archive": {"pattern": {"detail": {"n": [{"exists": True}]}}}}
    told = line(ringing(sources, all=rule("a"), bus=bus, queues={"a": {}},
                        actions=[{"at": "60s", "replay": "bell"}]))  # fmt: skip
    assert (told["put"], told["replayed"], told["requests"]) == (3, 3, 8)
    assert told["archived_gb"] == pytest.approx((3 * 64 * KIB + 1) / 1e9)


def test_without_a_size_each_put_is_one(lab):
    tree = ringing(puts(lab, 1, event=sized(64 * KIB + 1)), all=rule("a"), queues={"a": {}})
    assert line(tree)["usd"] == pytest.approx(1e-6)
    assert "requests" not in line(tree)


def test_a_put_of_entries_holds_a_mebibyte_at_most(lab):
    """Ten of 102 KiB do, ten of 103 KiB do not; of one as large as all that, one."""

    def tree(event: Any, batch: int = 10) -> Tree:
        service = work({"put": {"to": "bell", "event": event, "batch": batch}})
        return scenario(lab.at(1), service, buses={"bell": {"event_size": "auto"}})

    nph.Scenario.model_validate(tree(sized(102 * KIB)))
    with pytest.raises(ScenarioError, match=r"steps\.0\.put\.batch.*at most 9: 1MiB"):
        nph.Scenario.model_validate(tree(sized(103 * KIB)))
    choice = {"choose": [{"weight": 1, "event": it} for it in (GOOD, sized(103 * KIB))]}
    with pytest.raises(ScenarioError, match="at most 9: 1MiB"):
        nph.Scenario.model_validate(tree(choice))
    with pytest.raises(ScenarioError, match="at most 1: 1MiB"):
        nph.Scenario.model_validate(tree(sized(600 * KIB), batch=2))


def test_what_a_request_says_counts_for_a_put_without_an_event(lab):
    service = work({"put": {"to": "bell", "batch": 10}})
    source = lab.at(1, event=sized(103 * KIB))
    tree = scenario(source, service, buses={"bell": {"event_size": "auto"}})
    with pytest.raises(ScenarioError, match="at most 9: 1MiB"):
        nph.Scenario.model_validate(tree)


def test_a_source_puts_a_mebibyte_at_most(lab):
    for size, taken in ((KIB**2, True), (KIB**2 + 1, False)):
        tree = ringing(puts(lab, 1, event=sized(size)), bus={"event_size": "auto"})
        if taken:
            nph.Scenario.model_validate(tree)
        else:
            with pytest.raises(ScenarioError, match=r"customers\.event.*more than a put"):
                nph.Scenario.model_validate(tree)


# --- what an entry has to have -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "good"),
    [
        (GOOD, True),
        (without("source"), False),
        (without("detail-type"), False),
        (without("detail"), False),
        (GOOD | {"source": ""}, False),
        (GOOD | {"detail": "words"}, False),
        (GOOD | {"detail": {}}, True),
        (GOOD | {"detail-type": "x" * 128}, True),
        (GOOD | {"detail-type": "x" * 129}, False),
        (GOOD | {"resources": ["a"]}, True),
        (GOOD | {"resources": "a"}, False),
        (sized(KIB**2), True),
        (sized(KIB**2 + 1), False),
        ("words", False),
        (None, False),
    ],
)  # fmt: skip
def test_source_detail_type_and_detail_are_required(event, good):
    assert is_entry(event) is good


def test_an_entry_without_its_parts_is_refused(lab):
    """Its source sees it as rejected; nothing of it is billed or delivered."""
    sources = {"good": puts(lab, 1, 2, event=GOOD), "bad": puts(lab, 3, event=without("detail"))}
    tree = ringing(sources, all=rule("a"), bus={"entries": "checked"}, queues={"a": {}})
    told = run(tree)
    bell = told["buses"]["bell"]
    assert (bell["put"], bell["malformed"], bell["delivered"]) == (2, 1, 2)
    assert [fates(told["traffic"][name])[:2] for name in ("good", "bad")] == [(2, 0), (0, 1)]
    assert told["cost_usd"]["buses"]["bell"]["usd"] == pytest.approx(2e-6)


def test_a_bad_entry_fails_alone(lab):
    """Of ten in a call those that are good are taken, and whoever put them all has failed."""
    choice = {"choose": [{"weight": 1, "event": GOOD}, {"weight": 1, "event": without("source")}]}
    service = work({"put": {"to": "bell", "event": choice, "batch": 10}}, concurrency=9)
    times = [float(i) for i in range(1, 21)]
    tree = scenario(
        lab.at(*times), service, buses={"bell": {"entries": "checked", "rules": {
            "all": rule("a", pattern={"source": ["shop"]})}}}, queues={"a": {}},
    )  # fmt: skip
    told = run(tree)
    bell = told["buses"]["bell"]
    assert bell["put"] + bell["malformed"] == 200
    assert 60 < bell["put"] < 140
    assert bell["delivered"] == told["queues"]["a"]["sent"] == bell["put"]
    assert told["traffic"]["customers"]["failed"] > 0
    assert "throttled" not in bell


def test_a_call_of_bad_entries_counts_for_the_limit_of_puts(lab):
    """One in a second: the second call is throttled, whatever is in it."""
    sources = {"bad": puts(lab, 1, event=without("source")), "good": puts(lab, 1.5, event=GOOD)}
    bus = {"entries": "checked", "put_limit": "1/s"}
    bell = run(ringing(sources, bus=bus))["buses"]["bell"]
    assert (bell["put"], bell["malformed"], bell["throttled"]) == (0, 1, 1)


def test_entries_are_not_checked_unless_told(lab):
    bell = run(ringing(puts(lab, 1, event=without("source"))))["buses"]["bell"]
    assert bell["put"] == 1
    assert "malformed" not in bell


def test_what_is_refused_is_saved_with_the_state(lab):
    sources = {"good": puts(lab, 1, 5, event=GOOD), "bad": puts(lab, 2, 6, event="words")}
    bus = {"entries": "checked", "event_size": "auto", "archive": "3s"}
    tree = ringing(sources, all=rule("a"), bus=bus, queues={"a": {}})
    whole = outcome(tree)
    first = nph.Simulation(nph.Scenario.model_validate(tree), rng=7)
    first.advance("4500ms")
    again = nph.Simulation.load(first.save())
    again.advance("100s")
    assert again.result().fingerprint == whole.fingerprint
    assert again.result().to_dict()["cost_usd"] == whole.to_dict()["cost_usd"]
    assert whole["buses.bell.malformed"] == 2


def test_entries_are_described(lab):
    bus = {"entries": "checked", "schema_discovery": True}
    words = "\n".join(describe(nph.Scenario.model_validate(ringing(puts(lab, 1), bus=bus))))
    assert "bell: 0 rules, entries checked, schemas discovered" in words


# --- order ---------------------------------------------------------------------------------------


def overtaken(lab, latency: Any, seeds: int) -> int:
    """How often a tea of 1.1 s is there before the cake of 1 s."""
    sources = {"cakes": puts(lab, 1, event=CAKE), "teas": puts(lab, 1.1, event=TEA)}
    rules = {"cake": rule("a", pattern=CAKES), "tea": rule(
        "b", pattern={"detail": {"kind": ["tea"]}})}  # fmt: skip
    tree = ringing(sources, **rules, bus={"latency": latency}, queues={"a": {}, "b": {}})
    made = nph.Scenario.model_validate(tree)
    times = 0
    for seed in range(seeds):
        simulation = nph.Simulation(made, rng=seed)
        there = {"a": 0, "b": 0}
        while not any(there.values()):
            simulation.advance("10ms")
            there = {name: simulation.result()[f"queues.{name}.sent"] for name in there}
        times += there == {"a": 0, "b": 1}
    return times


def test_where_latencies_are_drawn_events_overtake_each_other(lab):
    """With a mean of 1 s, exp(-0.1) / 2 = 45 % of the time: of 40, 18 and a deviation of 3."""
    assert 8 <= overtaken(lab, {"exponential": "1s"}, 40) <= 28
    assert overtaken(lab, "1s", 5) == 0


# --- what keeping costs --------------------------------------------------------------------------


def kept(lab, *times: float, **keys: Any) -> Tree:
    bus = {"event_size": "100kB", "archive": keys.pop("archive", {})}
    return ringing(puts(lab, *times), bus=bus | keys.pop("bus", {}), **keys)


def test_an_archive_is_billed_for_what_it_holds_by_the_month(lab):
    """100 kB from 10 s and from 60 s to the end at 100 s, of a month of 730 h: $0.023 a GB."""
    told = line(kept(lab, 10, 60))
    assert told["held_gb_months"] == pytest.approx(1e-4 * (90 + 40) / MONTH_S)
    usd = 2 * 2e-6 + 2e-4 * 0.10 + told["held_gb_months"] * 0.023
    assert told["usd"] == pytest.approx(usd, rel=1e-12)


def test_what_is_older_than_the_retention_is_held_no_more(lab):
    """30 s each, but for what comes at 90 s."""
    told = line(kept(lab, 10, 60, 90, archive="30s"))
    assert told["held_gb_months"] == pytest.approx(1e-4 * (30 + 30 + 10) / MONTH_S)


def test_what_comes_soon_after_another_goes_with_it(lab):
    """Within a 4,096th of the retention: of ten in 9 ms all go 60 s after the first."""
    told = line(kept(lab, *(10 + i / 1000 for i in range(10)), archive="60s"))
    assert told["held_gb_months"] * MONTH_S / 1e-4 == pytest.approx(600 - 0.045)


def test_what_is_held_agrees_with_a_sum_over_events(lab):
    """Many, of which each is let go by itself: by a 4,096th of its time too early at most."""
    times = np.sort(np.random.default_rng(5).uniform(0.0, 100.0, 3000))
    for retention in (0.5, 7.3, 60.0):
        told = line(kept(lab, *times, archive=f"{retention}s"))["held_gb_months"] * MONTH_S / 1e-4
        exact = np.minimum(100.0 - times, retention).sum()
        assert exact * (1 - 1 / 4096) <= told <= exact * (1 + 1e-9)


def test_while_a_simulation_goes_on_what_is_held_till_now_is_billed(lab):
    simulation = nph.Simulation(nph.Scenario.model_validate(kept(lab, 10, 60)), rng=7)
    for now, held in (("30s", 20), ("20s", 40), ("50s", 130)):
        simulation.advance(now)
        told = simulation.result().to_dict()["cost_usd"]["buses"]["bell"]
        assert told["held_gb_months"] == pytest.approx(1e-4 * held / MONTH_S)


def test_an_archive_by_parts_holds_bytes(lab):
    tree = kept(lab, 10, bus={"event_size": "auto"})
    tree["traffic"]["customers"]["event"] = GOOD
    assert line(tree)["held_gb_months"] == pytest.approx(16e-9 * 90 / MONTH_S)


def test_schema_discovery_is_ten_cents_a_million(lab):
    told = line(ringing(puts(lab, 1, 2, 3), bus={"schema_discovery": True}))
    assert told["discovered"] == 3
    assert told["usd"] == pytest.approx(3 * 1e-6 + 3 * 0.1e-6)
    assert "discovered" not in line(ringing(puts(lab, 1)))
