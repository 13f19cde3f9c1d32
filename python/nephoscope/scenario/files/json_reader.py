"""A reader of JSON that keeps the place of every value, as the YAML reader does."""

import bisect
import json
import re
from pathlib import Path
from typing import Any, NoReturn

from nephoscope.errors import Problem, ScenarioError
from nephoscope.scenario.files.document import (
    DEPTH_MAX,
    TEXT_LENGTH_MAX,
    VALUES_MAX,
    Document,
    Mark,
)
from nephoscope.scenario.files.yaml_reader import Node, build

_SPACE = re.compile(r"[ \t\n\r]*")


def read_json(text: str, source: str | None = None, directory: Path | None = None) -> Document:
    """The one value in `text`; raises ScenarioError where it is not legal JSON."""
    if len(text) > TEXT_LENGTH_MAX:
        message = f"longer than {TEXT_LENGTH_MAX} characters; large data belongs into a CSV file"
        raise ScenarioError([Problem("", message, 1, 1)], source)
    reader = _Reader(text, source)
    root = reader.read()
    return build(root, source, directory)


class _Reader:
    """Structure by recursion (of bounded depth), strings and numbers by the standard library."""

    def __init__(self, text: str, source: str | None) -> None:
        self._text = text
        self._source = source
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._decoder = json.JSONDecoder(parse_constant=self._refuse_constant)
        self._count = 0

    def read(self) -> Node:
        node, end = self._value(self._skip(0), 0)
        end = self._skip(end)
        if end != len(self._text):
            self._fail(end, "something follows the end of the scenario")
        return node

    def _value(self, at: int, depth: int) -> tuple[Node, int]:
        self._count += 1
        if depth > DEPTH_MAX or self._count > VALUES_MAX:
            self._fail(at, f"nested over {DEPTH_MAX} deep, or more than {VALUES_MAX} values")
        match self._text[at : at + 1]:
            case "{":
                return self._object(at, depth)
            case "[":
                return self._array(at, depth)
            case _:
                return self._scalar(at)

    def _scalar(self, at: int) -> tuple[Node, int]:
        try:
            value, end = self._decoder.raw_decode(self._text, at)
        except json.JSONDecodeError as error:
            self._fail(min(error.pos, len(self._text)), f"not legal JSON: {error.msg}")
        except ValueError:
            self._fail(at, "not legal JSON: a number that cannot be read")
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                self._fail(at, "not legal Unicode")
        return Node(self._mark(at), value, open=False), end

    def _array(self, at: int, depth: int) -> tuple[Node, int]:
        items: list[Node] = []
        node = Node(self._mark(at), items=items, open=False)
        at = self._skip(at + 1)
        while self._text[at : at + 1] != "]":
            item, at = self._value(at, depth + 1)
            items.append(item)
            at = self._separator(at, "]")
        return node, at + 1

    def _object(self, at: int, depth: int) -> tuple[Node, int]:
        pairs: list[tuple[Node, Node]] = []
        node = Node(self._mark(at), pairs=pairs, open=False)
        at = self._skip(at + 1)
        while self._text[at : at + 1] != "}":
            if self._text[at : at + 1] != '"':
                self._fail(at, "not legal JSON: a key in double quotes is missing")
            key, at = self._scalar(at)
            at = self._skip(at)
            if self._text[at : at + 1] != ":":
                self._fail(at, "not legal JSON: a colon is missing")
            value, at = self._value(self._skip(at + 1), depth + 1)
            pairs.append((key, value))
            at = self._separator(at, "}")
        return node, at + 1

    def _separator(self, at: int, closing: str) -> int:
        """The start of the next element or of the closing bracket."""
        at = self._skip(at)
        if self._text[at : at + 1] == closing:
            return at
        if self._text[at : at + 1] != ",":
            self._fail(at, f"not legal JSON: a comma or {closing} is missing")
        at = self._skip(at + 1)
        if self._text[at : at + 1] == closing:
            self._fail(at, "not legal JSON: a comma before the end")
        return at

    def _skip(self, at: int) -> int:
        match = _SPACE.match(self._text, at)
        return match.end() if match else at

    def _mark(self, at: int) -> Mark:
        line = bisect.bisect_right(self._starts, at)
        return Mark(line, at - self._starts[line - 1] + 1)

    def _refuse_constant(self, name: str) -> Any:
        raise ValueError(name)

    def _fail(self, at: int, message: str) -> NoReturn:
        raise ScenarioError([Problem("", message, *self._mark(at))], self._source)
