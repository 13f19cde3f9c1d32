"""The pictures on the time axis, which the script of the page zooms together."""

import json

from nephoscope.report.html import svg
from nephoscope.report.html.events import EVENTS_MAX, Event
from nephoscope.report.html.series import Panel, number
from nephoscope.report.html.words import time_text

_WIDTH, _HEIGHT = 760.0, 190.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 92.0, 12.0, 10.0, 30.0
_PLOT_WIDTH = _WIDTH - _LEFT - _RIGHT
_PLOT_HEIGHT = _HEIGHT - _TOP - _BOTTOM
_LANE_HEIGHT = 46.0

# The plane of the data, which is stretched over the plot: zooming is to look at a part of it.
_SPAN = 1000.0


def panel_picture(panel: Panel, found: list[Event], warmup_s: float, span_s: float) -> str:
    """One panel: the plane of the data, and the scales around it, which do not stretch."""

    def point(at_s: float, value: float) -> svg.Point:
        return at_s / span_s * _SPAN, _PLOT_HEIGHT * (1.0 - value / panel.high)

    data = [svg.element("rect", x=0, y=0, width=_SPAN, height=_PLOT_HEIGHT, class_="ground")]
    if warmup_s:
        data.append(_band(0.0, warmup_s / span_s, "warmup"))
    data += _event_lines(found, span_s)
    for i, line in enumerate(panel.lines):
        points = [
            point(float(at), float(value))
            for at, value in zip(panel.ends_s, line.values, strict=True)
        ]
        data.append(svg.polyline(points, i, vector_effect="non-scaling-stroke"))
    label = f"{panel.title} over time. {'; '.join(panel.peaks)}"
    grid = []
    for value in svg.ticks(panel.high):
        y = _TOP + _PLOT_HEIGHT * (1.0 - value / panel.high)
        grid.append(svg.line((_LEFT, y), (_WIDTH - _RIGHT, y), class_="grid"))
        grid.append(svg.text(number(value), _LEFT - 8, y + 5, class_="tick", text_anchor="end"))
    cursor = svg.line((0.0, _TOP), (0.0, _TOP + _PLOT_HEIGHT), class_="cursor")
    inside = (*grid, _plane(*data), time_scale(span_s, _TOP + _PLOT_HEIGHT), cursor)
    return svg.picture(_WIDTH, _HEIGHT, label, *inside, class_="panel")


def lane_picture(found: list[Event], span_s: float) -> str:
    """The marks of the events on an axis of their own."""
    marks = []
    for event in found[:EVENTS_MAX]:
        share = event.at_s / span_s
        inside = (
            svg.title(f"{time_text(event.at_s)}: {event.words}"),
            svg.element("circle", cx=0, cy=0, r=10),
            svg.text(event.mark, 0, 5, text_anchor="middle"),
        )
        x = _LEFT + share * _PLOT_WIDTH
        marks.append(
            svg.element(
                "g",
                *inside,
                class_=f"mark {event.kind}",
                data_at=f"{share:.6f}",
                transform=f"translate({x:.2f},22)",
            )
        )
    base = svg.line((_LEFT, 22.0), (_WIDTH - _RIGHT, 22.0), class_="grid")
    label = f"{len(found):,} events on the time axis; the table has them in words"
    return svg.picture(_WIDTH, _LANE_HEIGHT, label, base, *marks, class_="panel lane")


def time_scale(span_s: float, y: float) -> str:
    """The ticks of the whole axis; the script writes those of a part."""
    written = []
    for i in range(7):
        x = _LEFT + i / 6 * _PLOT_WIDTH
        anchor = "end" if i == 6 else "middle"
        odd = " odd" if i % 2 else ""
        at = time_text(span_s * i / 6)
        written.append(svg.text(at, x, y + 20, class_=f"tick{odd}", text_anchor=anchor))
    return svg.element("g", *written, class_="time")


def data_json(found: list[Panel], span_s: float) -> str:
    """What the script reads values from; no text in it can end the element that it stands in."""
    tree = {
        "span_s": span_s,
        "plot": {"left": _LEFT, "width": _PLOT_WIDTH, "plane": _SPAN, "height": _PLOT_HEIGHT},
        "ends_s": [float(f"{at:.9g}") for at in found[0].ends_s] if found else [],
        "panels": {
            panel.key: [
                [float(f"{value:.4g}") for value in line.values.tolist()] for line in panel.lines
            ]
            for panel in found
        },
    }
    return json.dumps(tree, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _plane(*inside: str) -> str:
    return svg.element(
        "svg",
        *inside,
        x=_LEFT,
        y=_TOP,
        width=_PLOT_WIDTH,
        height=_PLOT_HEIGHT,
        viewBox=f"0 0 {_SPAN:g} {_PLOT_HEIGHT:g}",
        preserveAspectRatio="none",
        class_="plane",
    )


def _event_lines(found: list[Event], span_s: float) -> list[str]:
    drawn = []
    for event in found[:EVENTS_MAX]:
        share = event.at_s / span_s
        if event.until_s is not None:
            drawn.append(_band(share, min(event.until_s / span_s, 1.0), "lasting"))
        x = share * _SPAN
        drawn.append(
            svg.line(
                (x, 0.0),
                (x, _PLOT_HEIGHT),
                class_=f"event {event.kind}",
                vector_effect="non-scaling-stroke",
            )
        )
    return drawn


def _band(start: float, end: float, kind: str) -> str:
    width = (end - start) * _SPAN
    return svg.element("rect", x=start * _SPAN, y=0, width=width, height=_PLOT_HEIGHT, class_=kind)
