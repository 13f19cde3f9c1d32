"""What is put on a bus as an entry: the parts it has to have, and its size, which they make."""

from typing import Any

from nephoscope.errors import EventError
from nephoscope.patterns import write_value
from nephoscope.patterns.json_value import Members, read_value
from nephoscope.scenario.language.event import SIZE_MAX, alternatives, is_choice

AUTO = "auto"

# Letters of what kind of event it is.
DETAIL_TYPE_MAX = 128

# Of an entry that tells its time.
_TIME_BYTES = 14
_TEXTS = ("source", "detail-type")


def entry_size(event: Any) -> int:
    """Bytes of an event that is put; of what has no parts those of its text."""
    parts = _parts(event)
    if parts is None:
        return len(_text(event))
    named = [parts[name] for name in (*_TEXTS, "detail") if name in parts]
    resources = parts.get("resources", [])
    named += resources if isinstance(resources, list) else [resources]
    return sum(len(_text(it)) for it in named) + (_TIME_BYTES if "time" in parts else 0)


def is_entry(event: Any) -> bool:
    """Whether it has a source, a detail type and details, as they have to be, and is not too large.

    Resources are texts, where there are any.
    """
    parts = _parts(event)
    if parts is None or not isinstance(parts.get("detail"), Members):
        return False
    texts = [parts.get(name) for name in _TEXTS]
    if not all(isinstance(text, str) and text for text in texts):
        return False
    resources = parts.get("resources", [])
    if not isinstance(resources, list) or not all(isinstance(it, str) for it in resources):
        return False
    return len(str(texts[1])) <= DETAIL_TYPE_MAX and entry_size(event) <= SIZE_MAX


def largest(event: Any) -> int:
    """Bytes of an event as it is written, or of the largest of those that it may be."""
    try:
        events = [it.event for it in alternatives(event)] if is_choice(event) else [event]
        return max(map(entry_size, events), default=0)
    except ValueError:  # what is no event is told elsewhere
        return 0


def _parts(event: Any) -> dict[str, Any] | None:
    """The members of an object of JSON."""
    try:
        value = None if event is None else read_value(event, "the event", EventError)
    except EventError:
        return None
    return value.last() if isinstance(value, Members) else None


def _text(value: Any) -> bytes:
    if value is None:
        return b""
    return (value if isinstance(value, str) else write_value(value)).encode()
