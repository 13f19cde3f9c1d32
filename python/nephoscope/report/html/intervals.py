"""The estimates of several alternatives, each with its interval, above each other on one scale."""

from collections.abc import Sequence
from typing import NamedTuple

from nephoscope.experiment import Interval
from nephoscope.report.comparison import figure
from nephoscope.report.html import svg

_WIDTH, _ROW = 760.0, 34.0
_LEFT, _RIGHT, _BOTTOM = 250.0, 24.0, 30.0
_LABEL_LENGTH_MAX = 32


class Estimate(NamedTuple):
    """What an alternative has of a metric, if it is defined there."""

    label: str
    interval: Interval | None


def interval_picture(metric: str, estimates: Sequence[Estimate]) -> str:
    """A dot for each estimate and a bar for its interval; nothing where none is defined."""
    known = [it.interval for it in estimates if it.interval is not None]
    if not known:
        return ""
    low, high = _span(known)
    bottom = len(estimates) * _ROW + 8

    def x_of(value: float) -> float:
        return _LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    drawn = []
    for i in range(4):
        value = low + (high - low) * i / 3
        anchor = "end" if i == 3 else "middle"
        words = figure(metric, value)
        drawn.append(svg.line((x_of(value), 0.0), (x_of(value), bottom), class_="grid"))
        drawn.append(svg.text(words, x_of(value), bottom + 20, class_="tick", text_anchor=anchor))
    for i, estimate in enumerate(estimates):
        drawn += _row(estimate, i, i * _ROW + _ROW / 2 + 4, x_of)
    told = "; ".join(f"{it.label}: {_words(metric, it.interval)}" for it in estimates)
    return svg.picture(_WIDTH, bottom + _BOTTOM, f"{metric}. {told}", *drawn, class_="chart")


def _span(known: Sequence[Interval]) -> svg.Point:
    """From the least to the greatest end, with some room."""
    ends = [end for it in known for end in (it.low, it.value, it.high) if end is not None]
    low, high = min(ends), max(ends)
    room = 0.06 * (high - low) or abs(high) * 0.1 or 1.0
    return (0.0 if low >= 0.0 > low - room else low - room), high + room


def _row(estimate: Estimate, index: int, y: float, x_of: svg.Scale) -> list[str]:
    label = estimate.label
    if len(label) > _LABEL_LENGTH_MAX:
        label = f"{label[: _LABEL_LENGTH_MAX - 1]}…"
    drawn = [svg.text(label, _LEFT - 12, y + 5, class_="label", text_anchor="end")]
    interval = estimate.interval
    if interval is None:
        return [*drawn, svg.text("undefined", _LEFT, y + 5, class_="tick")]
    colour = f"line c{index % svg.LINES_MAX}"
    if interval.low is not None and interval.high is not None:
        ends = [x_of(interval.low), x_of(interval.high)]
        drawn.append(svg.line((ends[0], y), (ends[1], y), class_=colour))
        drawn += [svg.line((x, y - 7), (x, y + 7), class_=colour) for x in ends]
    drawn.append(svg.element("circle", cx=x_of(interval.value), cy=y, r=5, class_=f"dot {colour}"))
    return drawn


def _words(metric: str, interval: Interval | None) -> str:
    if interval is None:
        return "undefined"
    words = figure(metric, interval.value)
    if interval.low is None or interval.high is None:
        return words
    return f"{words}, {figure(metric, interval.low)} to {figure(metric, interval.high)}"
