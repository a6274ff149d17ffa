"""The base classes of messages and resources."""

from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Frozen(BaseModel):
    """An immutable value that rejects unknown fields; a field's docstring is its description."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, defer_build=True)

    def __class_getitem__(cls, arguments: Any) -> Any:
        """Return the generic class with these arguments, without a search for its docstrings.

        It has the fields of this class with their descriptions, and no source of its own. To find that out,
        pydantic looks through all loaded modules for frames of the stack: more than half of a start's time.
        """
        cls.model_config["use_attribute_docstrings"] = False
        try:
            made = super().__class_getitem__(arguments)
        finally:
            cls.model_config["use_attribute_docstrings"] = True
        if isinstance(made, type) and issubclass(made, BaseModel):
            made.model_config["use_attribute_docstrings"] = True  # for the classes that are derived from it
        return made


class Resource(Frozen):
    """A value that REST clients also see: camelCase by alias, snake_case by name, both accepted on input.

    The OpenAPI document takes the descriptions of fields from their docstrings and composes its examples from
    those of the fields.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        msg = f"must be text; the character at {error.start} is half of a pair (a lone surrogate)"
        raise ValueError(msg) from error
    return text


ENCODABLE = AfterValidator(_encodable)
"""Text that every encoder takes: JSON may contain halves of pairs, which are no characters."""


def _not_blank(text: str) -> str:
    if not text.strip():
        msg = "must not be blank"
        raise ValueError(msg)
    return text


MAX_ATTRIBUTES = 50
MAX_ATTRIBUTE_NAME = 100
MAX_ATTRIBUTE_TEXT = 1000
_AttributeName = Annotated[str, Field(min_length=1, max_length=MAX_ATTRIBUTE_NAME), ENCODABLE]
_AttributeText = Annotated[str, Field(max_length=MAX_ATTRIBUTE_TEXT), ENCODABLE]
Attributes = Annotated[dict[_AttributeName, _AttributeText], Field(max_length=MAX_ATTRIBUTES)]
"""Further facts about a person, by their names."""


def one_or_many(value: object) -> object:
    """Accept a single string in place of a list; an empty string is an empty list."""
    if isinstance(value, str):
        return [value] if value.strip() else []
    return value


Consent = Annotated[str, Field(min_length=1, max_length=500), ENCODABLE]
"""Evidence that a person agreed to be called."""

Name = Annotated[
    str,
    Field(min_length=1, max_length=200, json_schema_extra={"pattern": r"\S"}),
    ENCODABLE,
    AfterValidator(_not_blank),
]
"""A name that a user gives: 1 to 200 characters, not only blanks."""

Instant = AwareDatetime
"""A point in time with a zone; CATO itself always uses UTC."""
