"""Designs: points that fill their ranges, and sweeps of points."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import nephoscope as nph
from experiment.small import COUNT, small
from nephoscope import ScenarioError, WordError
from nephoscope.cli import main
from nephoscope.experiment.design import KINDS

RATE = "traffic.users.rate"
WORK = "services.page.steps.0.compute"
RANGES = {COUNT: (1, 4), RATE: ("5/s", "25/s")}


@pytest.mark.parametrize("kind", KINDS)
def test_points_lie_within_and_fill_their_ranges(kind):
    points = nph.design({"a": (1, 4), "b": ("100ms", "300ms"), "c": (0.0, 2.0)}, 256, kind=kind)
    assert len(points) == 256
    counts = np.bincount([point["a"] for point in points], minlength=5)
    assert counts[0] == 0
    # 64 each; at random within four standard deviations, otherwise nearly so.
    assert (abs(counts[1:] - 64) <= (28 if kind == "random" else 1)).all()
    works = np.array([nph.scenario.units.Duration.parse(point["b"]) for point in points]) / 1e6
    assert 100 <= works.min() <= works.max() <= 300
    means = np.array([works.mean() / 200, np.mean([point["c"] for point in points])])
    assert means == pytest.approx(1.0, abs=0.08 if kind == "random" else 0.01)


def test_the_first_points_of_sobol_are_balanced_in_all_dimensions_at_once():
    """Of 64 points each of the 64 boxes of a sixteenth by a quarter has one."""
    points = nph.design({"a": (0, 15), "b": (0, 3)}, 64)
    assert len(points) == 64
    assert len({(point["a"], point["b"]) for point in points}) == 64
    assert nph.design({"a": (0, 15), "b": (0, 3)}, 64, rng=1) != points
    assert nph.design({"a": (0, 15), "b": (0, 3)}, 64) == points


def test_points_that_come_to_the_same_are_one():
    points = nph.design({"a": (1, 2)}, 50, kind="random")
    assert sorted(point["a"] for point in points) == [1, 2]


def test_a_sweep_of_points():
    points = nph.design(RANGES, 8)
    found = nph.sweep(small(), points=points, replications=2)
    assert [cell.values for cell in found.cells] == points
    assert found.paths == tuple(RANGES)
    alone = nph.sweep(small(), {path: [value] for path, value in points[3].items()}, 2)
    assert found.cells[3].fingerprint == alone.cells[0].fingerprint


def call(*arguments):
    return CliRunner().invoke(main, [str(it) for it in arguments])


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "small.json"
    path.write_text(json.dumps(small().to_dict()))
    return path


def test_from_the_command_line_and_from_a_file(file, tmp_path):
    drawn = ("--sample", f"{COUNT}=1,4", "--sample", f"{RATE}=5/s,25/s")
    options = ("--replications", 2, "--csv", "-")
    by_options = call("sweep", file, *drawn, "--points", 4, "--design", "latin", *options)
    assert by_options.exit_code == 0, by_options.stderr
    points = nph.design(RANGES, 4, kind="latin", rng=small().seed)
    assert by_options.stdout == nph.sweep(small(), points=points, replications=2).to_csv()
    plan = tmp_path / "plan.yaml"
    for text in (
        f"sample: {{{COUNT}: [1, 4], {RATE}: [5/s, 25/s]}}\ncount: 4\ndesign: latin\n",
        f"points: {json.dumps(points)}",
    ):
        plan.write_text(text)
        by_file = call("sweep", file, "--plan", plan, *options)
        assert by_file.stdout == by_options.stdout, by_file.stderr
    plan.write_text(f"grid: {{{COUNT}: [2, 3]}}")
    by_file = call("sweep", file, "--plan", plan, *options)
    assert by_file.stdout == nph.sweep(small(), {COUNT: [2, 3]}, 2).to_csv()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "one of --grid, --sample or --plan is needed, not none"),
        (("--grid", "a=1", "--sample", "a=1,2"), "is needed, not --grid or --sample"),
        (("--grid", "a=1", "--points", "3"), "--points and --design go with --sample"),
        (("--sample", f"{COUNT}=4,1"), "4 to 1 is no range"),
        (("--sample", f"{COUNT}=4"), f"{COUNT}: no range"),
        (("--sample", f"{COUNT}=5/s,1s"), f"{COUNT}: '5/s' to '1s' is no range"),
        (("--plan", "{nowhere}"), "No such file"),
        (("--plan", "grd: {}"), "did you mean grid?"),
        (("--plan", "count: 3"), "one way is needed"),
        (("--plan", "{grid: {a: [1]}, count: 3}"), "count and design go with sample"),
        (("--plan", "grid: 3"), "a mapping of paths"),
        (("--plan", "points: [3]"), "points.0: 3 is none"),
        (("--plan", "[1]"), "a list is no plan"),
        (("--plan", "{sample: {a: [1, 2]}, count: x}"), "a whole number"),
    ],
)
def test_what_is_no_plan(file, tmp_path, arguments, words):
    given = list(arguments)
    if given[:1] == ["--plan"] and given[1] != "{nowhere}":
        plan = tmp_path / "plan.yaml"
        plan.write_text(given[1])
        given[1] = plan
    outcome = call("sweep", file, *given)
    assert outcome.exit_code == 2
    assert words in outcome.stderr


def test_mistakes():
    with pytest.raises(WordError, match=r"'sobl' is no design \(allowed: .*did you mean|sobol"):
        nph.design(RANGES, 4, kind="sobl")
    with pytest.raises(WordError, match="0 points"):
        nph.design(RANGES, 0)
    with pytest.raises(ScenarioError, match="nothing is varied"):
        nph.design({}, 4)
    with pytest.raises(ValueError, match="either a grid or points"):
        nph.sweep(small())
    with pytest.raises(ScenarioError, match="nothing is varied"):
        nph.sweep(small(), points=[])
    with pytest.raises(ScenarioError, match="point 1 and the first do not have the same paths"):
        nph.sweep(small(), points=[{COUNT: 2}, {RATE: "1/s"}])
