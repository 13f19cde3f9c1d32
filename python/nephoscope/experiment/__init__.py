"""Experiments: many runs of one scenario or of several, and what they say together.

interval, student     estimates, and how far off they may be
runs                  many runs, a thread each
replicate             one scenario, often
precision             as often as it takes
alternatives          a scenario under other values
metrics               the numbers that an experiment is about
compare               differences of alternatives
"""

from nephoscope.experiment.compare import Comparison, Difference, compare
from nephoscope.experiment.interval import Interval
from nephoscope.experiment.replicate import Replications, replicate

__all__ = [
    "Comparison",
    "Difference",
    "Interval",
    "Replications",
    "compare",
    "replicate",
]
