"""The scenario language as JSON Schema (draft 2020-12), for editors and other programs."""

from datetime import datetime
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from nephoscope.scenario.editor_help import with_help
from nephoscope.scenario.language.fields import date_time_text
from nephoscope.scenario.language.structure import ScenarioModel
from nephoscope.scenario.units import SHARE_PATTERN

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Generator(GenerateJsonSchema):
    """The file as it is written: what may be left out is not null, and quantities are texts."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """In a file a key is there or not; null is no value."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Defaults that a file could hold are told; the others are None or whole models."""
        inner = self.generate_inner(schema["schema"])
        default = schema.get("default")
        if isinstance(default, datetime):
            default = date_time_text(default)
        if isinstance(default, bool) or not isinstance(default, int | float | str):
            return inner
        plain = default if type(default) in {int, float, str} else str(default)
        plain = _as_written(plain, inner)
        return {**inner, "default": plain} if "$ref" not in inner else inner


def _as_written(default: float | str, schema: JsonSchemaValue) -> float | str:
    """A default as a file would have it: clocks are kept in GHz, some shares in percent."""
    if isinstance(default, str):
        return default
    if "GHz" in schema.get("pattern", ""):
        return f"{default:g}GHz"
    shares = any(form.get("pattern") == SHARE_PATTERN for form in schema.get("anyOf", ()))
    return f"{default:g}%" if shares and default > 1 else default


def json_schema() -> dict[str, Any]:
    """The schema; it describes single keys, and `nephoscope check` what holds between them."""
    schema = ScenarioModel.model_json_schema(schema_generator=_Generator)
    return {
        "$schema": DIALECT,
        "$id": "urn:nephoscope:scenario:1",
        **with_help(schema),
        "title": "nephoscope scenario",
    }
