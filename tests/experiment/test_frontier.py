"""Frontiers: who beats whom, by hand, and what cannot be told."""

import numpy as np
import pytest

import nephoscope as nph
from experiment.small import COUNT, LOST, MEAN, small
from nephoscope.errors import PathError
from nephoscope.experiment import Cell, Interval, Sweep

X, Y = "cost", "delay"


def swept(*cells):
    """A sweep of cells whose replications have these numbers of X and Y."""

    def cell(i, numbers):
        defined = [[it for it in row if it is not None] for row in numbers]
        intervals = [Interval.of(row) if row else None for row in defined]
        named = dict(zip((X, Y), map(tuple, numbers), strict=True))
        return Cell(
            {"n": i}, "abcdefgh"[i], dict(zip((X, Y), intervals, strict=True)), (), "", named
        )

    made = tuple(cell(i, numbers) for i, numbers in enumerate(cells))
    return Sweep("drawn", 0, len(cells[0][0]), 0.95, (X, Y), ("n",), made, 0, 0.0)


def verdicts(found, **options):
    return {it.label: it.verdict for it in nph.frontier(found, X, Y, **options).points}


def noise(mean, scale=0.01, seed=0):
    return (mean + scale * np.random.default_rng(seed).standard_normal(10)).tolist()


def test_who_is_worse_by_both_is_beaten():
    found = swept((noise(1), noise(4)), (noise(2), noise(2)), (noise(3), noise(3)))
    line = nph.frontier(found, X, Y)
    assert [(it.label, it.verdict) for it in line.points] == [
        ("a", "on"),
        ("b", "on"),
        ("c", "beaten"),
    ]
    assert line["c"].beaten_by == "b"
    assert [it.label for it in line.kept] == ["a", "b"]
    # 3 pairs by 2 metrics.
    assert line.each_confidence == pytest.approx(1 - 0.05 / 6)


def test_who_is_equal_by_one_and_worse_by_the_other_is_beaten():
    found = swept(([2.0] * 10, noise(1)), ([2.0] * 10, noise(2, seed=1)))
    assert verdicts(found) == {"a": "on", "b": "beaten"}


def test_twins_are_both_on_the_frontier():
    found = swept(([2.0] * 10, noise(1)), ([2.0] * 10, noise(1)))
    assert verdicts(found) == {"a": "on", "b": "on"}


def test_what_cannot_be_told_apart_is_undecided():
    # b costs more and seems a little better, but each replication says something else.
    found = swept(([1.0] * 10, noise(2, 1.0, 1)), ([2.0] * 10, noise(1.9, 1.0, 2)))
    line = nph.frontier(found, X, Y)
    # The cheaper one is on it whatever the other's delay is.
    assert {it.label: it.verdict for it in line.points} == {"a": "on", "b": "undecided"}
    assert line["a"].estimated


def test_differences_are_of_pairs():
    """Replications that differ by far more than cells do hide nothing of what those differ by."""
    common = noise(100, 50.0)
    found = swept(
        ([1.0] * 10, common),
        ([2.0] * 10, [it + e for it, e in zip(common, noise(0.1), strict=True)]),
    )
    assert verdicts(found) == {"a": "on", "b": "beaten"}
    assert found.cells[0].intervals[Y].high > found.cells[1].intervals[Y].low


def test_more_may_be_better():
    found = swept((noise(1), noise(4)), (noise(2), noise(2)))
    assert verdicts(found, greater=[Y]) == {"a": "on", "b": "beaten"}
    assert verdicts(found, greater=[X, Y]) == {"a": "on", "b": "on"}


def test_undefined_cells_beat_nobody():
    found = swept(([None] * 10, [None] * 10), (noise(2), noise(2)), ([0.1] + [None] * 9, noise(1)))
    assert verdicts(found) == {"a": "undefined", "b": "undecided", "c": "undefined"}


def test_few_replications_tell_less():
    cells = [(noise(1, 0.3), noise(4, 0.3, 1)), (noise(2, 0.3, 2), noise(5, 0.3, 3))]
    assert verdicts(swept(*cells))["b"] == "beaten"
    few = [tuple(row[:2] for row in cell) for cell in cells]
    assert verdicts(swept(*few))["b"] == "undecided"


def test_of_equals_one_in_twenty_experiments_says_something_wrong_at_most():
    """Cells that are all the same in truth: hardly ever is one said to beat another."""
    wrong = 0
    for seed in range(200):
        draws = np.random.default_rng(seed).standard_normal((4, 2, 10))
        wrong += "beaten" in verdicts(swept(*draws.tolist())).values()
    assert wrong <= 200 * 0.05


def test_a_sweep_of_a_fleet():
    found = nph.sweep(small(), {COUNT: [2, 3, 4]}, 5, metrics=["fleets.web.instances.mean", MEAN])
    line = nph.frontier(found, "fleets.web.instances.mean", MEAN)
    assert [it.label for it in line.points] == ["2", "3", "4"]
    assert line.points[0].verdict == "on"
    assert line.to_dict()["points"][0]["x"]["value"] == 2.0
    for cell in found.cells:
        assert cell.numbers[MEAN] == tuple(
            result[MEAN] for result in nph.replicate(small(**cell.values), 5).results
        )


def test_as_a_table():
    pytest.importorskip("pyarrow", reason="tables need pyarrow (the extra `parquet`)")
    line = nph.frontier(swept((noise(1), noise(4)), (noise(2), noise(5))), X, Y)
    rows = line.to_arrow().to_pylist()
    assert [row["verdict"] for row in rows] == ["on", "beaten"]
    assert rows[1]["beaten_by"] == "a"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"x": "csot", "y": Y}, "did you mean cost?"),
        ({"x": X, "y": X}, "given twice"),
        ({"x": X, "y": Y, "greater": [LOST]}, "neither"),
    ],
)
def test_mistakes(arguments, words):
    with pytest.raises(PathError) as caught:
        nph.frontier(swept((noise(1), noise(4)), (noise(2), noise(2))), **arguments)
    assert words in str(caught.value)


def test_one_replication_is_not_enough():
    with pytest.raises(PathError, match="two replications"):
        nph.frontier(swept(([1.0], [2.0])), X, Y)
    with pytest.raises(ValueError, match="above 0 and below 1"):
        nph.frontier(swept((noise(1), noise(2))), X, Y, confidence=95)
