"""What a way to break the good scenario by hand is made of."""

from typing import Any

DELETE = object()

# (path to set, value, path of the problem where it is another, words the message must hold)
Case = tuple[str, Any, str | None, str]


def same(path: str, values: list[Any], words: str = "") -> list[Case]:
    """Values that are each wrong at the path itself."""
    return [(path, value, None, words) for value in values]
