"""What all parts of a scenario have in common as data models.

A model refuses unknown keys and never converts types silently. Two habits of the file format are
made here once: a bare value that stands for a mapping (`call: db` for `call: {to: db}`), and a
mapping of exactly one key that says which form is meant (`{exponential: 40ms}`).
"""

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema

from nephoscope.errors import shorten
from nephoscope.nearest import listing, nearest
from nephoscope.scenario.language.fields import refusal


class Model(BaseModel):
    """A mapping of a scenario file."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )

    # The key that a bare value stands for.
    bare: ClassVar[str | None] = None
    # Keys of the scenario language that this version refuses by name.
    later: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _accept(cls, value: Any) -> Any:
        return value if isinstance(value, cls) else cls.expand(value)

    @classmethod
    def expand(cls, value: Any) -> Any:
        """The full form of a written value."""
        if cls.bare is not None and not isinstance(value, dict | list) and value is not None:
            return {cls.bare: value}
        return value

    @classmethod
    def keys(cls) -> dict[str, FieldInfo]:
        """The fields by the keys that a file has for them."""
        return {field.alias or name: field for name, field in cls.model_fields.items()}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        reference = handler(core_schema)
        schema = handler.resolve_ref_schema(reference)
        cls.describe(schema)
        return reference

    @classmethod
    def describe(cls, schema: dict[str, Any]) -> None:
        """Add the short forms to the JSON Schema of the full one."""
        if cls.bare is not None:
            _either(schema, schema["properties"][cls.bare])


class OneOf(Model):
    """A mapping of exactly one key, which says what is meant; a form without options is a word."""

    # Forms that may be written as the bare word, with every option at its default.
    words: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def expand(cls, value: Any) -> Any:
        """`{form: options}` of a word, a bare value or the mapping itself."""
        if isinstance(value, str) and (cls.words or value in cls.model_fields):
            return cls._of_word(value)
        value = super().expand(value)
        if isinstance(value, dict):
            forms = [key for key in value if key in cls.model_fields]
            if len(forms) > 1 or not value:
                raise refusal(
                    f"{len(value)} forms where one is needed", f"one of {listing(cls.forms())}"
                )
        return value

    @classmethod
    def _of_word(cls, word: str) -> Any:
        if word in cls.words:
            return {word: {}}
        if word in cls.model_fields:
            raise refusal(f"{word} needs its options", f"{{{word}: ...}}")
        allowed = listing(cls.forms(), 30)
        raise refusal(f"{shorten(word)} is not known", allowed, nearest(word, cls.forms()))

    @classmethod
    def forms(cls) -> list[str]:
        """The forms there are."""
        return list(cls.model_fields)

    @property
    def form(self) -> str:
        """The key that was given."""
        return next(name for name in type(self).model_fields if getattr(self, name) is not None)

    @property
    def options(self) -> Any:
        """The value of that key."""
        return getattr(self, self.form)

    @classmethod
    def describe(cls, schema: dict[str, Any]) -> None:
        """Exactly one key, or a word."""
        schema |= {"minProperties": 1, "maxProperties": 1}
        super().describe(schema)
        if cls.words:
            _either(schema, {"enum": list(cls.words)})

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise refusal("no form given", f"one of {listing(self.forms())}")
        return self


def _either(schema: dict[str, Any], short: dict[str, Any]) -> None:
    full = dict(schema)
    schema.clear()
    for key in ("title", "description"):
        if key in full:
            schema[key] = full.pop(key)
    schema["anyOf"] = [short, full]
