"""The attributes of a message as a filter policy sees them.

Texts and numbers are values, a String.Array is its elements, and Binary is not seen. An attribute
whose value is not what its type says is there and matches nothing, not even that it exists.
"""

import numbers
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from nephoscope.errors import EventError, shorten
from nephoscope.nearest import listing, nearest
from nephoscope.patterns.json_value import Members, Number, is_unicode, read_value, write_value

TYPES = ("String", "String.Array", "Number", "Binary")

_NUMBER = re.compile(r"[+]?(-?)0*(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)", re.ASCII)
_TYPE_KEYS = frozenset({"type", "datatype"})
_VALUE_KEYS = frozenset({"value", "stringvalue", "binaryvalue"})


def read_attributes(attributes: Any) -> tuple[Members, list[str]]:
    """The attributes as an object, and the names of those that match nothing."""
    if attributes is None:
        return Members(), []
    if not isinstance(attributes, Mapping):
        raise EventError(f"{shorten(attributes)} are no attributes; give names and values")
    event: list[tuple[str, Any]] = []
    unmatchable = []
    for name, attribute in attributes.items():
        if not isinstance(name, str):
            raise EventError(f"{shorten(name)} is no name of an attribute", "attributes")
        kind, value = _typed(attribute, f"attributes.{name}")
        if kind == "Binary":
            continue
        read = _read(kind, value)
        if read is None:
            unmatchable.append(name)
        else:
            event.append((name, read))
    return Members(event), unmatchable


def attributes_size(attributes: Mapping[str, Any]) -> int:
    """Bytes that they take of a message: those of their names, types and values."""
    size = 0
    for name, attribute in attributes.items():
        kind, value = _typed(attribute, f"attributes.{name}")
        size += len(name.encode()) + len(kind) + _bytes(value)
    return size


def _bytes(value: Any) -> int:
    if isinstance(value, bytes | bytearray):
        return len(value)
    text = value if isinstance(value, str) else write_value(read_value(value, "it", EventError))
    return len(text.encode())


def _typed(attribute: Any, path: str) -> tuple[str, Any]:
    """Its type and value, whether they are written or follow from a plain value."""
    if isinstance(attribute, Mapping):
        return _written(attribute, path)
    if isinstance(attribute, str):
        return "String", attribute
    if isinstance(attribute, list | tuple):
        return "String.Array", attribute
    if isinstance(attribute, bytes | bytearray):
        return "Binary", attribute
    if not isinstance(attribute, bool) and isinstance(attribute, numbers.Real | Decimal):
        return "Number", attribute
    message = f"{shorten(attribute)} is no attribute; a text, a number, a list, or type and value"
    raise EventError(message, path)


def _written(attribute: Mapping[Any, Any], path: str) -> tuple[str, Any]:
    kind = [it for key, it in attribute.items() if str(key).lower() in _TYPE_KEYS]
    value = [it for key, it in attribute.items() if str(key).lower() in _VALUE_KEYS]
    if len(kind) != 1 or len(value) != 1:
        message = "needs a type and a value"
        raise EventError(message, path)
    # A type may go on after a dot, in words of the sender: Number.int is a Number.
    name = str(kind[0])
    known = name if name in TYPES else name.partition(".")[0]
    if known not in TYPES:
        hint = nearest(name, TYPES)
        message = f"{shorten(kind[0])} is no type of an attribute; {listing(TYPES)}"
        raise EventError(message + (f"; did you mean {hint}?" if hint else ""), path)
    return known, value[0]


def _read(kind: str, value: Any) -> Any:
    """The value as JSON has it, or None where it is none of its type."""
    if kind == "String":
        return value if isinstance(value, str) and is_unicode(value) else None
    if kind == "Number":
        return _read_number(value)
    try:
        read = read_value(value, "the value", EventError)
    except EventError:
        return None
    if not isinstance(read, list) or any(isinstance(it, Members | list) for it in read):
        return None
    return read


def _read_number(value: Any) -> Number | None:
    if isinstance(value, str):
        match = _NUMBER.fullmatch(value.strip())
        return Number(match[1] + match[2]) if match else None
    try:
        read = read_value(value, "the value", EventError)
    except EventError:
        return None
    return read if isinstance(read, Number) else None
