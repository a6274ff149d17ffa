"""Statements of analysts: SQL over the views, while the system runs."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Base64UrlBytes, Field

from cato_contracts.api.status import SERVICE
from cato_contracts.model import Frozen
from cato_contracts.requests import Query, compressed, decompressed


class SqlFormat(StrEnum):
    """The format of a result."""

    JSON = "json"
    CSV = "csv"


class SqlResult(Frozen):
    """The result of a statement as a file of the requested format, compressed (Zstandard, RFC 8878)."""

    data: Base64UrlBytes

    @classmethod
    def of(cls, content: bytes) -> "SqlResult":
        """Compress the file."""
        # Not validated, because validation would decode the bytes as Base64.
        return cls.model_construct(data=compressed(content))

    def content(self) -> bytes:
        return decompressed(self.data)


class RunSql(Query[SqlResult]):
    """Execute a SELECT over the views for analysts.

    Who may do so is decided before: the views have the runs of all users. `parameters` are the values of
    placeholders such as `{run:UUID}`.
    """

    service: ClassVar[str] = SERVICE
    statement: str = Field(min_length=1, max_length=50_000)
    parameters: dict[str, str] = Field(default_factory=dict)
    format: SqlFormat = SqlFormat.JSON
