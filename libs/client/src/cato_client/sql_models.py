"""The result of a statement."""

from typing import Any

from cato_client.models import Model


class SqlColumn(Model):
    """A column of a result; `type` is ClickHouse's."""

    name: str
    type: str


class SqlTable(Model):
    """The result of a statement."""

    columns: list[SqlColumn]
    rows: list[list[Any]]
