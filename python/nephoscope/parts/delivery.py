"""The retry policies of topics, alone. Times are integer nanoseconds."""

from typing import Any

import numpy as np
import numpy.typing as npt

from nephoscope.scenario.language.topic import DeliveryRetry
from nephoscope.scenario.specs.topic import managed_rules
from nephoscope.scenario.steering import read_part


class DeliveryPolicy:
    """When a topic delivers a message again that its endpoint did not take.

    >>> from nephoscope import parts
    >>> (parts.DeliveryPolicy().waits() / 1e9).tolist()
    [20.0, 20.0, 20.0]
    >>> policy = {"retries": 4, "min_delay": "1s", "max_delay": "8s", "backoff": "exponential"}
    >>> (parts.DeliveryPolicy(policy).waits() / 1e9).tolist()
    [1.0, 2.0, 4.0, 8.0]
    """

    def __init__(self, retry: Any = None) -> None:
        """Of an endpoint of HTTP, in the words of a subscription's `retry`."""
        model: DeliveryRetry = read_part("retry", DeliveryRetry, {} if retry is None else retry)
        self._rules = model.rules()

    @classmethod
    def managed(cls) -> "DeliveryPolicy":
        """That of endpoints which the provider runs, such as queues."""
        policy = cls()
        policy._rules = managed_rules()
        return policy

    def waits(self) -> npt.NDArray[np.int64]:
        """The wait before each retry, without jitter."""
        return self._rules.waits()
