"""Machines that go by a name of the catalogue, or are described in full."""

from abc import abstractmethod
from typing import Any, ClassVar

from pydantic import SerializerFunctionWrapHandler, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from nephoscope.scenario.language.fields import refusal
from nephoscope.scenario.language.model import Model


class NamedType(Model):
    """A mapping of facts, or the name of a type that brings them all.

    What it is derived from has a field `type`, and says what a name brings.
    """

    bare = "type"
    # An example of a description in full, for messages.
    custom: ClassVar[str]

    @classmethod
    @abstractmethod
    def brought_by(cls, name: Any) -> dict[str, Any]:
        """The other fields, as the name brings them; refuses what is no name."""

    @model_validator(mode="before")
    @classmethod
    def _bring(cls, value: Any) -> Any:
        """A name of the catalogue with what it brings."""
        written = value if isinstance(value, cls) else cls.expand(value)
        if not isinstance(written, dict) or "type" not in written:
            return value
        try:
            brought = cls.brought_by(written["type"])
        except PydanticCustomError:  # the field says so, at its place
            return value
        own = [key for key in cls.model_fields if key in written and key != "type"]
        if own:
            message = f"{written['type']} brings its own {', '.join(own)}"
            raise refusal(message, f"{written['type']} alone, or {cls.custom}")
        return {**written, **brought}

    @model_serializer(mode="wrap")
    def _write(self, whole_of: SerializerFunctionWrapHandler) -> Any:
        """What a name brings is not written beside it."""
        name = getattr(self, "type", None)
        return whole_of(self) if name is None else name
