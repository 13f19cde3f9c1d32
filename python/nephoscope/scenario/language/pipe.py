"""Pipes, in the words of the language."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from nephoscope.errors import PatternError
from nephoscope.patterns import read_pattern, transformer
from nephoscope.scenario.language.bus import Input
from nephoscope.scenario.language.fields import Name, PositiveDuration, refusal, whole
from nephoscope.scenario.language.model import Model

FILTERS_MAX = 5
POLLERS_MAX = 1000


class Pipe(Model):
    """Messages of a queue go to a target, those that its filter lets through."""

    source: Name = Field(alias="from")
    """The queue that it receives from."""
    to: Name
    """A queue, a topic or a bus; or a load balancer or a fleet, as an endpoint of HTTP."""
    filter: Any = None
    """A pattern, or a list of up to five of which one matches; by default all messages go on."""
    input: Input | None = None
    """What goes on in the place of a message; by default the message."""
    batch: Annotated[int, whole(1, 10)] = 10
    """Messages of one receive, at most."""
    pollers: Annotated[int, whole(1, POLLERS_MAX)] = 5
    """That receive at a time, each when what it had is settled."""
    group: Name | None = None
    """Of the messages for a FIFO queue or topic; by default that of a message of a FIFO queue."""
    timeout: PositiveDuration | None = None
    """That an endpoint of HTTP has for its answer, by default 5 s."""

    @property
    def filters(self) -> list[Any]:
        """The patterns of which one has to match; none where all messages go on."""
        if self.filter is None:
            return []
        return self.filter if isinstance(self.filter, list) else [self.filter]

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if self.filter is not None and not 1 <= len(self.filters) <= FILTERS_MAX:
            raise refusal(f"{len(self.filters)} patterns as a filter", f"1 to {FILTERS_MAX}")
        for pattern in self.filters:
            try:
                read_pattern(pattern)
            except PatternError as error:
                message = f"filter: {error.path}: {error.message}" if error.path else error.message
                raise refusal(message, error.allowed, error.suggestion) from None
        made = self.input.transformer if self.input is not None else None
        for name in (transformer.RULE_ARN, transformer.RULE_NAME):
            if made is not None and f"<{name}>" in made.template:
                raise refusal(f"<{name}>, and a pipe has no rule", "the names of the paths")
        return self
