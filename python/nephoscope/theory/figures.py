"""The figures of a model by their places in the results, and what a run is too short for."""

from collections.abc import Iterator

from nephoscope.scenario import Scenario
from nephoscope.theory.answer import Figure, Fit
from nephoscope.theory.moments import NS

# A warm-up, and a measured time, of so many relaxation times leave little of start and chance.
_SETTLED, _LONG = 4.0, 100.0


def latencies(path: str, fit: Fit, words: str = "latency") -> Iterator[Figure]:
    """The mean, and the quantiles where there are any."""
    yield Figure(f"mean {words}", f"{path}.mean", *fit.mean, kind=fit.kind)
    for key, value in fit.quantiles:
        yield Figure(f"{key} {words}", f"{path}.{key}", value, value, kind=fit.kind)


def run_notes(scenario: Scenario, fit: Fit, stations: int) -> Iterator[str]:
    """What the run is too short for: theory speaks of the steady state."""
    relaxation = fit.relaxation
    if scenario.warmup == "auto":
        return
    warmup = float(scenario.warmup) / NS
    measured = float(scenario.duration) / NS - warmup
    times = f"relaxation times of {relaxation:,.{0 if relaxation >= 100.0 else 2}f} s"
    if warmup < _SETTLED * relaxation:
        yield f"the warm-up is shorter than {_SETTLED:g} {times}: the empty start weighs"
    if measured * stations < _LONG * relaxation:
        yield f"what is measured is shorter than {_LONG:g} {times}: chance weighs"
    least = min(fit.mean)
    if measured < _LONG * least < float("inf"):
        yield (
            f"what is measured is shorter than {_LONG:g} mean latencies: those who are unfinished "
            "at the end are missed"
        )
