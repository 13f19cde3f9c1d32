"""Pipes, as the core takes them."""

from collections.abc import Iterator

from nephoscope import _core
from nephoscope.scenario.language.pipe import Pipe
from nephoscope.scenario.scenario import Scenario
from nephoscope.scenario.specs.bus import ENDPOINTS, TIMEOUT, made_of
from nephoscope.scenario.specs.queue import Groups
from nephoscope.scenario.specs.topic import Destinations, Events

# Of a receive.
WAIT_NS = 20 * 10**9


class Pipes:
    """The pipes of a scenario, and what they make of messages."""

    section = "pipes"

    def __init__(
        self, scenario: Scenario, events: Events, destination: Destinations, groups: Groups
    ) -> None:
        self._pipes = scenario.pipes
        self._start = scenario.start.isoformat()
        self._events = events
        self._destination = destination
        self._groups = groups

    def number_made(self, first: int, end: int) -> None:
        """Number what goes on in the place of messages of these numbers."""
        for pipe in self._pipes.values():
            for kind in self._due(pipe, first) if pipe.input is not None else ():
                if kind >= end:
                    break
                self._made(kind, pipe)

    def specs(self) -> list[_core.queues.PipeSpec]:
        """All pipes; all that is said must have been numbered."""
        return [self._spec(name, pipe) for name, pipe in self._pipes.items()]

    def _due(self, pipe: Pipe, first: int = 0) -> Iterator[int]:
        """The messages, from the first on, that a filter lets through."""
        takes = self._takes(pipe, first) or [1] * (len(self._events) - first)
        return (kind for kind, taken in enumerate(takes, first) if taken)

    def _takes(self, pipe: Pipe, first: int = 0) -> list[int]:
        """Whether each from the first on is let through; nothing if all are."""
        rows = [self._events.matched(pattern, first) for pattern in pipe.filters]
        return [max(column) for column in zip(*rows, strict=True)]

    def _made(self, kind: int, pipe: Pipe) -> int:
        assert pipe.input is not None
        text = made_of(self._events.members(kind), pipe.input, "", self._start)
        return self._events.number(text, None)

    def _spec(self, name: str, pipe: Pipe) -> _core.queues.PipeSpec:
        spec = _core.queues.PipeSpec()
        spec.name = name
        source = _core.queues.ConsumeSpec()
        source.queue = self._destination(pipe.source).index
        source.batch = pipe.batch
        source.wait_ns = WAIT_NS
        spec.source = source
        spec.pollers = pipe.pollers
        spec.to = self._destination(pipe.to)
        if spec.to.kind in ENDPOINTS:
            spec.timeout_ns = int(pipe.timeout or TIMEOUT)
        spec.group = self._groups.number(pipe.group)
        spec.takes = self._takes(pipe)
        if pipe.input is not None:
            due = set(self._due(pipe))
            spec.becomes = [
                self._made(kind, pipe) if kind in due else kind for kind in range(len(self._events))
            ]
        return spec
