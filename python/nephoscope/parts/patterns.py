"""Event patterns, the rules of a bus, filter policies and input transformers, alone.

Patterns, events, policies and messages are JSON: as text, which keeps numbers as they are written,
or as Python's dicts, lists, texts, numbers, True, False and None.
"""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from nephoscope import _core
from nephoscope.errors import EventError, SpecError
from nephoscope.patterns import Members, read_pattern, read_policy, read_transformer, transformer
from nephoscope.patterns.attributes import read_attributes
from nephoscope.patterns.json_value import read_value, write_value
from nephoscope.scenario.specs.patterns import matcher


class EventPattern:
    """The pattern of one rule.

    >>> from nephoscope import parts
    >>> pattern = parts.EventPattern({"detail": {"state": [{"prefix": "run"}, "pending"]}})
    >>> pattern.matches({"detail": {"state": "running"}})
    True
    >>> pattern.matches('{"detail": {"state": ["stopped", "pending"]}}')
    True
    >>> pattern.matches({"detail": {}})
    False
    """

    def __init__(self, pattern: Any) -> None:
        """Raises PatternError with what is wrong, where and what is allowed."""
        self._pattern = pattern
        self._core = matcher([read_pattern(pattern)])

    def matches(self, event: Any) -> bool:
        """Whether an event matches; raises EventError where it is no object of JSON."""
        return bool(_evaluate(self._core, event))

    def __reduce__(self) -> tuple[type[Self], tuple[Any]]:
        return type(self), (self._pattern,)


class EventRules:
    """All rules of a bus: their patterns are compiled into one matcher.

    >>> from nephoscope import parts
    >>> patterns = {"all": {"source": [{"exists": True}]}, "mine": {"source": ["me"]}}
    >>> rules = parts.EventRules(patterns)
    >>> rules.matches({"source": "me"}), rules.matches({"source": "you"})
    (['all', 'mine'], ['all'])

    Events that come again and again are interned; what they match is then found out once:

    >>> me, you = rules.intern({"source": "me"}), rules.intern({"source": "you"})
    >>> rules.count([me, you, you]).tolist()
    [3, 1]
    """

    def __init__(self, rules: Mapping[str, Any]) -> None:
        """Names and their patterns; raises PatternError as a pattern alone does."""
        self._rules = dict(rules)
        self.names = tuple(self._rules)
        self._core = matcher([read_pattern(pattern) for pattern in self._rules.values()])
        self._kinds = _core.patterns.EventKinds(self._core)

    def matches(self, event: Any) -> list[str]:
        """The names of the rules that match, in the order in which they were given."""
        return [self.names[rule] for rule in _evaluate(self._core, event)]

    def intern(self, event: Any) -> int:
        """The kind of an event: the same number for the same text."""
        text = _event_text(event)
        try:
            return self._kinds.intern(text)
        except SpecError as error:
            raise _event_error(error) from None

    def matches_of(self, kind: int) -> list[str]:
        """The names of the rules that a kind of events matches."""
        return [self.names[rule] for rule in self._kinds.matches(kind)]

    def count(self, kinds: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """How often each rule matches in a sequence of kinds, by rule."""
        return self._kinds.count(np.asarray(kinds, dtype=np.uint32))

    def __len__(self) -> int:
        return len(self.names)

    def __reduce__(self) -> tuple[type[Self], tuple[Any]]:
        return type(self), (self._rules,)


class FilterPolicy:
    """The policy of a subscription: whether a message of the topic goes to it.

    Attributes are `{"type": TYPE, "value": VALUE}`, also in the words of the provider (`DataType`,
    `StringValue`), with the types String, String.Array, Number and Binary; or plain values: a text,
    a number, a list, bytes.

    >>> from nephoscope import parts
    >>> policy = parts.FilterPolicy({"price": [{"numeric": [">=", 100]}], "store": ["mine"]})
    >>> policy.matches({"price": {"type": "Number", "value": "210.75"}, "store": "mine"})
    True
    >>> policy.matches({"price": 99, "store": "mine"})
    False
    >>> parts.FilterPolicy({"order": {"total": [5]}}, scope="body").matches(
    ...     body='{"order": {"total": 5.0}}'
    ... )
    True
    """

    def __init__(self, policy: Any, scope: str = "attributes") -> None:
        """Of the message's attributes, or of its body; raises PatternError where it is none."""
        self._source = (policy, scope)
        self._rules = read_policy(policy, scope)
        self._core = (
            matcher([self._rules.branches], five_digits=True) if self._rules.branches else None
        )

    @property
    def scope(self) -> str:
        """What of a message it is asked about: attributes or body."""
        return self._rules.scope

    def matches(self, attributes: Any = None, body: Any = None) -> bool:
        """Whether a message is let through. A body that is no object of JSON is not.

        Raises EventError for attributes that no message can have.
        """
        if self._core is None:
            return True
        if self._rules.scope == "body":
            return self._matches_body(body)
        event, unmatchable = read_attributes(attributes)
        return bool(self._core.evaluate(write_value(event).encode(), unmatchable))

    def _matches_body(self, body: Any) -> bool:
        if self._core is None or body is None:
            return False
        try:
            return bool(_evaluate(self._core, body))
        except EventError:
            return False

    def __reduce__(self) -> tuple[type[Self], tuple[Any, str]]:
        return type(self), self._source


class InputTransformer:
    """What a target is sent in place of an event.

    >>> from nephoscope import parts
    >>> template = '{"name": <who>, "rule": "<aws.events.rule-name>"}'
    >>> told = parts.InputTransformer({"who": "$.detail.name"}, template)
    >>> told.apply({"detail": {"name": "Ada"}}, rule_name="greet")
    '{"name":"Ada","rule":"greet"}'
    """

    def __init__(self, paths: Mapping[str, str], template: str) -> None:
        """Names with their paths in the event; raises PatternError where the template is none."""
        self._transformer = read_transformer(paths, template)
        self._source = (dict(paths), template)

    def apply(
        self, event: Any, *, rule_arn: str = "", rule_name: str = "", ingestion_time: str = ""
    ) -> str:
        """The text that is sent; raises EventError where the event is no object of JSON."""
        value = read_value(event, "the event", EventError)
        if not isinstance(value, Members):
            message = "the event must be an object of JSON"
            raise EventError(message)
        predefined = {
            transformer.RULE_ARN: rule_arn,
            transformer.RULE_NAME: rule_name,
            transformer.INGESTION_TIME: ingestion_time,
        }
        return self._transformer.apply(value, predefined)

    def __reduce__(self) -> tuple[type[Self], tuple[Any, str]]:
        return type(self), self._source


def _event_text(event: Any) -> bytes:
    if isinstance(event, bytes | bytearray):
        event = _decoded(bytes(event))
    value = read_value(event, "the event", EventError) if not isinstance(event, str) else None
    text = event if isinstance(event, str) else write_value(value)
    try:
        return text.encode()
    except UnicodeEncodeError:
        message = "the event is not legal Unicode: half of a surrogate pair"
        raise EventError(message) from None


def _decoded(event: bytes) -> str:
    try:
        return event.decode()
    except UnicodeDecodeError as error:
        message = f"the event is not UTF-8: {error.reason} at byte {error.start}"
        raise EventError(message) from None


def _evaluate(core: _core.patterns.Matcher, event: Any) -> list[int]:
    text = _event_text(event)
    try:
        return core.evaluate(text, [])
    except SpecError as error:
        raise _event_error(error) from None


def _event_error(error: SpecError) -> EventError:
    return EventError(str(error).removeprefix("event: "), "event")
