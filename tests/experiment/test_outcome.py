"""What is kept of a run: nothing but the details is lost on the way, and damage is seen."""

import json
import zlib
from pathlib import Path

import pytest

import nephoscope as nph
from experiment.small import LOST, MEAN, P99, small
from nephoscope.experiment.outcome import Outcome, ResultRun

EXAMPLES = Path(__file__).parents[2] / "examples"
COFFEE = nph.Scenario.load(EXAMPLES / "coffee-shop-by-call.yaml")
RESULT = nph.run(COFFEE)


def test_all_numbers_but_details_are_kept():
    outcome = Outcome.unpack(Outcome.of(RESULT).pack())
    run = ResultRun(RESULT)
    kept = {path for path in run.numbers if ".targets." not in path} | {"in_flight"}
    assert set(outcome.numbers) == kept
    for path in kept:
        assert outcome.number(path) == run.number(path)
    assert outcome == Outcome.of(RESULT)
    assert (outcome.fingerprint, outcome.events) == (RESULT.fingerprint, RESULT.events)
    assert outcome.flags == tuple(RESULT.flags)


def test_latencies_are_kept():
    outcome = Outcome.unpack(Outcome.of(RESULT).pack())
    for part in ("traffic.customers", "load_balancers.bar", "fleets.cashiers"):
        before, after = RESULT.histogram(part), outcome.histogram(f"{part}.latency_s")
        assert after.summary() == before.summary()
        assert after.quantile(0.123) == before.quantile(0.123)
    assert outcome.histogram("traffic.nobody.latency_s") is None


def test_groups_have_latencies():
    groups = {"groups": {"blue": {"targets": ["web"], "weight": 1}}}
    one = small(load_balancers={"door": groups | {"type": "none"}})
    result = nph.run(one)
    part = "load_balancers.door.groups.blue"
    assert result.histogram(part).count == result[f"{part}.completed"] > 0
    assert Outcome.of(result).histogram(f"{part}.latency_s").count == result[f"{part}.completed"]
    with pytest.raises(nph.PathError, match="blue"):
        result.histogram("load_balancers.door.groups.blu")


def test_ages_of_messages_are_kept():
    """So that their quantiles, too, are of all messages of all runs together."""
    shop = nph.Scenario.load(EXAMPLES / "coffee-shop.yaml")
    shop = shop.replace({"duration": "6m", "warmup": "1m"})
    runs = nph.replicate(shop, 3)
    part = "queues.order-board.age_s"
    for result in runs.results:
        ages = result.histogram("queues.order-board")
        assert ages.summary() == result.histogram(part).summary()
        assert Outcome.of(result).histogram(part).summary() == ages.summary()
        assert ages.count == result[f"{part}.count"] > 0
    assert runs[f"{part}.p99"].value == runs.histogram(part).quantile(0.99) / 1e9
    found = nph.sweep(shop, {"fleets.counter.count": [1]}, 3, metrics=[f"{part}.p99"])
    (cell,) = found.cells
    assert cell.intervals[f"{part}.p99"] == runs[f"{part}.p99"]
    with pytest.raises(nph.PathError, match="order-board"):
        runs.histogram("queues.order-bored")


def test_it_is_small():
    assert len(Outcome.of(RESULT).pack()) < 10_000


def test_what_is_undefined_is_known():
    nobody = Outcome.of(nph.run(small(**{"traffic.users.rate": "0.00001/s"})))
    for path in (MEAN, P99, LOST):
        assert nobody.knows(path)
        assert nobody.number(path) is None
    assert not nobody.knows("traffic.users.latency_s.p98")
    assert not nobody.knows("fleets.web.targets")


def test_lost_share_by_hand():
    result = nph.run(small())
    account = result["traffic.users"]
    assert account["rejected"] > 0
    lost = (account["rejected"] + account["failed"] + account["timed_out"]) / account["offered"]
    assert Outcome.of(result).number(LOST) == ResultRun(result).number(LOST) == lost
    assert not ResultRun(result).knows("fleets.web.lost_share")


def damaged(change):
    whole = zlib.decompress(Outcome.of(nph.run(small())).pack())
    end = 4 + int.from_bytes(whole[:4], "little")
    tree = json.loads(whole[4:end])
    change(tree)
    text = json.dumps(tree).encode()
    return zlib.compress(len(text).to_bytes(4, "little") + text + whole[end:])


def test_what_is_not_damaged_is_no_damage():
    assert Outcome.unpack(damaged(lambda _: None)) == Outcome.of(nph.run(small()))


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: tree.pop("numbers"),
        lambda tree: tree.update(numbers=5),
        lambda tree: tree.update(histograms={"x": [1]}),
        lambda tree: tree["histograms"]["traffic.users.latency_s"].__setitem__(0, 10**9),
        lambda tree: tree["histograms"]["traffic.users.latency_s"].__setitem__(1, 0),
        lambda tree: tree["histograms"]["traffic.users.latency_s"].__setitem__(1, 10**12),
        lambda tree: tree["histograms"]["traffic.users.latency_s"].__setitem__(0, -1),
        lambda tree: tree["histograms"]["traffic.users.latency_s"].__setitem__(1, -1),
        lambda tree: tree["histograms"]["traffic.users.latency_s"].__setitem__(1, "x"),
        lambda tree: tree.update(flags=None),
        lambda tree: tree.update(events="many"),
    ],
)
def test_damage_is_seen(change):
    with pytest.raises(ValueError, match=r"\S"):
        Outcome.unpack(damaged(change))


def test_bytes_that_are_no_outcome():
    texts = [b"", b"\2\0\0\0", *(bytes([len(it), 0, 0, 0]) + it for it in (b"[", b"[]", b"\xff"))]
    for data in (b"", b"x", *map(zlib.compress, texts)):
        with pytest.raises(ValueError, match=r"\S"):
            Outcome.unpack(data)
