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
        _breakdown(name, part["breakdown"])
        for name, part in tree["traffic"].items()
        if "mean" in part.get("breakdown", {})
    ]


def _breakdown(name: str, tree: Mapping[str, Any]) -> Breakdown:
    told = {QUANTILE_NAMES[key]: tree[key] for key in QUANTILE_NAMES if key in tree}
    spent = {key: dict(parts_of(part)) for key, part in told.items()}
    order = sorted(
        {part for parts in spent.values() for part in parts},
        key=lambda part: (
            -max(spent[key].get(part, 0.0) / max(told[key]["latency_s"], 1e-12) for key in told)
        ),
    )
    names = [part_words(part) for part in order[:_PARTS_MAX]]
    names += [_REST] if len(order) > _PARTS_MAX else []
    names = [f"{letter}: {it}" for letter, it in zip(LETTERS, names, strict=False)]
    followed = f"{count(tree['requests'])} requests were followed"
    if tree["share"] < 1.0:
        followed += f", a random 1 in {count(1.0 / tree['share'])}"
    return Breakdown(
        name, _picture(name, told, spent, order), names, _table(name, told, spent, order), followed
    )


def _picture(
    name: str,
    told: Mapping[str, Any],
    spent: Mapping[str, Mapping[Part, float]],
    order: list[Part],
) -> str:
    """Every bar is as wide as the others: it shows shares; the latency is beside it."""
    wide = _WIDTH - _LEFT - _RIGHT
    drawn = []
    for row, (key, part) in enumerate(told.items()):
        top = row * _ROW + (_ROW - _BAR) / 2
        latency = max(part["latency_s"], 1e-12)
        drawn.append(svg.text(key, _LEFT - 8, top + 16, class_="tick", text_anchor="end"))
        shares = [spent[key].get(it, 0.0) / latency for it in order]
        shares = [*shares[:_PARTS_MAX], sum(shares[_PARTS_MAX:])]
        left = _LEFT
        for number, share in enumerate(shares):
            width = share * wide
            if width < 0.5:
                continue
            words = part_words(order[number]) if number < _PARTS_MAX else _REST
            box = svg.element(
                "rect",
                svg.title(f"{key}: {words}, {seconds(share * latency)}, {share:.1%}"),
                x=left,
                y=top,
                width=width,
                height=_BAR,
                class_=f"piece p{number}",
            )
            drawn.append(box)
            label = f"{LETTERS[number]} {share:.0%}"
            if width > _LETTER * len(label):
                middle = left + width / 2
                drawn.append(
                    svg.text(
                        label, middle, top + 16, class_=f"inside p{number}", text_anchor="middle"
                    )
                )
            left += width
        drawn.append(svg.text(seconds(latency), _WIDTH - _RIGHT + 8, top + 16, class_="tick"))
    label = f"What the latencies of {name} are made of, as shares; the table has the numbers"
    return svg.picture(_WIDTH, _ROW * len(told), label, *drawn, class_="chart")


def _table(
    name: str,
    told: Mapping[str, Any],
    spent: Mapping[str, Mapping[Part, float]],
    order: list[Part],
) -> Table:
    rows = [
        (
            part_words(part),
            *(_cell(spent[key].get(part, 0.0), told[key]["latency_s"]) for key in told),
        )
        for part in order
    ]
    rows.append(("together", *(seconds(it["latency_s"]) for it in told.values())))
    return Table(f"What the latency of {name} is made of", ("part", *told), rows)


def _cell(spent: float, latency: float) -> str:
    return f"{seconds(spent)} ({spent / latency:.1%})" if spent and latency else "-"
