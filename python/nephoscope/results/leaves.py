"""The numbers of a tree of plain data by their paths, and what in it is undefined."""

from collections.abc import Container
from typing import Any


def numbers_in(tree: Any, path: str, leave_out: Container[str] = ()) -> dict[str, float]:
    """Every number below a path; whole branches can be left out by their keys."""
    found: dict[str, float] = {}

    def look(node: dict[str, Any], at: str) -> None:
        for key, value in node.items():
            if isinstance(value, dict):
                if key not in leave_out:
                    look(value, f"{at}.{key}")
            elif isinstance(value, int | float) and not isinstance(value, bool):
                found[f"{at}.{key}"] = value

    if isinstance(tree, dict):
        look(tree, path)
    return found


def undefined_in(tree: Any, path: str, leave_out: Container[str] = ()) -> list[str]:
    """The paths of whatever is None."""
    found: list[str] = []

    def look(node: dict[str, Any], at: str) -> None:
        for key, value in node.items():
            if key in leave_out:
                continue
            if isinstance(value, dict):
                look(value, f"{at}.{key}")
            elif value is None:
                found.append(f"{at}.{key}")

    if isinstance(tree, dict):
        look(tree, path)
    return found
