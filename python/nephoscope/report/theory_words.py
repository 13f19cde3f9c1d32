"""What theory says of a scenario, in words, and beside what a run has seen."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from nephoscope.report.cautions import cautions
from nephoscope.report.terminal import count, rate_text, seconds, share
from nephoscope.scenario import Scenario
from nephoscope.theory import Answer, Explanation, Figure, Load, QueueLoad, explain

Tree = Mapping[str, Any]

# A summary has no more lines of theory than this.
LINES_MAX = 20


def load_words(explanation: Explanation) -> Iterator[str]:
    """A line for each fleet: what comes, what it takes, how busy that keeps it."""
    for load in explanation.loads:
        yield f"{load.fleet}: {_load(load)}"


def queue_load_words(explanation: Explanation) -> Iterator[str]:
    """A line for each queue."""
    for queue in explanation.queues:
        yield f"{queue.queue}: {_queue(queue)}"


def answer_words(explanation: Explanation) -> Iterator[str]:
    """For each fleet a model with its figures, or why there is none."""
    for answer in explanation.answers:
        name = answer.part.partition(".")[2]
        if answer.model is None:
            yield f"{name}: no formula, for {'; '.join(answer.reasons)}"
            continue
        figures = ", ".join(f"{it.name} {figure_words(it)}" for it in answer.figures)
        yield f"{name}: {answer.model} ({answer.source}): {figures}"
        yield from (f"{name}: but {note}" for note in answer.notes)


@dataclass(frozen=True)
class Beside:
    """A figure of theory and what a run has seen of it."""

    part: str
    model: str
    figure: Figure
    seen: float | None

    @property
    def words(self) -> tuple[str, str]:
        """Both in the unit of the figure."""
        return figure_words(self.figure), "-" if self.seen is None else _value(
            self.figure, self.seen
        )


def theory_text(scenario: Scenario, tree: Tree) -> Text:
    """Theory beside what a run, or the replications of one, have seen; empty where it is mute."""
    explanation = explain(scenario)
    text = Text()
    for line in first_of(summary_words(explanation, tree), LINES_MAX):
        text.append(f"  {line}\n")
    for line in first_of(cautions(scenario, explanation), LINES_MAX):
        text.append(f"  ! {line}\n", style="yellow")
    text.rstrip()
    return text


def first_of(lines: Iterable[str], most: int) -> list[str]:
    """The first of many lines, and how many more there are."""
    told = list(lines)
    rest = len(told) - most
    return told if rest <= 0 else [*told[:most], f"and {rest:,} more, see nephoscope explain"]


def beside(explanation: Explanation, tree: Tree) -> list[Beside]:
    """Every figure that theory has, with that of the results."""
    return [
        Beside(answer.part.partition(".")[2], answer.model, figure, _seen(figure, tree))
        for answer in explanation.answers
        if answer.model is not None
        for figure in answer.figures
    ]


def summary_words(explanation: Explanation, tree: Tree) -> Iterator[str]:
    """A line of the summary of a run for each part that theory knows."""
    found = beside(explanation, tree)
    for answer in explanation.answers:
        name = answer.part.partition(".")[2]
        # Quantiles are for reports: a summary is read in ten seconds.
        told = [
            f"{it.figure.name} {theory} (seen {seen})"
            for it in found
            if it.part == name and not it.figure.name.startswith("p")
            for theory, seen in [it.words]
        ]
        if told:
            yield f"theory of {name}, {answer.model}: {', '.join(told)}"


def figure_words(figure: Figure) -> str:
    """A value or its bounds, and what kind of truth it is."""
    if math.isinf(figure.low):
        return "without end"
    if math.isinf(figure.high):
        return f"at least {_value(figure, figure.low)}"
    low, high = _value(figure, figure.low), _value(figure, figure.high)
    if figure.kind == "bounds":
        return f"between {low} and {high}"
    return {"limit": f"{low} in the limit", "approximation": f"about {low}"}.get(figure.kind, low)


def _value(figure: Figure, value: float) -> str:
    if figure.unit == "s":
        return seconds(value) if value else "0 s"
    return share(value) if figure.unit == "share" else f"{rate_text(value)}/s"


def _seen(figure: Figure, tree: Tree) -> float | None:
    value = _at(tree, figure.path)
    if figure.over is None or value is None:
        return value
    whole = _at(tree, figure.over)
    return value / whole if whole else None


def _at(tree: Tree, path: str) -> float | None:
    part: Any = tree
    for key in path.split("."):
        if not isinstance(part, Mapping) or key not in part:
            return None
        part = part[key]
    return float(part) if isinstance(part, int | float) else None


def _load(load: Load) -> str:
    most = "at most " if load.at_most else ""
    total = load.instances + load.spare
    if not load.rate or not total:
        return "nothing comes to it"
    vcpus = f"{load.vcpus} vCPU{'s' if load.vcpus > 1 else ''}"
    where = f"{count(load.instances)} x {vcpus}"
    if load.spare:
        where = f"the first of {count(total)} instances ({vcpus})"
    words = f"{most}{rate_text(load.rate)}/s of {seconds(load.work) if load.work else 'no work'}"
    words += f" on {where}, busy {most}{share(load.utilization)}"
    if load.peak > load.rate * 1.001:
        words += f" ({share(load.peak_utilization)} at its peak)"
    if load.workers is not None:
        words += f", workers held {most or 'at least '}{share(load.workers)}"
    if load.overloaded:
        words += ": it may not keep up" if load.at_most else ": it cannot keep up"
    elif load.work and not load.at_most:
        words += f", full at {rate_text(load.rate / load.utilization)}/s"
    if load.assumed:
        words += "; if all targets get alike"
    return "; ".join([words, *load.notes])


def _queue(queue: QueueLoad) -> str:
    most = "at most " if queue.at_most else ""
    if not queue.sent:
        return "no messages"
    words = f"{most}{rate_text(queue.sent)}/s sent"
    if queue.capacity is None:
        return f"{words}, and nobody consumes it"
    words += f", {rate_text(queue.received)}/s received, of {_capacity(queue.capacity)} at most"
    if queue.overloaded:
        words += ": it may grow without end" if queue.at_most else ": it grows without end"
    return "; ".join([words, *queue.notes])


def _capacity(capacity: float) -> str:
    return "any number" if math.isinf(capacity) else f"{rate_text(capacity)}/s"


def overall(answers: tuple[Answer, ...]) -> str:
    """How much of a scenario theory knows."""
    known = sum(1 for answer in answers if answer.model is not None)
    return f"theory has an answer for {known} of {len(answers)} fleets"
