"""Setting values of a scenario by their path: `load_balancers.front-door.routing`."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nephoscope.errors import Problem, ScenarioError, shorten
from nephoscope.nearest import listing, nearest
from nephoscope.scenario.files.document import Document, Where, dotted, from_values
from nephoscope.scenario.language.model import Model
from nephoscope.scenario.language.structure import model_at, part_at


def overridden(document: Document, values: Mapping[str, Any]) -> Document:
    """The document with these values at these paths; every unknown path is one problem."""
    tree = copy.deepcopy(document.tree)
    problems: list[Problem] = []
    changed: list[Where] = []
    for path, value in values.items():
        try:
            changed.append(_set(tree, path, from_values({"value": value}).tree.get("value")))
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems, document.source)
    return replace(document, tree=tree, replaced=(*document.replaced, *changed))


def _set(tree: dict[str, Any], path: Any, value: Any) -> Where:
    """Set one value, or remove its key if it is None; returns the path in parts."""
    if not isinstance(path, str) or not path:
        raise _unknown(str(path), f"{shorten(path)} is not a path", [])
    parts = path.split(".")
    where: Where = ()
    node: Any = tree
    for part in parts[:-1]:
        key = _existing(node, where, part, path, last=False)
        where = (*where, key)
        if isinstance(node, dict) and key not in node:
            child: Any = {}
            if value is None:  # of what is not there nothing is removed
                node = child
                continue
            node[key] = child
        node[key] = _full_form(node[key], where)
        node = node[key]
    key = _existing(node, where, parts[-1], path, last=True)
    if value is None and isinstance(node, dict):
        node.pop(key, None)
    else:
        node[key] = value
    return (*where, key)


def _existing(node: Any, where: Where, part: str, path: str, *, last: bool) -> Any:
    """The key or index that `part` means in `node`; raises ScenarioError where there is none."""
    if isinstance(node, list):
        if part.isdecimal() and len(part) < 10 and int(part) < len(node):
            return int(part)
        raise _unknown(path, f"no element {part} in {dotted(where)}", map(str, range(len(node))))
    if not isinstance(node, dict):
        raise _unknown(path, f"{dotted(where)} is {shorten(node)} and has no parts", [])
    if part in node:
        return part
    model = model_at(where)
    fields = list(model.keys()) if model is not None else []
    inside = part_at((*where, part))
    # A key that the language has but the file leaves at its default can be set; so can what lies
    # in it, if it is a mapping of known keys.
    if model is not None and (
        part in (*fields, *model.later) if last else isinstance(inside, type) and
        issubclass(inside, Model)
    ):  # fmt: skip
        return part
    known = list(dict.fromkeys([*map(str, node), *fields]))
    raise _unknown(
        path, f"no {shorten(part)} in {dotted(where) or 'a scenario'}", known, where, part
    )


def _full_form(value: Any, where: Where) -> Any:
    """A short form written out, so that its parts can be set: `clients: 100` has a `count`."""
    model = model_at(where)
    if model is None or isinstance(value, dict):
        return value
    try:
        return model.expand(value)
    except ValueError:
        return value


def _unknown(
    path: str, message: str, known: Any, where: Where = (), part: str = ""
) -> ScenarioError:
    words = list(known)
    word = nearest(part, words)
    suggestion = dotted((*where, word)) + path[len(dotted((*where, part))) :] if word else None
    allowed = listing(words) or None
    return ScenarioError(
        [Problem(path, f"unknown path: {message}", allowed=allowed, suggestion=suggestion)]
    )
