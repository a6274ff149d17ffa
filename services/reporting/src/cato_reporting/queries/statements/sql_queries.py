"""The query of statements: SQL over the views for analysts."""

import asyncio

from cato_contracts.api.sql import RunSql, SqlResult
from cato_contracts.errors import InvalidError, TooLargeError, UnavailableError
from cato_reporting.domain.statement import StatementError, read_statement
from cato_reporting.ports import AnalystDatabase
from cato_reporting.queries.history.call_queries import ANSWER_BYTES
from cato_reporting.queries.read_barrier import ReadBarrier
from cato_runtime.requests import RequestContext

_MOST_WAITING = 4


class SqlQueries:
    """Executes one statement at a time, on data as recent as those of every other query."""

    def __init__(self, barrier: ReadBarrier, database: AnalystDatabase) -> None:
        self._barrier = barrier
        self._database = database
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def run_sql(self, query: RunSql, _context: RequestContext) -> SqlResult:
        try:
            statement = read_statement(query.statement)
        except StatementError as error:
            raise InvalidError(str(error)) from error
        if self._waiting > _MOST_WAITING:
            raise UnavailableError("other statements are being executed; try again later")
        self._waiting += 1
        try:
            async with self._turn, self._barrier.consistent():
                await self._barrier.all_stored()
                data = await self._database.run(statement, query.parameters, query.format)
        except StatementError as error:
            raise InvalidError(str(error)) from error
        finally:
            self._waiting -= 1
        result = await asyncio.to_thread(SqlResult.of, data)
        if len(result.data) > ANSWER_BYTES:
            raise TooLargeError("the result is larger than one answer can carry; add LIMIT, or aggregate")
        return result
