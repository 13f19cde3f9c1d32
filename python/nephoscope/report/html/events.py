"""What happened at known instants: faults, actions, refreshes, and fleets that grew or shrank."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from nephoscope.report.description import action_words, fault_words
from nephoscope.report.html.tables import Table
from nephoscope.report.html.words import time_text
from nephoscope.results import Result
from nephoscope.scenario import Scenario

# More marks than this on one axis are a smear.
EVENTS_MAX = 80

# By kind: the letter of its mark, and its words. Letters, for not everybody sees colours.
KINDS = {
    "fault": ("F", "fault"),
    "action": ("A", "action of an operator"),
    "refresh": ("R", "instance refresh"),
    "scaling": ("S", "instances more or fewer"),
}


class Event(NamedTuple):
    """When it began, when it ended if that is known, what kind it is of, and what it was."""

    at_s: float
    until_s: float | None
    kind: str
    words: str

    @property
    def mark(self) -> str:
        """The letter on the axis."""
        return KINDS[self.kind][0]


def events(result: Result, scenario: Scenario | None) -> list[Event]:
    """All of them in order of time; faults at random have no instants and are only counted."""
    told = [] if scenario is None else [*_faults(scenario), *_actions(scenario)]
    found = [*told, *_refreshes(result), *_scaling(result)]
    return sorted(it for it in found if it.at_s < result.simulated_s)


def event_table(found: list[Event]) -> Table:
    """The same in words."""
    rows = [(time_text(it.at_s), _until(it), KINDS[it.kind][1], it.words) for it in found]
    return Table("Events", ("at", "until", "kind", "what"), rows)


def _until(event: Event) -> str:
    return "" if event.until_s is None else time_text(event.until_s)


def _faults(scenario: Scenario) -> Iterator[Event]:
    for fault in scenario.faults:
        if fault.at is not None:
            lasting = None if fault.lasting is None else fault.lasting.constant
            at_s = int(fault.at) / 1e9
            until_s = None if lasting is None else at_s + int(lasting) / 1e9
            yield Event(at_s, until_s, "fault", fault_words(fault))


def _actions(scenario: Scenario) -> Iterator[Event]:
    for action in scenario.actions:
        yield Event(int(action.at) / 1e9, None, "action", action_words(action))


def _refreshes(result: Result) -> Iterator[Event]:
    for name, fleet in result["fleets"].items():
        refresh = fleet.get("refresh", {})
        if refresh.get("started_s") is not None:
            rollback = refresh.get("rollback", {})
            until_s = rollback.get("started_s", refresh["finished_s"])
            words = f"{name}: {refresh['replaced']:,} of {refresh['instances']:,} replaced"
            yield Event(refresh["started_s"], until_s, "refresh", words)
            if rollback:
                words = f"{name}: {rollback['replaced']:,} of {rollback['instances']:,} rolled back"
                yield Event(rollback["started_s"], refresh["finished_s"], "refresh", words)


def _scaling(result: Result) -> Iterator[Event]:
    """By the series, to the interval: fleets whose instances at its end are others in number."""
    for name in result.series_names:
        if not (name.startswith("fleets.") and name.endswith(".instances")):
            continue
        ends, values = result.series(name)
        fleet = name.removeprefix("fleets.").removesuffix(".instances")
        for i in np.flatnonzero(np.diff(values)) + 1:
            words = f"{fleet}: {values[i - 1]:,} to {values[i]:,} instances"
            yield Event(float(ends[i]), None, "scaling", words)
