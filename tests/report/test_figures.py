"""Figures by matplotlib: what is drawn is what the results say."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest

from experiment.small import COUNT, LOST, MEAN, P99, small
from nephoscope import PathError, Scenario, compare, figures, frontier, replicate, sweep
from nephoscope.errors import ExtraError

EXAMPLES = Path(__file__).parents[2] / "examples"
RESULT = small(series="5s").run()
USERS = "traffic.users"


@pytest.fixture(autouse=True)
def library(request):
    if request.function is not test_without_the_library_it_is_asked_for:
        pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")


def saved(axes, kind="pdf"):
    file = io.BytesIO()
    axes.figure.savefig(file, format=kind)
    return file.getvalue()


def test_latency_is_the_share_of_slower_requests():
    axes = figures.latency(RESULT)
    (line,) = axes.lines
    x, y = line.get_data()
    summary = RESULT[f"{USERS}.latency_s"]
    assert (x[0], y[0]) == (pytest.approx(summary["min"]), 1.0)
    assert (x[-1], y[-1]) == (pytest.approx(summary["max"]), 1 / summary["count"])
    assert list(y) == sorted(y, reverse=True)
    histogram = RESULT.histogram(USERS)
    _, upper, counts = histogram.buckets()
    for latency, share in zip(x[1:-1], y[1:-1], strict=True):
        slower = int(np.sum(np.asarray(counts)[np.asarray(upper) / 1e9 > latency]))
        assert share == pytest.approx(slower / histogram.count)
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert [it.get_text() for it in axes.get_legend().get_texts()] == [USERS]
    assert saved(axes).startswith(b"%PDF")


def test_parts_have_a_line_each():
    axes = figures.latency(RESULT, [USERS, "fleets.web"])
    assert [line.get_label() for line in axes.lines] == [USERS, "fleets.web"]
    looks = {(line.get_color(), line.get_linestyle()) for line in axes.lines}
    assert len({colour for colour, _ in looks}) == len({dash for _, dash in looks}) == 2
    (line,) = figures.latency(replicate(small(), 2, rng=1), USERS).lines
    assert line.get_ydata()[0] == 1.0
    with pytest.raises(PathError, match="did you mean"):
        figures.latency(RESULT, "traffic.user")


def test_series_are_those_of_the_result():
    names = [f"{USERS}.offered", "fleets.web.instances"]
    axes = figures.series(RESULT, names)
    for line, name in zip(axes.lines, names, strict=True):
        ends, values = RESULT.series(name)
        assert np.array_equal(line.get_xdata(), ends)
        assert np.array_equal(line.get_ydata(), values)
    (warmup,) = axes.patches
    assert warmup.get_extents().x0 < warmup.get_extents().x1
    assert warmup.get_width() == RESULT.warmup_s == 10.0
    (line,) = figures.series(RESULT).lines
    assert line.get_label() == f"{USERS}.in_flight"
    with pytest.raises(PathError, match="series: none"):
        figures.series(small().run())


def test_intervals_are_those_of_the_comparison():
    found = compare(small(), {COUNT: [2, 3, 4]}, 4, metrics=[MEAN, P99])
    axes = figures.intervals(found, MEAN)
    assert [it.get_text() for it in axes.get_yticklabels()] == ["2", "3", "4"]
    for i, (container, label) in enumerate(zip(axes.containers, found.labels, strict=True)):
        dot, _, (bar,) = container.lines
        interval = found.estimate(MEAN, label)
        assert list(dot.get_xydata()[0]) == [interval.value, i]
        ((low, high),) = [segment[:, 0] for segment in bar.get_segments()]
        assert (low, high) == (pytest.approx(interval.low), pytest.approx(interval.high))
    with pytest.raises(PathError, match="did you mean"):
        figures.intervals(found, MEAN[:-1])
    (first, _, _) = figures.latency(found).lines
    assert first.get_label() == "2"


def test_a_frontier_has_its_points():
    found = sweep(
        small(),
        {COUNT: [1, 2, 3]},
        3,
        metrics=[MEAN, LOST, COUNT.replace("count", "instances.mean")],
    )
    line = frontier(found, LOST, COUNT.replace("count", "instances.mean"))
    axes = figures.frontier(line)
    dots = {tuple(map(float, it.lines[0].get_xydata()[0])) for it in axes.containers}
    assert dots == {(it.x.value, it.y.value) for it in line.points}
    assert [it.get_text() for it in axes.texts] == [it.label for it in line.kept]
    assert (axes.get_xlabel(), axes.get_ylabel()) == (line.x, line.y)
    assert saved(axes, "svg").startswith(b"<?xml")


def test_axes_of_the_caller_are_drawn_on():
    left, right = pytest.importorskip("matplotlib.figure").Figure().subplots(1, 2)
    assert figures.latency(RESULT, ax=left) is left
    assert figures.series(RESULT, ax=right) is right
    assert (len(left.lines), len(right.lines)) == (1, 1)


def test_a_run_of_several_sources_has_a_line_for_each():
    result = Scenario.load(EXAMPLES / "flash-sale.yaml").replace({"duration": "1h"}).run()
    labels = {line.get_label() for line in figures.latency(result).lines}
    assert labels == {f"traffic.{name}" for name in result["traffic"]}


def test_without_the_library_it_is_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ExtraError, match=r"pip install 'nephoscope\[plot\]'"):
        figures.latency(RESULT)
