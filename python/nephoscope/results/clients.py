"""What callers that try again tell beside the account of their requests."""

from collections.abc import Mapping
from typing import Any


def retry_tree(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Attempts beyond the first of measured requests, and those that were not made."""
    tree: dict[str, Any] = {"retries": int(numbers.get("retries", 0))}
    if "hedges" in numbers:
        tree |= {key: int(numbers[key]) for key in ("hedges", "out_of_budget")}
    if "users_left" in numbers:
        tree["users_left"] = int(numbers["users_left"])
    if "opened" in numbers:
        tree["circuit_breaker"] = {key: int(numbers[key]) for key in ("opened", "held_back")}
    return tree
