"""Figures for papers, by matplotlib: `pip install 'nephoscope[plot]'`.

>>> from nephoscope import figures
>>> axes = figures.latency(result)  # doctest: +SKIP
>>> axes.figure.savefig("latency.pdf")  # doctest: +SKIP

Each function draws on the axes that it is given, or on those of a figure of its own, as wide as a
column of a paper, and returns them: titles, limits and sizes are then the caller's. Lines are told
apart by colours that all can see and by dashes. What is drawn is what `histogram`, `series`,
`estimate` and `points` say; a page of everything, without a library, is `to_html`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nephoscope import _core
from nephoscope.errors import PathError
from nephoscope.experiment import Comparison, Frontier, Interval, Replications
from nephoscope.extras import need
from nephoscope.nearest import listing, nearest
from nephoscope.report.html.distribution import tail_of
from nephoscope.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["frontier", "intervals", "latency", "series"]

# Okabe and Ito's, the yellow left out: it is not seen on white.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
_DASHES = ("-", "--", ":", "-.")

# Inches: a column of most journals.
_SIZE = (3.5, 2.4)


def latency(
    shown: Result | Replications | Comparison,
    parts: str | Sequence[str] | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """The share of requests that took longer than a latency, both on logarithmic scales.

    A line for each of the parts (`"traffic.customers"`, `"fleets.web"`), by default all traffic; of
    a comparison a line for each alternative. Where a line passes 0.01 is the p99.
    """
    axes = _axes(ax)
    for i, (name, histogram) in enumerate(_histograms(shown, parts)):
        for tail in tail_of(name, histogram):
            x, y = zip(*tail.points, strict=True)
            axes.plot(x, y, label=name, **_style(i))
    axes.set(xscale="log", yscale="log", xlabel="latency (s)", ylabel="share of slower requests")
    return _finished(axes)


def series(
    result: Result, names: str | Sequence[str] | None = None, ax: "Axes | None" = None
) -> "Axes":
    """Series over simulated time, by default the requests in flight of each traffic.

    Names are those of `result.series_names`. The warm-up has a grey ground.
    """
    if names is None:
        listed = [
            it
            for it in result.series_names
            if it.startswith("traffic.") and it.endswith(".in_flight")
        ]
        if not listed:
            raise PathError("no series were kept: the scenario has `series: none`")
    else:
        listed = [names] if isinstance(names, str) else list(names)
    axes = _axes(ax)
    for i, name in enumerate(listed):
        ends, values = result.series(name)
        axes.plot(ends, values, label=name, **_style(i))
    if result.warmup_s > 0.0:
        axes.axvspan(0.0, result.warmup_s, color="0.9", zorder=0)
    axes.set(xlabel="simulated time (s)", ylim=(0.0, None))
    return _finished(axes)


def intervals(found: Comparison, metric: str, ax: "Axes | None" = None) -> "Axes":
    """The estimate of each alternative by a metric, with its interval; what is undefined is not.

    Each interval holds by itself: whether two alternatives differ is told by `differences`, which
    are of pairs.
    """
    if metric not in found.metrics:
        raise _unknown(metric, found.metrics, "metric of this comparison")
    axes = _axes(ax)
    rows = list(enumerate(found.labels))
    for i, label in rows:
        interval = found.estimate(metric, label)
        if interval is not None:
            axes.errorbar(
                [interval.value], [i], xerr=_reach(interval), fmt="o", capsize=3, **_colour(i)
            )
    axes.set(xlabel=metric, yticks=[i for i, _ in rows], yticklabels=[name for _, name in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    return axes


def frontier(found: Frontier, ax: "Axes | None" = None) -> "Axes":
    """The cells of a sweep in the plane of two metrics, with their intervals.

    Full dots are those that no other is shown to beat, with their labels; hollow ones are beaten.
    """
    axes = _axes(ax)
    for kept in (True, False):
        points = [
            (it.label, it.x, it.y)
            for it in found.points
            if it.x is not None and it.y is not None and (it in found.kept) is kept
        ]
        for label, x, y in points:
            axes.errorbar(
                [x.value],
                [y.value],
                xerr=_reach(x),
                yerr=_reach(y),
                fmt="o",
                capsize=2,
                markerfacecolor=None if kept else "white",
                **_colour(0 if kept else 6),
                alpha=1.0 if kept else 0.5,
            )
            if kept:
                place = (x.value, y.value)
                axes.annotate(label, place, xytext=(4, 4), textcoords="offset points", fontsize=7)
    axes.set(xlabel=found.x, ylabel=found.y)
    return axes


def _histograms(
    shown: Result | Replications | Comparison, parts: str | Sequence[str] | None
) -> Iterator[tuple[str, _core.Histogram]]:
    listed = [parts] if isinstance(parts, str) else parts
    if isinstance(shown, Comparison):
        first = next(iter(shown.runs.values()))
        names = _traffic(first.results[0]) if listed is None else list(listed)
        if len(names) != 1:
            raise PathError(f"a comparison is drawn by one part, such as {names[0]!r}")
        yield from ((label, runs.histogram(names[0])) for label, runs in shown.runs.items())
        return
    result = shown.results[0] if isinstance(shown, Replications) else shown
    for name in _traffic(result) if listed is None else listed:
        yield name, shown.histogram(name)


def _traffic(result: Result) -> list[str]:
    return [f"traffic.{name}" for name in result["traffic"]]


def _axes(ax: "Axes | None") -> "Axes":
    if ax is not None:
        return ax
    figure = need("matplotlib.figure", "plot").Figure(figsize=_SIZE, layout="constrained")
    axes: Axes = figure.subplots()
    return axes


def _finished(axes: "Axes") -> "Axes":
    axes.grid(visible=True, color="0.85", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.legend(frameon=False, fontsize=7)
    return axes


def _style(index: int) -> dict[str, Any]:
    return {**_colour(index), "linestyle": _DASHES[index % len(_DASHES)], "linewidth": 1.2}


def _colour(index: int) -> dict[str, Any]:
    return {"color": _COLOURS[index % len(_COLOURS)]}


def _reach(interval: Interval) -> list[list[float]] | None:
    """How far the interval goes to either side; None where it has no end."""
    if interval.low is None or interval.high is None:
        return None
    return [[interval.value - interval.low], [interval.high - interval.value]]


def _unknown(word: str, known: Iterable[str] | Mapping[str, Any], what: str) -> PathError:
    words = list(known)
    near = nearest(word, words)
    hint = f"; did you mean {near}?" if near else ""
    return PathError(f"{word!r} is no {what}{hint} (there: {listing(words)})")
