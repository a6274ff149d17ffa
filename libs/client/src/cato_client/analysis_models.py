"""What analysts get: statistics of calls, and the results of SQL."""

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


class CallStatistics(Model):
    """The statistics of a group of calls; ratios and means are None if no call has ended."""

    key: str | None
    label: str | None = None
    attempts: int
    in_progress: int
    answered: int
    succeeded: int
    failed: int
    delayed: int
    asr: float | None
    ner: float | None
    acd_ms: float | None
    pdd_ms: float | None
    pdd_p95_ms: float | None


class Statistics(Model):
    """Statistics by group, and of all calls together."""

    group_by: str
    groups: list[CallStatistics]
    total: CallStatistics
