"""Conditions: how they are read, and what an interval says of them."""

import pytest

from nephoscope import WordError
from nephoscope.experiment.condition import Condition, Verdict
from nephoscope.experiment.interval import Interval

P99 = "traffic.users.latency_s.p99"


def interval(low, high):
    return Interval(1.0, low, high, 0.1, 10, 1.0)


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        (f"{P99} < 0.2", 0.2),
        (f"{P99}<200ms", 0.2),
        (f"  {P99}  <  1m30s ", 90.0),
        (f"{P99} < 2e-1", 0.2),
        (f"{P99} < 15 ms", 0.015),
        (f"{P99} < 1m 30s", 90.0),
        ("traffic.users.lost_share < 0.5 %", 0.005),
        ("traffic.users.lost_share < 0.5%", 0.005),
        ("fleets.web.steal_s.cap >= 1s", 1.0),
        ("in_flight < -1.5", -1.5),
    ],
)
def test_bounds_are_in_the_unit_of_results(text, bound):
    (part,) = Condition.parse(text).parts
    assert part.bound == pytest.approx(bound)


def test_several_are_joined():
    condition = Condition.parse(f"{P99} < 0.2 and traffic.users.lost_share <= 1%")
    assert condition.paths == [P99, "traffic.users.lost_share"]
    assert str(condition) == f"{P99} < 0.2 and traffic.users.lost_share <= 1%"
    spaced = Condition.parse(f"{P99} < 200 ms and traffic.users.lost_share <= 1 %")
    assert [part.text for part in spaced.parts] == ["200 ms", "1 %"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (P99, "is not a condition"),
        ("", "is not a condition"),
        (f"{P99} < ", "is not a condition"),
        (f"{P99} == 3", "is not a condition"),
        (f"0.1 < {P99} < 0.2", "is not a condition"),
        (f"{P99} < 0.2 and", "is not a condition"),
        (f"{P99} < fast", "'fast' is no bound"),
        (f"{P99} < 5 furlongs", "a duration such as 200ms, in ns, us, ms, s, m, h, d or w"),
        (f"{P99} < 5 or 6", "'5 or 6' is no bound"),
        (f"{P99} < 200%", "is no bound"),
        (f"{P99} < 0.2.1", "is no bound"),
        ("fleets.web.completed < 5s", "not in seconds"),
        (5, "is not a condition"),
    ],
)
def test_what_is_no_condition(text, words):
    with pytest.raises(WordError) as caught:
        Condition.parse(text)
    assert words in str(caught.value)
    assert "allowed: " in str(caught.value)


@pytest.mark.parametrize(
    ("bound", "value", "words"),
    [
        ("50ms", 0.06947, "69.47 ms"),
        ("50ms", 1.5, "1.5 s"),
        ("50ms", 2e-6, "2 us"),
        ("50ms", 0.0, "0 ns"),
        ("0.05", 0.06947, "0.06947"),
        ("1%", 0.0254, "2.54 %"),
    ],
)
def test_what_is_seen_is_told_in_the_unit_of_the_bound(bound, value, words):
    (part,) = Condition.parse(f"{P99} < {bound}").parts
    assert part.figure(value) == words


@pytest.mark.parametrize(
    ("sign", "low", "high", "verdict"),
    [
        ("<", 0.8, 0.9, "holds"),
        ("<", 0.8, 1.0, "undecided"),
        ("<=", 0.8, 1.0, "holds"),
        ("<", 1.0, 1.2, "fails"),
        ("<=", 1.0, 1.2, "undecided"),
        ("<=", 1.1, 1.2, "fails"),
        (">", 1.1, 1.2, "holds"),
        (">", 1.0, 1.2, "undecided"),
        (">=", 1.0, 1.2, "holds"),
        (">", 0.8, 1.0, "fails"),
        (">=", 0.8, 0.9, "fails"),
        ("<", 0.8, None, "undecided"),
        ("<", 1.8, None, "fails"),
        (">", 1.8, None, "holds"),
        ("<", None, None, "undecided"),
    ],
)
def test_what_an_interval_says(sign, low, high, verdict):
    condition = Condition.parse(f"{P99} {sign} 1")
    assert condition.verdict({P99: interval(low, high)}) is Verdict(verdict)


def test_all_parts_must_hold():
    condition = Condition.parse(f"{P99} < 1 and in_flight < 1")
    good, bad, unclear = interval(0.1, 0.2), interval(2.0, 3.0), interval(0.5, 1.5)
    for other, verdict in (
        (good, "holds"),
        (unclear, "undecided"),
        (None, "undefined"),
        (bad, "fails"),
    ):
        assert condition.verdict({P99: good, "in_flight": other}) is Verdict(verdict)
        assert condition.verdict({P99: other, "in_flight": good}) is Verdict(verdict)
    assert condition.verdict({P99: bad, "in_flight": None}) is Verdict.fails
