"""Plain values of a file where they are of the type that is asked for, and else nothing."""

from typing import Any


def mapping(value: Any) -> dict[str, Any]:
    """The value where it is a mapping, else nothing."""
    return {k: v for k, v in value.items() if isinstance(k, str)} if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """The value where it is a list, else nothing."""
    return value if isinstance(value, list) else []
