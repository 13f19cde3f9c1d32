"""What each replication had of a number, as a strip of dots above the interval of all."""

from collections.abc import Sequence
from typing import NamedTuple

from nephoscope.experiment import Interval
from nephoscope.report.comparison import estimate_text, figure
from nephoscope.report.html import svg

_WIDTH, _ROW = 760.0, 62.0
_LEFT, _RIGHT = 150.0, 560.0
_LABEL_LENGTH_MAX = 22
# Dots that would cover each other are stacked, so high at most.
_STACK_MAX, _DOT, _STEP = 5, 3.0, 5.0
# More dots than this are a band, and the page has to be opened.
DOTS_MAX = 300


class Strip(NamedTuple):
    """A number by its path: what the replications have of it, and the estimate."""

    label: str
    path: str
    values: Sequence[float]
    interval: Interval


def strip_picture(title: str, strips: Sequence[Strip]) -> str:
    """A row for each number, on a scale of its own; nothing where there is none."""
    if not strips:
        return ""
    drawn: list[str] = []
    for i, strip in enumerate(strips):
        drawn += _row(strip, i, i * _ROW + 36.0)
    told = "; ".join(_words(strip) for strip in strips)
    return svg.picture(_WIDTH, len(strips) * _ROW, f"{title}. {told}", *drawn, class_="chart")


def _row(strip: Strip, index: int, y: float) -> list[str]:
    label, interval = strip.label, strip.interval
    if len(label) > _LABEL_LENGTH_MAX:
        label = f"{label[: _LABEL_LENGTH_MAX - 1]}…"
    ends = [end for end in (interval.low, interval.value, interval.high) if end is not None]
    low, high = min([*strip.values, *ends]), max([*strip.values, *ends])

    def x_of(value: float) -> float:
        middle = (_LEFT + _RIGHT) / 2
        return middle if high == low else _LEFT + (value - low) / (high - low) * (_RIGHT - _LEFT)

    colour = f"line c{index % svg.LINES_MAX}"
    drawn = [
        svg.text(label, _LEFT - 16, y + 4, class_="label", text_anchor="end"),
        svg.text(estimate_text(strip.path, interval), _RIGHT + 16, y + 4, class_="label"),
        svg.line((_LEFT, y), (_RIGHT, y), class_="grid"),
        *_dots([x_of(value) for value in _thinned(strip.values)], y - 7.0, colour),
    ]
    if interval.low is not None and interval.high is not None:
        bar = [x_of(interval.low), x_of(interval.high)]
        drawn.append(svg.line((bar[0], y + 7), (bar[1], y + 7), class_=colour))
        drawn += [svg.line((x, y + 3), (x, y + 11), class_=colour) for x in bar]
    mark = {"x": x_of(interval.value) - 4, "y": y + 3, "width": 8, "height": 8}
    drawn.append(svg.element("rect", **mark, class_=f"dot {colour}"))
    if high > low:
        ticks = ((low, _LEFT, "start"), (high, _RIGHT, "end"))
        drawn += [
            svg.text(figure(strip.path, value), x, y + 24, class_="tick", text_anchor=anchor)
            for value, x, anchor in ticks
        ]
    return drawn


def _thinned(values: Sequence[float]) -> list[float]:
    """In order, with the least and the greatest; of too many, equally spaced in rank."""
    ranked = svg.thinned([(value, 0.0) for value in sorted(values)], DOTS_MAX)
    return [value for value, _ in ranked]


def _dots(places: Sequence[float], y: float, colour: str) -> list[str]:
    """From left to right; where one has no room it goes on top of the one before."""
    drawn = []
    first, stacked = float("-inf"), 0
    for x in places:
        if x - first < 2 * _DOT:
            stacked = min(stacked + 1, _STACK_MAX - 1)
        else:
            first, stacked = x, 0
        drawn.append(
            svg.element("circle", cx=x, cy=y - stacked * _STEP, r=_DOT, class_=f"dot {colour}")
        )
    return drawn


def _words(strip: Strip) -> str:
    low, high = (figure(strip.path, end) for end in (min(strip.values), max(strip.values)))
    estimate = estimate_text(strip.path, strip.interval)
    return f"{strip.label}: {len(strip.values)} replications from {low} to {high}, all {estimate}"
