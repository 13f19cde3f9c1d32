"""Values of JSON with what Python's own lose: numbers as they are written, members given twice."""

import json
import math
import numbers
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from nephoscope.errors import NephoscopeError, shorten

# As deep as an event of the provider may be.
DEPTH_MAX = 1000

# No number of anybody's is larger than that, and Decimal takes much more.
_EXPONENT_MAX = 10**6
_INTEGER_MAX = 10**4000


@dataclass(frozen=True, slots=True)
class Number:
    """A number as JSON writes it."""

    text: str

    @property
    def value(self) -> Decimal:
        """The number itself; nothing is rounded."""
        return Decimal(self.text)


class Members:
    """An object of JSON: all its members in order, also those whose key comes again."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: Iterable[tuple[str, Any]] = ()) -> None:
        self.pairs = list(pairs)

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def last(self) -> dict[str, Any]:
        """The members by key; of those with the same key the last."""
        return dict(self.pairs)


# What makes an error of a message and the path of the value that it is about.
Refusal = Callable[[str, str], NephoscopeError]


def read_value(source: Any, what: str, refuse: Refusal) -> Any:
    """A value of JSON from its text (str or bytes), or from Python's own dicts, lists and so on.

    It is made of Members, lists, texts, Numbers, True, False and None.
    """
    if isinstance(source, bytes | bytearray):
        try:
            source = bytes(source).decode()
        except UnicodeDecodeError as error:
            raise refuse(f"{what} is not UTF-8: {error.reason} at byte {error.start}", "") from None
    if not isinstance(source, str):
        return _of_python(source, "", 0, refuse)
    try:
        value = json.loads(
            source,
            object_pairs_hook=Members,
            parse_int=Number,
            parse_float=_number_of,
            parse_constant=_no_constant,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise refuse(f"{what} is not legal JSON: {error.msg} ({place})", "") from None
    except (ValueError, RecursionError) as error:
        why = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise refuse(f"{what} is not legal JSON: {why}", "") from None
    # Halves of surrogate pairs are legal in the texts of Python, and in no others.
    if not all(is_unicode(text) for text in _texts(value)):
        raise refuse(f"{what} is not legal Unicode: half of a surrogate pair", "")
    return value


def is_unicode(text: str) -> bool:
    """Whether a text of Python is one that others can read."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Members):
        for key, item in value:
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _number_of(text: str) -> Number:
    exponent = text.lower().partition("e")[2]
    if abs(int(exponent or 0)) > _EXPONENT_MAX:
        message = f"an exponent beyond {_EXPONENT_MAX}"
        raise ValueError(message)
    return Number(text)


def _no_constant(name: str) -> Any:
    message = f"{name} is no number of JSON"
    raise ValueError(message)


def _of_python(value: Any, path: str, depth: int, refuse: Refusal) -> Any:
    if depth > DEPTH_MAX // 4:  # further than anybody writes, and less than what Python can call
        raise refuse(f"nested over {DEPTH_MAX // 4} deep; give it as text", path)
    if value is None or isinstance(value, bool | Number):
        return value
    if isinstance(value, str):
        return _text(value, path, refuse)
    if isinstance(value, dict):
        return _members(value, path, depth, refuse)
    if isinstance(value, list | tuple):
        return [
            _of_python(item, f"{path}[{index}]", depth + 1, refuse)
            for index, item in enumerate(value)
        ]
    text = _number(value)
    if text is None:
        raise refuse(f"{shorten(value)} is no value of JSON", path)
    return Number(text)


def _text(value: str, path: str, refuse: Refusal) -> str:
    if not is_unicode(value):
        raise refuse("a text that is not legal Unicode", path)
    return value


def _members(value: dict[Any, Any], path: str, depth: int, refuse: Refusal) -> Members:
    members = []
    for key, item in value.items():
        if not isinstance(key, str):
            raise refuse(f"the key {shorten(key)} is no text", path)
        within = f"{path}.{key}" if path else key
        members.append((_text(key, path, refuse), _of_python(item, within, depth + 1, refuse)))
    return Members(members)


def _number(value: Any) -> str | None:
    """The number as JSON writes it, or None where it is none that JSON has."""
    if isinstance(value, Decimal):
        return f"{value:E}" if value.is_finite() else None
    if isinstance(value, numbers.Integral):
        # Python refuses to write the largest of its integers in tens.
        return str(int(value)) if abs(int(value)) < _INTEGER_MAX else None
    if isinstance(value, numbers.Real) and math.isfinite(value):
        return repr(float(value))
    return None


def write_value(value: Any) -> str:
    """The text of a value that was read, without spaces; of members with one key the last."""
    if isinstance(value, Members):
        members = (f"{write_value(key)}:{write_value(it)}" for key, it in value.last().items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(write_value(item) for item in value) + "]"
    if isinstance(value, Number):
        return value.text
    return json.dumps(value, ensure_ascii=False)
