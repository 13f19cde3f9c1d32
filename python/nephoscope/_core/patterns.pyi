"""Event patterns, compiled."""

import enum
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

class ConditionKind(enum.Enum):
    literal = 0
    number = 1
    text = 2
    cidr = 3
    exists = 4
    absent = 5
    prefix = 6
    suffix = 7
    letters = 8
    letters_prefix = 9
    letters_suffix = 10
    wildcard = 11
    range = 12
    anything_but = 13

class NumberRule(enum.Enum):
    exact = 0
    five_digits = 1

@final
class ConditionSpec:
    kind: ConditionKind
    text: str
    bits: int
    letters: list[list[str]]
    pieces: list[str]
    low: str
    high: str
    low_open: bool
    high_open: bool
    none_of: list[ConditionSpec]
    def __init__(self) -> None: ...

@final
class Matcher:
    def __init__(
        self,
        rules: list[list[list[tuple[str, list[ConditionSpec]]]]],
        numbers: NumberRule,
    ) -> None: ...
    def evaluate(self, event: bytes, unmatchable: list[str]) -> list[int]: ...
    def __len__(self) -> int: ...

@final
class EventKinds:
    def __init__(self, matcher: Matcher) -> None: ...
    def intern(self, event: bytes) -> int: ...
    def matches(self, kind: int) -> list[int]: ...
    def count(self, kinds: ArrayLike) -> NDArray[np.int64]: ...
    def __len__(self) -> int: ...
