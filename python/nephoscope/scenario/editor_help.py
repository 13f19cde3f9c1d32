"""The JSON Schema with what an editor shows beside a key: what it is, its unit, an example."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from nephoscope.scenario import units

Schema = dict[str, Any]

_TABLE = Path(__file__).parent / "editor.yaml"

# By the pattern of its text, what a quantity is, with an example.
_QUANTITIES = {
    units.DURATION_PATTERN: ("a duration, in ns, us, ms, s, m, h, d or w", "10s"),
    units.RATE_PATTERN: ("a rate, for each ns, us, ms, s, m, h, d or w", "40/s"),
    units.SIZE_PATTERN: ("a size, in B, kB, MB, GB, KiB, MiB, GiB and so on", "1MB"),
    units.BANDWIDTH_PATTERN: ("a bandwidth, such as Mbps, Gbps, MB/s, MiB/s", "125MB/s"),
    units.SHARE_PATTERN: ("a share, as a number or in percent", "10%"),
}
_CLOCK = "GHz"

# Each kind of quantity with its units.
QUANTITY_UNITS = [tuple(words.split(", ", 1)) for words, _ in _QUANTITIES.values()]


def with_help(schema: Schema) -> Schema:
    """The schema with a description and an example for every key; what is there stays."""
    definitions = schema.get("$defs", {})
    for name, model in (("ScenarioModel", schema), *definitions.items()):
        for key, value in properties_of(model).items():
            _help(value, name.rpartition("__")[2], key, definitions)
    return schema


def properties_of(model: Schema) -> dict[str, Schema]:
    """The keys of a model, which may have a short form beside its mapping."""
    for form in (model, *model.get("anyOf", ())):
        if "properties" in form:
            return dict(form["properties"])
    return {}


def quantity_words(schema: Schema) -> str:
    """What a scalar is measured in; empty where it has no unit."""
    told = [_QUANTITIES[it][0] for it in _patterns(schema) if it in _QUANTITIES]
    if any(_CLOCK in pattern for pattern in _patterns(schema)):
        told.append("a frequency, in GHz or MHz")
    return ", or ".join(dict.fromkeys(told))


def _help(value: Schema, model: str, key: str, definitions: dict[str, Schema]) -> None:
    described, examples = _table()
    words = value.get("description") or described.get(f"{model}.{key}") or described.get(key)
    if words is not None:
        unit = quantity_words(value)
        words = words.removesuffix(".")
        value["description"] = f"{words} ({unit})." if unit else f"{words}."
    value["examples"] = [_example(value, model, key, definitions, examples)]


def _example(
    value: Schema, model: str, key: str, definitions: dict[str, Schema], examples: dict[str, Any]
) -> Any:
    if f"{model}.{key}" in examples:
        return examples[f"{model}.{key}"]
    made = _made(value, definitions)
    # What goes by its name alone must be of the kind that the key has here.
    if key in examples and _kind(examples[key]) in _kinds(value, definitions):
        return examples[key]
    return made


def _made(value: Schema, definitions: dict[str, Schema]) -> Any:
    """An example by the type alone: the default, or the plainest value that is allowed."""
    if "default" in value:
        return value["default"]
    if "$ref" in value:
        return _made(definitions[value["$ref"].rpartition("/")[2]], definitions)
    if forms := value.get("anyOf") or value.get("oneOf"):
        return _made(forms[0], definitions)
    if "enum" in value:
        return value["enum"][0]
    match value.get("type"):
        case "boolean":
            return True
        case "integer" | "number":
            return max(value.get("minimum", value.get("exclusiveMinimum", 0) + 1), 1)
        case "array":
            return [_made(value.get("items", {}), definitions)]
        case "object":
            needed = value.get("required", ())
            return {it: _made(value["properties"][it], definitions) for it in needed}
    return _QUANTITIES.get(value.get("pattern", ""), ("", "web"))[1]


def _kind(value: Any) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return kinds.get(type(value), "object")


def _kinds(value: Schema, definitions: dict[str, Schema]) -> set[str]:
    if "$ref" in value:
        return _kinds(definitions[value["$ref"].rpartition("/")[2]], definitions)
    kinds = {value["type"]} if "type" in value else set()
    kinds |= {_kind(word) for word in value.get("enum", ())}
    for form in (*value.get("anyOf", ()), *value.get("oneOf", ())):
        kinds |= _kinds(form, definitions)
    return kinds or {"object", "array", "string", "integer", "number", "boolean"}


def _patterns(schema: Any) -> Iterator[str]:
    """Those of a value and of all that it is a list of."""
    if isinstance(schema, dict):
        if "pattern" in schema:
            yield schema["pattern"]
        for key in ("anyOf", "oneOf", "items", "prefixItems"):
            yield from _patterns(schema.get(key))
    elif isinstance(schema, list):
        for part in schema:
            yield from _patterns(part)


@cache
def _table() -> tuple[dict[str, str], dict[str, Any]]:
    table = yaml.load(_TABLE.read_text(encoding="utf-8"), Loader=_Plain)
    return table["descriptions"], table["examples"]


class _Plain(yaml.SafeLoader):
    """Of the scalars numbers and truths alone are no texts: a date is written as one."""


_Plain.yaml_implicit_resolvers = {
    first: [it for it in found if not it[0].endswith(("timestamp", "null"))]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
