"""A strict reader of YAML 1.2 (core schema) that keeps the place of every value.

PyYAML resolves scalars by YAML 1.1, where `off` is false, `017` is fifteen and `1:30` is ninety;
so only its parser is used here, and what its events mean is decided by the rules of YAML 1.2.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from nephoscope.errors import Problem, ScenarioError, shorten
from nephoscope.scenario.files.document import (
    DEPTH_MAX,
    TEXT_LENGTH_MAX,
    VALUES_MAX,
    Document,
    Mark,
    Place,
    Where,
    dotted,
)

_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLEANS = {"true": True, "True": True, "TRUE": True}
_BOOLEANS |= {"false": False, "False": False, "FALSE": False}
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"([-+]?)\.(inf|Inf|INF)")
_NAN = {".nan", ".NaN", ".NAN"}
_DIGITS_MAX = 400

# The parser in C is ten times faster; both read the same language.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Node:
    """A value with its place: `items` of a list, `pairs` of a mapping, or else a scalar."""

    mark: Mark
    scalar: Any = None
    items: list["Node"] | None = None
    pairs: list[tuple["Node", "Node"]] | None = None
    size: int = 1  # values in it, those that its aliases stand for too
    open: bool = True  # still being read, so that an alias to it would contain itself


def read_yaml(text: str, source: str | None = None, directory: Path | None = None) -> Document:
    """The one document in `text`; raises ScenarioError where it is not legal YAML."""
    _refuse_unreadable(text, source)
    try:
        root = _Composer(source).compose(yaml.parse(text, Loader=_LOADER))
    except ScenarioError:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        message = " ".join(filter(None, [error.context, error.problem])) or "not legal YAML"
        raise ScenarioError([Problem("", f"not legal YAML: {message}", *place)], source) from None
    except (yaml.YAMLError, ValueError) as error:
        message = f"not legal YAML: {str(error).splitlines()[0]}"
        raise ScenarioError([Problem("", message, 1, 1)], source) from None
    return build(root, source, directory)


def read_value(text: str, *, nulls: bool = False) -> Any:
    """The value in a text such as `--set` takes: a scalar, or a list or mapping in brackets.

    With `nulls` the text is a list of such values, and `null` one of them: the key is not given.
    """
    source = "the value"
    _refuse_unreadable(text, source)
    try:
        root = _Composer(source).compose(yaml.parse(text, Loader=_LOADER))
    except ScenarioError:
        raise
    except (yaml.YAMLError, ValueError):
        raise ScenarioError([Problem("", f"{shorten(text)} is not legal YAML")], source) from None
    builder = _Builder(source, nulls=nulls)
    value = builder.value_of(root, ()) if root is not None else None
    if builder.problems:
        raise ScenarioError(builder.problems, source)
    return value


def build(root: Node | None, source: str | None, directory: Path | None) -> Document:
    """The document of a tree of nodes."""
    if root is None or root.pairs is None:
        mark = root.mark if root is not None else Mark(1, 1)
        message = "a scenario is a mapping of keys" if root is not None else "the file is empty"
        raise ScenarioError([Problem("", message, *mark, allowed="nephoscope: 1, ...")], source)
    builder = _Builder(source)
    tree = builder.value_of(root, ())
    problems = tuple(builder.problems)
    return Document(tree, builder.places, problems, source, directory or Path.cwd())


def resolve(text: str) -> Any:
    """The value of a plain scalar by the core schema of YAML 1.2."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if len(text) > _DIGITS_MAX:
        return text
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEXADECIMAL.fullmatch(text):
        return int(text, 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    if infinity := _INFINITY.fullmatch(text):
        return float(f"{infinity[1]}inf")
    return float("nan") if text in _NAN else text


def _refuse_unreadable(text: str, source: str | None) -> None:
    if len(text) > TEXT_LENGTH_MAX:
        message = f"longer than {TEXT_LENGTH_MAX} characters; large data belongs into a CSV file"
        raise ScenarioError([Problem("", message, 1, 1)], source)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise ScenarioError([Problem("", "not legal Unicode", line, 1)], source) from None


@dataclass(slots=True)
class _Composer:
    """Nodes from the parser's events, without recursion and without expanding aliases."""

    source: str | None
    anchors: dict[str, Node] = field(default_factory=dict)
    stack: list[Node] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)  # `count` where each node of the stack began
    keys: list[Node | None] = field(default_factory=list)  # of the open mappings, waiting
    count: int = 0
    root: Node | None = None

    def compose(self, events: Iterator[Any]) -> Node | None:
        documents = 0
        for event in events:
            mark = Mark(event.start_mark.line + 1, event.start_mark.column + 1)
            match event:
                case yaml.DocumentStartEvent():
                    documents += 1
                    self._refuse_if(documents > 1, mark, "a scenario file has one document")
                    version = event.version or (1, 2)
                    self._refuse_if(version != (1, 2), mark, "scenario files are YAML 1.2")
                case yaml.AliasEvent():
                    node = self.anchors.get(event.anchor or "")
                    self._refuse_if(node is None, mark, f"no anchor {shorten(event.anchor)}")
                    assert node is not None
                    self._refuse_if(node.open, mark, "an alias may not contain itself")
                    self._add(node, mark)
                case yaml.ScalarEvent():
                    self._add(self._scalar(event, mark), mark)
                case yaml.SequenceStartEvent():
                    self._start(event, Node(mark, items=[]))
                case yaml.MappingStartEvent():
                    self._start(event, Node(mark, pairs=[]))
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    node = self.stack.pop()
                    node.open = False
                    node.size = 1 + self.count - self.starts.pop()
                    self.keys.pop()
        return self.root

    def _scalar(self, event: yaml.ScalarEvent, mark: Mark) -> Node:
        self._refuse_tag(event, mark)
        # In quotes, in a block or with the tag "!" or !!str, a scalar is text, whatever it says.
        plain = event.implicit[0] and event.tag is None
        if plain and len(event.value) > _DIGITS_MAX and _DECIMAL.fullmatch(event.value):
            self._refuse_if(True, mark, "a number of too many digits")
        node = Node(mark, resolve(event.value) if plain else event.value, open=False)
        self._anchor(event, node)
        return node

    def _start(self, event: Any, node: Node) -> None:
        self._refuse_tag(event, node.mark)
        self._refuse_if(len(self.stack) >= DEPTH_MAX, node.mark, f"nested over {DEPTH_MAX} deep")
        self._anchor(event, node)
        self._add(node, node.mark)
        self.stack.append(node)
        self.starts.append(self.count)
        self.keys.append(None)

    def _add(self, node: Node, mark: Mark) -> None:
        self.count += node.size
        self._refuse_if(self.count > VALUES_MAX, mark, f"more than {VALUES_MAX} values")
        if not self.stack:
            self.root = node
        elif (items := self.stack[-1].items) is not None:
            items.append(node)
        elif (key := self.keys[-1]) is None:
            self.keys[-1] = node
        else:
            pairs = self.stack[-1].pairs
            assert pairs is not None
            pairs.append((key, node))
            self.keys[-1] = None

    def _anchor(self, event: Any, node: Node) -> None:
        if event.anchor is not None:
            self.anchors[event.anchor] = node

    def _refuse_tag(self, event: Any, mark: Mark) -> None:
        text = {"!"} | ({"tag:yaml.org,2002:str"} if isinstance(event, yaml.ScalarEvent) else set())
        unknown = event.tag is not None and event.tag not in text
        self._refuse_if(unknown, mark, f"the tag {shorten(event.tag)} is not used in scenarios")

    def _refuse_if(self, wrong: bool, mark: Mark, message: str) -> None:
        if wrong:
            raise ScenarioError([Problem("", message, *mark)], self.source)


@dataclass(slots=True)
class _Builder:
    """Plain values from nodes; aliases become copies, so that overriding one leaves the others."""

    source: str | None
    nulls: bool = False
    """Whether the outermost list may have some."""
    places: dict[Where, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def value_of(self, node: Node, where: Where) -> Any:
        if len(where) > DEPTH_MAX:
            message = f"aliases nest over {DEPTH_MAX} deep"
            raise ScenarioError([Problem(dotted(where), message, *node.mark)], self.source)
        if node.items is not None:
            for i, item in enumerate(node.items):
                self.places[(*where, i)] = Place(item.mark, item.mark)
            return [self._given(item, (*where, i)) for i, item in enumerate(node.items)]
        if node.pairs is not None:
            return self._mapping(node.pairs, where)
        return node.scalar

    def _mapping(self, pairs: list[tuple[Node, Node]], where: Where) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in pairs:
            name = key.scalar
            if not isinstance(name, str) or key.items is not None or key.pairs is not None:
                shown = "a list or mapping" if key.items or key.pairs else shorten(name)
                self._problem(
                    (*where, str(name)), key.mark, f"{shown} is not text, as a key must be"
                )
            elif name in values:
                line = self.places[(*where, name)].key.line
                self._problem((*where, name), key.mark, f"given twice, first in line {line}")
            else:
                self.places[(*where, name)] = Place(key.mark, value.mark)
                values[name] = self._given(value, (*where, name))
                if name == "<<":
                    self._problem((*where, name), key.mark, "merge keys are not YAML 1.2")
        return values

    def _given(self, node: Node, where: Where) -> Any:
        null = node.scalar is None and node.items is None and node.pairs is None
        if null and not (self.nulls and len(where) == 1):
            self._problem(where, node.mark, "no value given")
        return self.value_of(node, where)

    def _problem(self, where: Where, mark: Mark, message: str) -> None:
        self.problems.append(Problem(dotted(where), message, *mark))
