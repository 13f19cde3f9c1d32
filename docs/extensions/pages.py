"""The pages of the site that are made from something else, so that none of it is written twice.

The reference of scenario files comes from the JSON Schema, the list of headers from the comments
that they open with.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nephoscope.scenario.editor_help import QUANTITY_UNITS, properties_of, quantity_words
from nephoscope.scenario.schema import json_schema

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]

Schema = dict[str, Any]


def setup(app: "Sphinx") -> dict[str, bool]:
    """Fill the pages when they are read: what lies in docs/ are their titles."""
    app.connect("source-read", _fill)
    app.connect("autodoc-process-docstring", _drawn)
    return {"parallel_read_safe": True}


def _fill(_: "Sphinx", page: str, source: list[str]) -> None:
    if page == "reference":
        source[0] += reference(json_schema())
    elif page == "headers":
        source[0] += headers()


def _drawn(
    _app: "Sphinx", _what: str, name: str, _it: Any, _options: Any, lines: list[str]
) -> None:
    """The tree of errors is a drawing, and no prose."""
    if name == "nephoscope.errors":
        first, *rest = lines
        lines[:] = [first, "", "::", "", *(f"    {line}" for line in rest)]


def reference(schema: Schema) -> str:
    """Every key of a scenario file: its type, default, what is allowed, an example."""
    lines = ["", "| quantity | units |", "|---|---|"]
    lines += [f"| {kind} | {units} |" for kind, units in QUANTITY_UNITS]
    definitions = schema["$defs"]
    for name in _in_order(schema):
        model = schema if name == _TOP else definitions[name]
        lines += ["", f"({_anchor(name)})=", f"## {_title(name)}", "", _words(model)]
        if short := _short(model, definitions):
            lines += ["", f"May be written short, as {short}."]
        keys = properties_of(model)
        if not keys:
            continue
        lines += ["", "| key | type | default | what it is | example |", "|---|---|---|---|---|"]
        required = set(_full(model).get("required", ()))
        for key, value in keys.items():
            default = "required" if key in required else _code(value.get("default"))
            cells = (f"`{key}`", _type(value, definitions), default, _words(value))
            example = _code(value["examples"][0])
            lines.append(f"| {' | '.join((*map(_cell, cells), _cell(example)))} |")
    return "\n".join(lines) + "\n"


def headers() -> str:
    """Every header of the core with the first sentence of the comment that it opens with."""
    lines: list[str] = []
    folder = None
    for path in sorted((ROOT / "cpp").rglob("*.hpp")):
        inside = path.relative_to(ROOT / "cpp")
        if inside.parts[0] != folder:
            folder = inside.parts[0]
            lines += ["", f"## {folder}", "", "| header | |", "|---|---|"]
        comment = re.match(r"(?://[^\n]*\n)+", path.read_text(encoding="utf-8"))
        words = " ".join(it.lstrip("/ ") for it in comment[0].splitlines()) if comment else ""
        first = re.split(r"(?<=[.]) ", words)[0]
        lines.append(f"| `{inside.as_posix()}` | {_cell(first)} |")
    return "\n".join(lines) + "\n"


_TOP = "ScenarioModel"


def _in_order(schema: Schema) -> list[str]:
    """The models as a reader meets them: from the top, each before what it is made of."""
    found = [_TOP]
    for name in found:
        model = schema if name == _TOP else schema["$defs"][name]
        for value in (model, *properties_of(model).values()):
            found += [it for it in dict.fromkeys(_references(value, model)) if it not in found]
    return found


def _references(value: Any, model: Schema) -> list[str]:
    if isinstance(value, dict):
        inside = [
            it for key, part in value.items() if key != "$defs" for it in _references(part, model)
        ]
        return ([_name(value)] if "$ref" in value else []) + inside
    if isinstance(value, list):
        return [it for part in value for it in _references(part, model)]
    return []


def _name(value: Schema) -> str:
    return str(value["$ref"].rpartition("/")[2])


def _title(name: str) -> str:
    if name == _TOP:
        return "The file"
    place = {
        "nephoscope__scenario__distribution__Bounds": "Bounds of a uniform distribution",
        "nephoscope__scenario__scaling__Bounds": "Bounds of a fleet",
    }
    return place.get(name) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.rpartition("__")[2])


def _anchor(name: str) -> str:
    return re.sub(r"[^a-z]+", "-", name.lower()).strip("-")


def _full(model: Schema) -> Schema:
    """The form of a model that is a mapping."""
    return next((it for it in (model, *model.get("anyOf", ())) if "properties" in it), model)


def _short(model: Schema, definitions: dict[str, Schema]) -> str:
    forms = [it for it in model.get("anyOf", ()) if "properties" not in it]
    return " or ".join(_type(it, definitions) for it in forms)


def _type(value: Schema, definitions: dict[str, Schema]) -> str:
    """What a value may be, in words, with links to the models in it."""
    if "$ref" in value:
        name = _name(value)
        return f"[{_title(name)}](#{_anchor(name)})"
    forms = value.get("anyOf", value.get("oneOf"))
    if forms:
        return " or ".join(dict.fromkeys(_type(it, definitions) for it in forms))
    if "enum" in value:
        words = [_code(it) for it in value["enum"]]
        return ", ".join(words) if len(words) <= 14 else "a name that `nephoscope catalog` lists"
    match value.get("type"):
        case "array":
            parts = value.get("items") or {"anyOf": value.get("prefixItems", [])}
            return f"a list of {_type(parts, definitions)}" if parts else "a list"
        case "object":
            inside = [
                *value.get("patternProperties", {}).values(),
                *([value["additionalProperties"]] if value.get("additionalProperties") else []),
            ]
            inner = [_type(it, definitions) for it in inside if isinstance(it, dict) and it]
            return f"by name: {' or '.join(inner)}" if inner else "a mapping"
        case "integer" | "number":
            return _bounds(value)
        case "boolean":
            return "`true`, `false`"
        case "string":
            return quantity_words(value).partition(",")[0] or "text"
    return "anything"


def _bounds(value: Schema) -> str:
    kind = "a whole number" if value["type"] == "integer" else "a number"
    low = value.get("minimum", value.get("exclusiveMinimum"))
    high = value.get("maximum", value.get("exclusiveMaximum"))
    above = "above" if "exclusiveMinimum" in value else "from"
    told = f" {above} {low:,}" if low is not None else ""
    return f"{kind}{told}{f' to {high:,}' if high is not None and high < 1e15 else ''}"


def _words(value: Schema) -> str:
    """The description; the units of a kind of quantity are told once, above."""
    words = " ".join(str(value.get("description", "")).split())
    return words.replace(f" ({quantity_words(value)})", "")


def _code(value: Any) -> str:
    return "" if value is None else f"`{_yaml(value)}`"


def _yaml(value: Any) -> str:
    """A value in one line, as a scenario file has it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml(it)}" for key, it in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return f"'{text}'" if re.search(r"[{}\[\]<>,]|: ", text) else text


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
