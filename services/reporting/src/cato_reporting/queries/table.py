"""Which handler answers which request."""

from cato_contracts.api.exports import (
    BeginCallExport,
    BeginSubscriberExport,
    EndCallExport,
    ListRunSubscribers,
    TakeExportPiece,
)
from cato_contracts.api.history import GetCall, GetStatistics, ListCalls
from cato_contracts.api.rules.invalid_numbers import ListInvalidNumbers
from cato_contracts.api.sql import RunSql
from cato_contracts.api.status import GetStatusText, GetTaskExec, ListTaskExecs
from cato_reporting.queries.exports.open_exports import OpenExports
from cato_reporting.queries.history.call_queries import CallQueries
from cato_reporting.queries.history.run_subscriber_queries import RunSubscriberQueries
from cato_reporting.queries.statements.sql_queries import SqlQueries
from cato_reporting.queries.statistics.statistics_queries import StatisticsQueries
from cato_reporting.queries.status.status_queries import StatusQueries
from cato_runtime.requests import HandlerTable


def handler_table(  # noqa: PLR0917 - wired in one place
    status: StatusQueries,
    calls: CallQueries,
    statistics: StatisticsQueries,
    exports: OpenExports,
    sql: SqlQueries,
    subscribers: RunSubscriberQueries,
) -> HandlerTable:
    return {
        GetTaskExec: status.get_task_exec,
        ListTaskExecs: status.list_task_execs,
        GetStatusText: status.get_status_text,
        ListInvalidNumbers: status.list_invalid_numbers,
        ListCalls: calls.list_calls,
        GetCall: calls.get_call,
        GetStatistics: statistics.get_statistics,
        BeginCallExport: exports.begin_calls,
        BeginSubscriberExport: exports.begin_subscribers,
        TakeExportPiece: exports.take,
        EndCallExport: exports.end,
        RunSql: sql.run_sql,
        ListRunSubscribers: subscribers.list_run_subscribers,
    }
