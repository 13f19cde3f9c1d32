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
from nephoscope.parts.buckets import CpuCredits, LaunchCreditLimit, TokenBucket
from nephoscope.parts.delivery import DeliveryPolicy
from nephoscope.parts.event_schedule import EventSchedule
from nephoscope.parts.guests import Guests
from nephoscope.parts.hypervisor import SCHEDULERS, Hypervisor, share_out
from nephoscope.parts.lifecycle import (
    ASSETS,
    NEVER,
    TRANSITIONS,
    Lifecycle,
    keeps,
    seconds_due,
)
from nephoscope.parts.patterns import EventPattern, EventRules, FilterPolicy, InputTransformer
from nephoscope.parts.placement import (
    NOWHERE,
    PLACE_POLICIES,
    REFUSALS,
    Launches,
    Placement,
)
from nephoscope.parts.provisioning import LaunchInterface, Provisioning, provision
from nephoscope.parts.queue import Queue
from nephoscope.parts.resilience import Backoff, CircuitBreaker, RetryBudget
from nephoscope.parts.ring_queue import RingQueue
from nephoscope.parts.router import NO_TARGET, Router
from nephoscope.parts.scaling import Forecast, ScalingGroup
from nephoscope.parts.shared_device import SharedDevice
from nephoscope.parts.streams import arrivals, random_words, sample

__all__ = [
    "ASSETS",
    "NEVER",
    "NOWHERE",
    "NO_TARGET",
    "PLACE_POLICIES",
    "REFUSALS",
    "SCHEDULERS",
    "TRANSITIONS",
    "Backoff",
    "CircuitBreaker",
    "CpuCredits",
    "DeliveryPolicy",
    "EventPattern",
    "EventQueue",
    "EventRules",
    "EventSchedule",
    "FilterPolicy",
    "Forecast",
    "Guests",
    "Histogram",
    "Hypervisor",
    "InputTransformer",
    "LaunchCreditLimit",
    "LaunchInterface",
    "Launches",
    "Lifecycle",
    "Placement",
    "Provisioning",
    "Queue",
    "RetryBudget",
    "RingQueue",
    "Router",
    "ScalingGroup",
    "Series",
    "SharedDevice",
    "TokenBucket",
    "arrivals",
    "keeps",
    "provision",
    "random_words",
    "sample",
    "seconds_due",
    "share_out",
]
