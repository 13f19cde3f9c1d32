"""The types of scalar fields: how each is read from a file, refused, written and described.

A refusal carries what is allowed and the nearest right word, so that every error message can.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, Strict
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from nephoscope.errors import UnitError, shorten
from nephoscope.nearest import nearest
from nephoscope.scenario import units
from nephoscope.scenario.units import Bandwidth, Duration, Rate, Size

T = TypeVar("T")
JsonSchema = dict[str, Any]

REFUSED = "refused"

INSTANCES_MAX = 4_194_304
WHOLE_RATE_MAX = 2**32 - 1


def refusal(
    message: str, allowed: str | None = None, suggestion: str | None = None
) -> PydanticCustomError:
    """The error that a validator raises; the loader turns it into a Problem."""
    return PydanticCustomError(
        REFUSED, "{message}", {"message": message, "allowed": allowed, "suggestion": suggestion}
    )


def as_refusal(error: UnitError) -> PydanticCustomError:
    """The refusal that says what a unit error says."""
    return refusal(error.message, error.allowed, error.suggestion)


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, eq=False)  # a marker in an annotation has to be hashable
class Scalar:
    """A marker in an annotation: how a written value is read, described and written again."""

    read: Callable[[Any], Any]
    schema: JsonSchema
    write: Callable[[Any], Any] = _same

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        writer = core_schema.plain_serializer_function_ser_schema(self.write)
        return core_schema.no_info_plain_validator_function(self.read, serialization=writer)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        return dict(self.schema)


def quantity(
    parse: Callable[[object], Any],
    pattern: str,
    *,
    least: float = -math.inf,
    above: float = -math.inf,
    words: tuple[str, ...] = (),
) -> Scalar:
    """A text with a unit, within bounds, or one of a few words in its place."""

    def read(value: Any) -> Any:
        if isinstance(value, str) and value in words:
            return value
        try:
            number = parse(value)
        except UnitError as error:
            allowed = ", ".join(filter(None, [*words, error.allowed]))
            hint = nearest(value, words) or error.suggestion
            raise refusal(error.message, allowed, hint) from None
        if number < least or number <= above:
            bound = "not negative" if above < 0 else "more than 0"
            raise refusal(f"{shorten(value)} is out of range", bound)
        return number

    text: JsonSchema = {"type": "string", "pattern": pattern}
    schema = {"anyOf": [text, {"enum": list(words)}]} if words else text
    return Scalar(read, schema, str)


def whole(low: int, high: int) -> Scalar:
    """A whole number from `low` to `high`."""
    allowed = f"a whole number from {low} to {high}" if low < high else str(low)

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            near = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
            hint = str(int(value)) if near else None
            raise refusal(f"{shorten(value)} is not a whole number", allowed, hint)
        if not low <= value <= high:
            raise refusal(f"{shorten(value)} is out of range", allowed)
        return value

    return Scalar(read, {"type": "integer", "minimum": low, "maximum": high})


def number(low: float, high: float, *, open_low: bool = False) -> Scalar:
    """A finite number, from `low` (or above it, when `open_low`) to `high`."""
    allowed = f"a number {'above' if open_low else 'from'} {low:g} to {high:g}"

    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise refusal(f"{shorten(value)} is not a number", allowed)
        inside = low < value if open_low else low <= value
        if not (inside and value <= high):  # not-a-number is on no side
            raise refusal(f"{shorten(value)} is out of range", allowed)
        return float(value)

    bound = "exclusiveMinimum" if open_low else "minimum"
    return Scalar(read, {"type": "number", bound: low, "maximum": high})


def words_like(pattern: str, allowed: str) -> Scalar:
    """Text that matches a pattern from end to end."""

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise refusal(f"{shorten(value)} is not text", allowed)
        if re.fullmatch(pattern, value) is None:
            raise refusal(f"{shorten(value)} is not allowed here", allowed)
        return value

    return Scalar(read, {"type": "string", "pattern": f"^{pattern}$"})


def _share() -> Scalar:
    def read(value: Any) -> float:
        try:
            return units.parse_share(value)
        except UnitError as error:
            raise as_refusal(error) from None

    fraction = {"type": "number", "minimum": 0, "maximum": 1}
    percentage = {"type": "string", "pattern": units.SHARE_PATTERN}
    return Scalar(read, {"anyOf": [fraction, percentage]})


_DATE_TIME = (
    "(19[7-9][0-9]|2[01][0-9]{2})-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]"
    "(:[0-5][0-9](\\.[0-9]{1,6})?)?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
)


def _date_time() -> Scalar:
    """An instant of the calendar."""
    allowed = "a date, time and offset from 1970 to 2199, such as 2024-01-01T00:00:00Z"

    def read(value: Any) -> datetime:
        if not isinstance(value, str) or re.fullmatch(_DATE_TIME, value) is None:
            more = (f"{value}{rest}" for rest in ("Z", ":00Z", "T00:00:00Z"))
            hint = next((text for text in more if re.fullmatch(_DATE_TIME, text)), None)
            raise refusal(f"{shorten(value)} is not a date and time", allowed, hint)
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            raise refusal(f"{shorten(value)} is not in the calendar", allowed) from None

    schema = {"type": "string", "pattern": f"^{_DATE_TIME}$"}
    return Scalar(read, schema, date_time_text)


def date_time_text(moment: datetime) -> str:
    """The instant as a file has it."""
    return moment.isoformat().replace("+00:00", "Z")


def _scale() -> Scalar:
    """What one unit of a column is worth: a duration (`100us`), or a number of seconds."""
    plain = number(0.0, 1e12, open_low=True)
    span = quantity(Duration.parse, units.DURATION_PATTERN, above=0)

    def read(value: Any) -> float:
        if isinstance(value, str):
            return float(span.read(value).seconds)
        return float(plain.read(value))

    return Scalar(read, {"anyOf": [plain.schema, span.schema]})


def not_empty(items: T) -> T:
    """Refuse an empty list or mapping; a minimum length would not count elements that fail."""
    if not items:
        raise refusal("empty", "at least one")
    return items


def within(low: str, high: str) -> AfterValidator:
    """A duration from `low` to `high`."""

    def check(value: Duration) -> Duration:
        if not int(Duration.parse(low)) <= int(value) <= int(Duration.parse(high)):
            raise refusal(f"{value} is out of range", f"{low} to {high}")
        return value

    return AfterValidator(check)


SPAN = (Duration.parse, units.DURATION_PATTERN)
_RATE = (Rate.parse, units.RATE_PATTERN)

AnyDuration = Annotated[Duration, quantity(*SPAN, least=0)]
PositiveDuration = Annotated[Duration, quantity(*SPAN, above=0)]
SignedDuration = Annotated[Duration, quantity(*SPAN)]
DurationOrAuto = Annotated[Duration | Literal["auto"], quantity(*SPAN, least=0, words=("auto",))]
Interval = Annotated[
    Duration | Literal["auto", "none"], quantity(*SPAN, above=0, words=("auto", "none"))
]
AnyRate = Annotated[Rate, quantity(*_RATE, least=0)]
PositiveRate = Annotated[Rate, quantity(*_RATE, above=0)]


def whole_rate(what: str, most: int = WHOLE_RATE_MAX) -> AfterValidator:
    """A whole number of something a second."""

    def check(rate: Rate) -> Rate:
        if not float(rate).is_integer() or float(rate) > most:
            allowed = f"a rate such as 10000/s, at most {most}/s"
            raise refusal(f"{rate} is no whole number of {what} a second", allowed)
        return rate

    return AfterValidator(check)


AnySize = Annotated[Size, quantity(Size.parse, units.SIZE_PATTERN, least=0)]
PositiveSize = Annotated[Size, quantity(Size.parse, units.SIZE_PATTERN, above=0)]
PositiveBandwidth = Annotated[
    Bandwidth, quantity(Bandwidth.parse, units.BANDWIDTH_PATTERN, above=0)
]

DateTime = Annotated[datetime, _date_time()]

Share = Annotated[float, _share()]
Weight = Annotated[float, number(0.0, 1e6)]
PositiveWeight = Annotated[float, number(0.0, 1e6, open_low=True)]
ColumnScale = Annotated[float, _scale()]

# A dot separates the parts of a path and a slash those of a random stream's name; letters are
# ASCII, because a stream must not depend on how an accent happens to be encoded.
Name = Annotated[
    str,
    words_like(
        "[A-Za-z0-9][A-Za-z0-9_-]{0,63}",
        "letters, digits, - and _, at most 64, a letter or digit first",
    ),
]
Text = Annotated[str, words_like("[^\\x00-\\x1f]{1,1024}", "a line of text")]

# A list in the file, a tuple in the model; never empty.
Items = Annotated[tuple[T, ...], Strict(False), AfterValidator(not_empty)]
