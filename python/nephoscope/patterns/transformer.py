"""Input transformers: what a target is sent in place of an event.

Values of an event get names by their paths, and a template, a text in quotes or an object of JSON,
puts them where `<name>` stands. What is put in is not escaped, as the provider has it: a text goes
in as it is, with quotes around it where the template has none, anything else as JSON. A path that
leads nowhere gives nothing: no letters within quotes, an empty text outside.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nephoscope.errors import PatternError, shorten
from nephoscope.nearest import nearest
from nephoscope.patterns.json_path import JsonPath, read_path
from nephoscope.patterns.json_value import Members, write_value

PATHS_MAX = 100
TEMPLATE_MAX = 8192

RULE_ARN = "aws.events.rule-arn"
RULE_NAME = "aws.events.rule-name"
INGESTION_TIME = "aws.events.event.ingestion-time"
EVENT = "aws.events.event"
EVENT_JSON = "aws.events.event.json"
PREDEFINED = (RULE_ARN, RULE_NAME, INGESTION_TIME, EVENT, EVENT_JSON)

_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_PLACEHOLDER = re.compile(r"<([A-Za-z0-9_.-]+)>")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Letters of the template, or the name of a value, within quotes or not."""

    letters: str = ""
    name: str | None = None
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Transformer:
    """A template and the paths of its values, checked."""

    paths: Mapping[str, JsonPath]
    pieces: tuple[_Piece, ...]

    def apply(self, event: Members, predefined: Mapping[str, str]) -> str:
        """The text that the target is sent; `predefined` are the names that are no paths."""
        return "".join(
            piece.letters if piece.name is None else self._put(piece, event, predefined)
            for piece in self.pieces
        )

    def _put(self, piece: _Piece, event: Members, predefined: Mapping[str, str]) -> str:
        name = str(piece.name)
        if name == EVENT_JSON:
            return write_value(event)
        if name == EVENT:
            return write_value(Members((key, it) for key, it in event if key != "detail"))
        found: list[Any] = [predefined[name]] if name in predefined else []
        if name in self.paths:
            found = self.paths[name].find(event)
        value = found[0] if found else ""
        if not isinstance(value, str):
            return write_value(value)
        return value if piece.quoted else f'"{value}"'


def read_transformer(paths: Any, template: Any) -> Transformer:
    """Raises PatternError where the paths are none, or the template does not fit them."""
    if not isinstance(paths, Mapping):
        raise PatternError(f"{shorten(paths)} are no paths", "paths", "names and their paths")
    if len(paths) > PATHS_MAX:
        raise PatternError(f"{len(paths)} paths", "paths", f"at most {PATHS_MAX}")
    read = {_read_name(name): read_path(path, f"paths.{name}") for name, path in paths.items()}
    if not isinstance(template, str):
        raise PatternError(f"{shorten(template)} is no template", "template", "a text")
    if not 1 <= len(template) <= TEMPLATE_MAX:
        message = f"a template of {len(template)} letters"
        raise PatternError(message, "template", f"1 to {TEMPLATE_MAX}")
    pieces = tuple(_pieces(template))
    names = {piece.name for piece in pieces if piece.name is not None}
    for name in sorted(names - set(PREDEFINED) - set(read)):
        known = [*read, *PREDEFINED]
        allowed = "the names of the paths and those of aws.events"
        raise PatternError(f"<{name}> has no path", "template", allowed, nearest(name, known))
    _check_json(pieces)
    return Transformer(read, pieces)


def _read_name(name: Any) -> str:
    allowed = "letters, digits, _ and -, not beginning with AWS"
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise PatternError(f"{shorten(name)} is no name of a path", "paths", allowed)
    if name.upper().startswith("AWS"):
        raise PatternError(f"the name {name} is reserved", "paths", allowed)
    return name


def _pieces(template: str) -> Iterator[_Piece]:
    """Texts in quotes as they are, and what is between them without spaces."""
    at = 0
    for string in _STRING.finditer(template):
        yield from _split(re.sub(r"\s+", "", template[at : string.start()]), quoted=False)
        key = template[string.end() :].lstrip().startswith(":")
        if key and _PLACEHOLDER.search(string[0]):
            message = f"{string[0]} is a key"
            raise PatternError(message, "template", "a placeholder only in a value")
        yield from _split(string[0], quoted=True)
        at = string.end()
    yield from _split(re.sub(r"\s+", "", template[at:]), quoted=False)


def _split(text: str, *, quoted: bool) -> Iterator[_Piece]:
    at = 0
    for placeholder in _PLACEHOLDER.finditer(text):
        yield _Piece(letters=text[at : placeholder.start()])
        yield _Piece(name=placeholder[1], quoted=quoted)
        at = placeholder.end()
    yield _Piece(letters=text[at:])


def _check_json(pieces: tuple[_Piece, ...]) -> None:
    """Whether the template is a text or an object where every value is what JSON takes."""
    example = "".join(
        piece.letters if piece.name is None else ("" if piece.quoted else "0") for piece in pieces
    )
    allowed = 'a text in quotes, such as "<name> is here", or an object of JSON'
    try:
        value = json.loads(example, object_pairs_hook=Members)
    except (ValueError, RecursionError):
        message = "the template has no quotes around it"
        if example[:1] in {'"', "{"}:
            message = "the template is not legal JSON"
        raise PatternError(message, "template", allowed) from None
    alone = example == "0" and any(piece.name is not None for piece in pieces)
    if not isinstance(value, str | Members) and not alone:
        raise PatternError("the template is neither a text nor an object", "template", allowed)
