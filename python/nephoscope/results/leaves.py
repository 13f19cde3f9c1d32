"""The numbers of a tree of plain data by their paths, and what in it is undefined."""

from typing import Any

_NUMBER = (int, float)


def numbers_in(tree: Any, path: str) -> dict[str, float]:
    """Every number below a path."""
    found: dict[str, float] = {}

    def look(node: dict[str, Any], at: str) -> None:
        for key, value in node.items():
            if isinstance(value, _NUMBER):
                if not isinstance(value, bool):
                    found[f"{at}.{key}"] = value
            elif isinstance(value, dict):
                look(value, f"{at}.{key}")

    if isinstance(tree, dict):
        look(tree, path)
    return found


def undefined_in(tree: dict[str, Any]) -> list[str]:
    """The paths of whatever is None."""
    found: list[str] = []

    def look(node: dict[str, Any], at: str) -> None:
        for key, value in node.items():
            if value is None:
                found.append(f"{at}{key}")
            elif isinstance(value, dict):
                look(value, f"{at}{key}.")

    look(tree, "")
    return found
