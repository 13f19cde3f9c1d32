"""Experiments: many runs of one scenario or of several, and what they say together.

interval, student     estimates, and how far off they may be
runs                  many runs, a thread each
replicate             one scenario, often
precision             as often as it takes
alternatives          a scenario under other values
metrics               the numbers that an experiment is about
outcome               what is kept of a run
compare               differences of alternatives
sweep                 every combination of values
frontier              the cells of a sweep that no other beats
executors             who makes the runs, by name
labour, journal       the runs of a sweep, and those there are
design                points for a sweep, at random or spread out
size                  the least value for which a condition holds
condition             conditions on results
scale, search         the values there are, and the least of them in few trials
"""

from nephoscope.experiment.compare import Comparison, Difference, compare
from nephoscope.experiment.design import design
from nephoscope.experiment.frontier import Frontier, Point, frontier
from nephoscope.experiment.interval import Interval
from nephoscope.experiment.replicate import Replications, replicate
from nephoscope.experiment.size import Sizing, Trial, size
from nephoscope.experiment.sweep import Cell, Sweep, sweep

__all__ = [
    "Cell",
    "Comparison",
    "Difference",
    "Frontier",
    "Interval",
    "Point",
    "Replications",
    "Sizing",
    "Sweep",
    "Trial",
    "compare",
    "design",
    "frontier",
    "replicate",
    "size",
    "sweep",
]
