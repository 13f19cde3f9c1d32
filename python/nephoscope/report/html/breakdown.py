"""What latencies are made of: a bar for the mean and for each quantile, and the numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nephoscope.report.breakdown_words import QUANTILE_NAMES, part_words
from nephoscope.report.html import svg
from nephoscope.report.html.tables import Table
from nephoscope.report.terminal import count, seconds
from nephoscope.results.breakdown import Part, parts_of

_WIDTH, _ROW, _BAR = 760.0, 34.0, 22.0
_LEFT, _RIGHT = 64.0, 84.0
_LETTER = 9.0  # about as wide as one is
# More would not be told apart; what is left is one bar.
_PARTS_MAX = 7
_REST = "all else"
_VISIBLE = 0.5  # px
_INSTANT = 1e-12  # s: no latency is shorter, but for 0
# Of the pieces: they are told apart by these as well as by colour.
LETTERS = "abcdefgh"


@dataclass(frozen=True)
class Breakdown:
    """Of one traffic: a picture, the names of its patterns in order, and the table."""

    name: str
    picture: str
    names: list[str]
    table: Table
    note: str


def breakdowns(tree: Mapping[str, Any]) -> list[Breakdown]:
    """Those of all traffic whose requests were followed."""
    return [
        _breakdown(_Parts(name, part["breakdown"]))
        for name, part in tree["traffic"].items()
        if "mean" in part.get("breakdown", {})
    ]


class _Parts:
    """What of a traffic is shown: the mean and the quantiles, and the parts in order of weight."""

    def __init__(self, name: str, tree: Mapping[str, Any]) -> None:
        self.name = name
        self.requests, self.share = int(tree["requests"]), float(tree["share"])
        told = {words: tree[key] for key, words in QUANTILE_NAMES.items() if key in tree}
        self.latency = {key: float(it["latency_s"]) for key, it in told.items()}
        self._spent = {key: dict(parts_of(it)) for key, it in told.items()}
        found = {part for spent in self._spent.values() for part in spent}
        self.order = sorted(found, key=lambda part: -max(self.share_of(k, part) for k in told))

    def spent(self, key: str, part: Part) -> float:
        """Seconds of a mean or a quantile that went to a part."""
        return self._spent[key].get(part, 0.0)

    def share_of(self, key: str, part: Part) -> float:
        """The same as a share of the whole."""
        return self.spent(key, part) / max(self.latency[key], _INSTANT)


def _breakdown(parts: _Parts) -> Breakdown:
    names = [part_words(part) for part in parts.order[:_PARTS_MAX]]
    names += [_REST] if len(parts.order) > _PARTS_MAX else []
    lettered = [f"{letter}: {it}" for letter, it in zip(LETTERS, names, strict=False)]
    followed = f"{count(parts.requests)} requests were followed"
    if parts.share < 1.0:
        followed += f", a random 1 in {count(1.0 / parts.share)}"
    return Breakdown(parts.name, _picture(parts, names), lettered, _table(parts), followed)


def _picture(parts: _Parts, names: list[str]) -> str:
    """Every bar is as wide as the others: it shows shares; the latency is beside it."""
    drawn = []
    for row, (key, latency) in enumerate(parts.latency.items()):
        top = row * _ROW + (_ROW - _BAR) / 2
        shares = [parts.share_of(key, it) for it in parts.order]
        shares = [*shares[:_PARTS_MAX], sum(shares[_PARTS_MAX:])]
        drawn.append(svg.text(key, _LEFT - 8, top + 16, class_="tick", text_anchor="end"))
        left = _LEFT
        for number, share in enumerate(shares):
            width = share * (_WIDTH - _LEFT - _RIGHT)
            if width >= _VISIBLE:
                words = f"{key}: {names[number]}, {seconds(share * latency)}, {share:.1%}"
                drawn += _piece(number, words, (left, top), width, f"{share:.0%}")
            left += width
        drawn.append(svg.text(seconds(latency), _WIDTH - _RIGHT + 8, top + 16, class_="tick"))
    label = f"What the latencies of {parts.name} are made of, as shares; the table has the numbers"
    return svg.picture(_WIDTH, _ROW * len(parts.latency), label, *drawn, class_="chart")


def _piece(number: int, words: str, at: svg.Point, width: float, share: str) -> list[str]:
    """A part of a bar, with its letter and its share where there is room."""
    left, top = at
    kind = f"piece p{number}"
    box = svg.element(
        "rect", svg.title(words), x=left, y=top, width=width, height=_BAR, class_=kind
    )
    label = f"{LETTERS[number]} {share}"
    if width <= _LETTER * len(label):
        return [box]
    middle = left + width / 2
    return [box, svg.text(label, middle, top + 16, class_="inside", text_anchor="middle")]


def _table(parts: _Parts) -> Table:
    rows = [
        (part_words(part), *(_cell(parts, key, part) for key in parts.latency))
        for part in parts.order
    ]
    rows.append(("together", *(seconds(it) for it in parts.latency.values())))
    caption = f"What the latency of {parts.name} is made of"
    return Table(caption, ("part", *parts.latency), rows)


def _cell(parts: _Parts, key: str, part: Part) -> str:
    spent = parts.spent(key, part)
    return f"{seconds(spent)} ({parts.share_of(key, part):.1%})" if spent else "-"
