"""What requests and messages say: bodies and attributes, in the words of the language."""

from typing import Annotated, Any

from pydantic import AfterValidator, ValidationError

from nephoscope.errors import EventError, shorten
from nephoscope.nearest import listing
from nephoscope.patterns.attributes import read_attributes
from nephoscope.patterns.json_value import read_value
from nephoscope.scenario.language.fields import AnySize, Weight, refusal, whole
from nephoscope.scenario.language.model import Model
from nephoscope.scenario.units import Size

CHOOSE = "choose"

# The largest message or event, in bytes.
SIZE_MAX = 2**20


def of_a_message(size: Any) -> Any:
    """Refuse more than a message may have."""
    if isinstance(size, Size) and size > SIZE_MAX:
        raise refusal(f"{size} is out of range", "0B to 1MiB")
    return size


MessageSize = Annotated[AnySize, AfterValidator(of_a_message)]

# Attributes of a message.
ATTRIBUTES_MAX = 10

# How many messages or events one call sends.
Batch = Annotated[int, whole(1, 10)]


def _body(event: Any) -> Any:
    """An object of JSON, or a text, which is one of JSON or any other."""
    if isinstance(event, str):
        return event
    if not isinstance(event, dict):
        message = f"{shorten(event)} is no event"
        allowed = "an object of names and values, a text, or choose: [{weight, event}, ..]"
        raise refusal(message, allowed)
    try:
        read_value(event, "the event", EventError)
    except EventError as error:
        raise refusal(error.message, "what JSON can hold") from None
    return event


def few_attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    """Refuse more than a message may have."""
    if len(attributes) > ATTRIBUTES_MAX:
        message = f"{len(attributes)} attributes are too many"
        raise refusal(message, f"at most {ATTRIBUTES_MAX} of a message")
    return attributes


def _attributes(attributes: Any) -> Any:
    try:
        read_attributes(attributes)
    except EventError as error:
        raise refusal(str(error), "names with texts, numbers, lists, or {type, value}") from None
    return attributes


Body = Annotated[Any, AfterValidator(_body)]
Attributes = Annotated[dict[str, Any], AfterValidator(few_attributes), AfterValidator(_attributes)]


class Alternative(Model):
    """One of several events, said in proportion to its weight."""

    weight: Weight
    event: Body = None
    attributes: Attributes | None = None


def is_choice(event: Any) -> bool:
    """Whether an event is one of several."""
    return isinstance(event, dict) and list(event) == [CHOOSE]


def alternatives(event: Any) -> tuple[Alternative, ...]:
    """The events that one written as a choice may be."""
    return tuple(Alternative.model_validate(each) for each in event[CHOOSE])


def _event(event: Any) -> Any:
    if not is_choice(event):
        return _body(event)
    choice = event[CHOOSE]
    if not isinstance(choice, list | tuple) or not choice:
        raise refusal(f"{shorten(choice)} is no choice", "a list of {weight, event, attributes}")
    for index, each in enumerate(choice):
        try:
            Alternative.model_validate(each)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            path = ".".join(map(str, (CHOOSE, index, *first["loc"])))
            context = first.get("ctx", {})
            words = {"missing": "missing", "extra_forbidden": "no such key here"}.get(first["type"])
            message = f"{path}: {words or context.get('message', first['msg'])}"
            allowed = listing(Alternative.model_fields) if words else context.get("allowed")
            raise refusal(message, allowed, context.get("suggestion")) from None
    if not sum(each.weight for each in alternatives(event)):
        raise refusal("every weight is 0", "at least one weight above 0")
    return event


Event = Annotated[Any, AfterValidator(_event)]
