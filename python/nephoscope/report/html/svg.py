"""Pieces of SVG as text: elements, scales and ticks. Everything that is written is escaped."""

import html
import math
from collections.abc import Callable, Iterable, Sequence

# Lines are told apart by colour and by dashes, so that neither is needed.
DASHES = ("", "9 4", "2 4", "12 4 2 4", "5 2", "16 5", "1 3", "7 3 2 3 2 3")
LINES_MAX = len(DASHES)

Point = tuple[float, float]

# From a value to a place.
Scale = Callable[[float], float]


def element(name: str, /, *inside: str, **attributes: object) -> str:
    """An element; `class_` is its class, and `stroke_width` becomes `stroke-width`.

    What is inside is markup already; plain text goes through `text` or `title`.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{''.join(inside)}</{name}>"


def text(words: str, x: float, y: float, **attributes: object) -> str:
    """A line of text."""
    return element("text", html.escape(words), x=x, y=y, **attributes)


def title(words: str) -> str:
    """What a pointer that rests on the element around it is told."""
    return element("title", html.escape(words))


def line(start: Point, end: Point, **attributes: object) -> str:
    """A straight line."""
    (x1, y1), (x2, y2) = start, end
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **attributes)


def polyline(points: Iterable[Point], index: int, **attributes: object) -> str:
    """The line of a chart, in the colour and with the dashes of its number."""
    path = " ".join(f"{_value(x)},{_value(y)}" for x, y in points)
    dashes = DASHES[index % LINES_MAX] or None
    return element(
        "polyline",
        points=path,
        class_=f"line c{index % LINES_MAX}",
        stroke_dasharray=dashes,
        **attributes,
    )


def picture(
    width: float, height: float, label: str, *inside: str, class_: str, least: float = 0.0
) -> str:
    """A whole picture with the words that stand for it, never narrower than `least` pixels."""
    view = f"0 0 {_value(width)} {_value(height)}"
    return element(
        "svg",
        *inside,
        viewBox=view,
        role="img",
        aria_label=label,
        class_=f"picture {class_}",
        style=f"min-width:{least:.0f}px" if least else None,
    )


def ticks(high: float, count: int = 4) -> list[float]:
    """Round values from 0 up to `high` or just below."""
    if high <= 0.0:
        return [0.0]
    rough = high / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough)
    return [i * step for i in range(int(high / step * (1 + 1e-9)) + 1)]


def decades(low: float, high: float) -> list[float]:
    """The powers of ten between two positive values, both ends included."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    return [10.0**power for power in range(first, last + 1)]


def thinned(values: Sequence[Point], most: int) -> list[Point]:
    """At most so many of the points, the first and the last among them."""
    if len(values) <= most:
        return list(values)
    step = (len(values) - 1) / (most - 1)
    return [values[round(i * step)] for i in range(most)]


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return html.escape(str(value))
