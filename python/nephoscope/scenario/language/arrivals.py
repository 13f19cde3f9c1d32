"""When requests come, and who sends them."""

import itertools
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, model_validator

from nephoscope.errors import shorten
from nephoscope.scenario.language.distribution import Distribution, same_length
from nephoscope.scenario.language.event import few_attributes
from nephoscope.scenario.language.fields import (
    AnyDuration,
    AnyRate,
    ColumnScale,
    Items,
    PositiveDuration,
    SignedDuration,
    Text,
    number,
    refusal,
    whole,
)
from nephoscope.scenario.language.model import Model, OneOf
from nephoscope.scenario.units import Duration, Rate

CLIENTS_MAX = 2**32 - 1
# A popularity law takes a table with a row a client.
RANKED_CLIENTS_MAX = 2**24
USERS_MAX = 100_000_000
# States that change faster than the clock can tell are no states.
MEAN_STAY_MIN_NS = 1000


class NoOptions(Model):
    """A form that is named by its word alone."""


class Mmpp(Model):
    """Poisson arrivals whose rate moves round a ring of states."""

    rates: Items[AnyRate]
    mean_stay: Items[PositiveDuration]

    @model_validator(mode="after")
    def _paired(self) -> Self:
        same_length(self.rates, self.mean_stay, "rates", "mean stays")
        if not sum(self.rates):
            raise refusal("every rate is 0", "at least one rate above 0")
        if min(self.mean_stay) < MEAN_STAY_MIN_NS:
            raise refusal("a mean stay is below 1us", "mean stays of 1us or longer")
        return self


def _columns(event: Any) -> Any:
    """The name of a column, or such names by the names of what they say."""
    if isinstance(event, str) and event:
        return event
    if isinstance(event, dict) and event and all(isinstance(name, str) for name in event):
        return {name: _columns(inner) for name, inner in event.items()}
    raise refusal(f"{shorten(event)} is no column", "a column, or columns by name: {kind: COLUMN}")


EventColumns = Annotated[Any, AfterValidator(_columns)]


class Trace(Model):
    """Arrivals from a CSV file: an instant a row, or a count a row."""

    file: Text
    column: Text | None = None
    """Instants: date-times, taken relative to the first, or numbers (seconds)."""
    time_column: Text | None = None
    """Counts: the starts of the intervals."""
    count_column: Text | None = None
    """Counts: how many requests come in the interval, spread evenly at random."""
    scale: ColumnScale = 1.0
    """Multiplies the instants, or the counts."""
    shift: SignedDuration = Duration(0)
    """Added to every time; what falls before the start of the run is left out."""
    event: EventColumns = None
    """What the request of each row says: the column of whole events, or columns by name."""
    attributes: Annotated[dict[str, Text], AfterValidator(few_attributes)] | None = None
    """Its attributes: columns by name."""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        instants = self.column is not None
        counts = (self.time_column is not None, self.count_column is not None)
        if instants == any(counts) or (any(counts) and not all(counts)):
            raise refusal("not the options of one form", "column, or time_column and count_column")
        if self.says and not instants:
            raise refusal("a row of counts says nothing: it is many requests", "an instant a row")
        return self

    @property
    def says(self) -> bool:
        """Whether its rows say something."""
        return self.event is not None or self.attributes is not None


class Closed(Model):
    """Users who think, send, wait for the answer, and think again."""

    users: Annotated[int, whole(1, USERS_MAX)]
    think: Distribution
    give_up: Annotated[int, whole(1, 2**31)] | None = None
    """A user leaves for good after so many requests in a row without success."""


def _pair(value: Any) -> Any:
    if isinstance(value, list | tuple) and len(value) == 2:
        return tuple(value)
    raise refusal(
        f"{shorten(value)} is not a point of a profile", "a time and a rate, such as [10m, 100/s]"
    )


def _ascending(points: tuple[tuple[Duration, Rate], ...]) -> tuple[tuple[Duration, Rate], ...]:
    for (before, _), (after, _) in itertools.pairwise(points):
        if after < before:
            raise refusal(f"{after} comes after {before}", "times in ascending order")
    if not any(rate for _, rate in points):
        raise refusal("every rate is 0", "at least one rate above 0")
    return points


ProfilePoint = Annotated[tuple[AnyDuration, AnyRate], BeforeValidator(_pair)]


class Arrivals(OneOf):
    """The process by which requests come."""

    poisson: NoOptions | None = None
    """Independent arrivals at `rate`."""
    constant: NoOptions | None = None
    """One every 1/rate, the first at 1/rate."""
    mmpp: Mmpp | None = None
    profile: Annotated[Items[ProfilePoint], AfterValidator(_ascending)] | None = None
    """Points [time, rate], the rate linear between them and constant after the last."""
    trace: Trace | None = None
    closed: Closed | None = None

    words = ("poisson", "constant")


class Popularity(OneOf):
    """How the requests are spread over the clients."""

    uniform: NoOptions | None = None
    zipf: Annotated[float, number(0.0, 20.0, open_low=True)] | None = None
    """Client i (from 0) sends in proportion to (i + 1) to the power of minus this."""

    words = ("uniform",)


class Clients(Model):
    """The clients who send the requests; without them every request is a client of its own."""

    count: Annotated[int, whole(1, CLIENTS_MAX)]
    popularity: Popularity = Popularity(uniform=NoOptions())

    bare = "count"

    @model_validator(mode="after")
    def _in_reach(self) -> Self:
        if self.popularity.zipf is not None and self.count > RANKED_CLIENTS_MAX:
            message = f"{self.count} clients are too many for a zipf law"
            raise refusal(message, f"at most {RANKED_CLIENTS_MAX} clients")
        return self
