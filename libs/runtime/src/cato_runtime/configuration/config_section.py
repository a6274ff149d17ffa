"""The base class of the sections of the configuration file."""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from cato_contracts.errors import ConfigurationError


class Section(BaseModel):
    """A section of the file: keys are camelCase, unknown keys are rejected."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


def secret_of(variable: str | None, file: Path | None, what: str) -> str:
    """Return the secret in an environment variable or a file; `what` names it in errors.

    Raises:
        ConfigurationError: if it is empty or missing.

    """
    value = os.environ.get(variable, "") if variable else ""
    if file is not None:
        try:
            value = file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigurationError(f"the file of a {what} cannot be read: {error}") from error
    if not value:
        raise ConfigurationError(f"a {what} is empty or missing: {variable or file}")
    return value
