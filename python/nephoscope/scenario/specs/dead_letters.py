"""What the dead letters of a bus tell of their deliveries: attributes that filters may look at."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from nephoscope.scenario.language.bus import BusTarget

# As the core has them, in its order (messaging/given_up.hpp).
FAILURES = ("client_error", "server_error", "throttled", "rejected", "failed", "timed_out")
ENDS = ("for_good", "attempts", "age")
CAUSES = len(FAILURES) * len(ENDS)

RETRIES = "RETRY_ATTEMPTS"
ATTRIBUTES = ("RULE_ARN", "TARGET_ARN", "ERROR_CODE", "EXHAUSTED_RETRY_CONDITION", RETRIES)
_EXHAUSTED = {"attempts": "MaximumRetryAttempts", "age": "MaximumEventAgeInSeconds"}


def causes(target: BusTarget, asks: bool) -> Iterator[tuple[int, str, str]]:
    """The number, the failure and the end of all that may make a dead letter of a target's event.

    `asks`: the target is an endpoint that answers, and not what takes messages.
    """
    possible = {"rejected", "failed", "timed_out"} if asks else {"throttled"}
    possible |= {"client_error"} if target.client_errors else set()
    possible |= {"server_error"} if target.server_errors else set()
    for number, (failure, end) in enumerate(product(FAILURES, ENDS)):
        if failure in possible and (failure == "client_error") == (end == "for_good"):
            yield number, failure, end


def retries(target: BusTarget, end: str) -> range:
    """How often something may have been tried again when it ended so."""
    most = target.retry.attempts
    if end == "attempts":
        return range(most, most + 1)
    return range(most if end == "age" else most + 1)


def attributes(rule_arn: str, target: str, failure: str, end: str) -> dict[str, Any]:
    """Of a dead letter."""
    told = {"RULE_ARN": rule_arn, "TARGET_ARN": target, "ERROR_CODE": failure}
    return told | ({"EXHAUSTED_RETRY_CONDITION": _EXHAUSTED[end]} if end in _EXHAUSTED else {})
