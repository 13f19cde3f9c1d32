"""The parts by themselves, in batches, on arrays: for research, teaching and benchmarks.

Their options are in the words of the scenario language, their times in integer nanoseconds.

>>> from nephoscope import parts
>>> router = parts.Router("least_connections", targets=3)
>>> sorted(router.route([10, 11, 12]).tolist())
[0, 1, 2]
>>> parts.arrivals("constant", n=3, rate="4/s").tolist()
[250000000, 500000000, 750000000]
"""

from nephoscope._core import EventQueue, Histogram, Series
from nephoscope.parts.guests import Guests
from nephoscope.parts.hypervisor import SCHEDULERS, Hypervisor, share_out
from nephoscope.parts.router import NO_TARGET, Router
from nephoscope.parts.streams import arrivals, random_words, sample

__all__ = [
    "NO_TARGET",
    "SCHEDULERS",
    "EventQueue",
    "Guests",
    "Histogram",
    "Hypervisor",
    "Router",
    "Series",
    "arrivals",
    "random_words",
    "sample",
    "share_out",
]
