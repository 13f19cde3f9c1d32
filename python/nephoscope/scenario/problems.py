"""Pydantic's errors as problems of a scenario file."""

import re
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from nephoscope.errors import Problem, shorten
from nephoscope.nearest import listing, nearest
from nephoscope.scenario.files.document import Document, Where
from nephoscope.scenario.language.fields import REFUSED
from nephoscope.scenario.language.model import OneOf
from nephoscope.scenario.language.structure import ScenarioModel, model_at

NOT_BUILT = "not built yet in this version of nephoscope"

# Parts of pydantic's paths that the file does not have.
_KEY = "[key]"


def problems_of(error: ValidationError, document: Document, at_most: int) -> list[Problem]:
    """One problem for each mistake that pydantic found."""
    mistakes = error.errors(include_url=False)[:at_most]
    return [_problem(details, document) for details in mistakes]


def _problem(details: ErrorDetails, document: Document) -> Problem:
    at_key = _KEY in details["loc"]
    full: Where = tuple(part for part in details["loc"] if not _is_tag(part))
    where = _written(full, document.tree)
    # A short form has its long one checked: `arrivals: mmpp` misses `rates`, which has no place.
    inner = "".join(f"{part}: " for part in full[len(where) :] if isinstance(part, str))
    if details["type"] == "extra_forbidden":
        return _unknown_key(full, document)
    message, allowed, suggestion = _words(details, full)
    if details["type"] == "missing":
        inner = f"{full[-2]}: " if len(where) + 1 == len(full) and len(full) > 1 else ""
        message = f"{inner}{full[-1]} is missing" if len(where) < len(full) else "missing"
    elif details["type"] == REFUSED:
        inner = ""
    return document.problem(
        where,
        f"{inner}{message}" if details["type"] != "missing" else message,
        value=details["input"],
        allowed=allowed,
        suggestion=suggestion,
        at_key=at_key,
    )


def _is_tag(part: int | str) -> bool:
    return isinstance(part, str) and part.startswith("[")


def _words(details: ErrorDetails, where: Where) -> tuple[str, str | None, str | None]:
    """Message, what is allowed and the nearest word."""
    context: dict[str, Any] = details.get("ctx", {})
    value = shorten(details["input"])
    match details["type"]:
        case kind if kind == REFUSED:
            return context["message"], context["allowed"], context["suggestion"]
        case "missing":
            return "missing", _description(where), None
        case "literal_error":
            words = re.findall(r"'([^']*)'", str(context["expected"]))
            return f"{value} is not known", listing(words), nearest(details["input"], words)
        case "model_type" | "dict_type" | "model_attributes_type":
            model = model_at(where)
            keys = f" of {listing(model.keys(), 30)}" if model else " of names"
            return f"{value} is not a mapping", f"a mapping{keys}", None
        case "tuple_type":
            return f"{value} is not a list", "a list", None
    return details["msg"], None, None


def _description(where: Where) -> str | None:
    model = model_at(where[:-1])
    field = model.keys().get(str(where[-1])) if model is not None else None
    if field is None or not field.description:
        return None
    return field.description[0].lower() + field.description[1:].rstrip(".")


def _unknown_key(where: Where, document: Document) -> Problem:
    key = str(where[-1])
    model = model_at(where[:-1]) or ScenarioModel
    fields = list(model.keys())
    if key in model.later:
        message = f"{key}: {NOT_BUILT}"
        return document.problem(where, message, allowed=listing(fields, 30), at_key=True)
    what = "form" if issubclass(model, OneOf) else "key"
    word = nearest(key, [*fields, *model.later])
    allowed = listing(fields, 30) or "no options"
    message = f"no {what} {shorten(key)} here"
    return document.problem(where, message, allowed=allowed, suggestion=word, at_key=True)


def _written(where: Where, tree: Any) -> Where:
    """The part of a path that the file has, and the key after it where one is missing there."""
    for depth, part in enumerate(where):
        in_list = isinstance(tree, list) and isinstance(part, int) and part < len(tree)
        if in_list or (isinstance(tree, dict) and part in tree):
            tree = tree[part]
        elif isinstance(tree, dict) and depth == len(where) - 1:
            return where
        else:
            return where[:depth]
    return where
