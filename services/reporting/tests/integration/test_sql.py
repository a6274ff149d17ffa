"""SQL of analysts on the engine: documented statements give their results, and nothing else is reached."""

import json
from pathlib import Path

import pytest

from cato_contracts.api.sql import RunSql, SqlFormat
from cato_contracts.errors import InvalidError, UnavailableError
from cato_reporting.adapters.clickhouse.statements.analyst_database import ClickHouseAnalystDatabase
from cato_reporting.domain.statement import StatementError, StatementLimits, read_statement
from services.reporting.tests.reporting_system import ACTOR, keep_list, publish, reporting
from tests.analytics.documented import statements
from tests.support.synthetic_runs import synthetic_run


@pytest.fixture(params=["embedded", "http"])
def dsn(request, clickhouse_dsn):
    if request.param == "embedded":
        return clickhouse_dsn
    return request.getfixturevalue("clickhouse_over_http").dsn


@pytest.fixture
def run():
    return synthetic_run(61, subscribers=6, waves=2)


@pytest.fixture
async def reports(bus, dsn, run):
    await keep_list(bus, run)
    async with reporting(bus, dsn) as reports:
        await publish(bus, run.messages)
        yield reports


async def sql(reports, statement, form=SqlFormat.JSON, **parameters):
    query = RunSql(actor=ACTOR, statement=statement, parameters=parameters, format=form)
    return (await reports._ask(query)).content()


async def rows(reports, statement, **parameters):
    return json.loads(await sql(reports, statement, **parameters))["rows"]


async def test_documented_statements_give_rows_while_the_service_runs(reports, run):
    for heading, blocks in statements().items():
        for block in blocks:
            parameters = {"run": str(run.run_id)} if "{run:UUID}" in block else {}
            found = json.loads(await sql(reports, block, **parameters))
            assert found["columns"], heading
            # One run alone: nobody is missed in two runs.
            assert found["rows"] or heading.startswith("10."), heading
    assert await rows(reports, "SELECT count() FROM run_subscribers") == [[len(run.subscribers)]]


async def test_the_result_is_as_recent_as_the_request(reports, bus):
    for seed in (62, 63):
        other = synthetic_run(seed, subscribers=2)
        await keep_list(bus, other)
        await publish(bus, other.messages)
        found = await rows(
            reports, "SELECT count() FROM runs WHERE run_id = {run:UUID}", run=str(other.run_id)
        )
        assert found == [[1]]


async def test_a_result_as_csv_has_a_header(reports, run):
    content = await sql(reports, "SELECT run_id, 'a;\"b' AS text FROM runs", SqlFormat.CSV)
    assert content.decode().splitlines() == ["run_id,text", f'{run.run_id},"a;""b"']


REJECTED = [
    "INSERT INTO calls VALUES (1)",
    "DROP TABLE call_rows",
    "CREATE TABLE evil (a Int8) ENGINE = Memory",
    "SELECT 1; CREATE TABLE evil (a Int8) ENGINE = Memory",
    "SELECT 1 INTO OUTFILE '{file}'",
    "SELECT 1 INTO/**/OUTFILE '{file}'",
    "SELECT 1 -- \n INTO OUTFILE '{file}'",
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT file('/etc/passwd')",
    "INSERT INTO FUNCTION file('{file}', 'CSV') SELECT 1",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT * FROM s3('http://127.0.0.1:1/x')",
    "SELECT * FROM remote('127.0.0.1:1', system.one)",
    "SELECT * FROM executable('id', 'TSV', 'a String')",
    "SELECT * FROM python('x')",
    "SELECT * FROM merge('system', 'users')",
    "SELECT * FROM system.tables",
    "SELECT * FROM `system`.`tables`",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM call_rows",
    "SELECT * FROM default.call_rows",
    "SELECT 1 WHERE 'x' IN system.users",
    "SELECT 1 WHERE 'x' IN (system.users)",
    "SELECT in('x', system.users)",
    "SELECT notIn('x', call_rows)",
    "SELECT 1 IN {table:Identifier}",
    "SELECT * FROM {table:Identifier}",
    "SELECT * FROM view(SELECT * FROM system.tables)",
    "WITH call_rows AS (SELECT 1) SELECT * FROM call_rows",
    "SELECT * FROM run_rows WHERE 1 IN (WITH run_rows AS (SELECT 1 AS x) SELECT x FROM run_rows)",
    "WITH `system.tables` AS (SELECT 1) SELECT * FROM system.tables",
    "SELECT (SELECT count() FROM system.users)",
    "SELECT 1 UNION ALL SELECT count() FROM system.users",
    "SELECT * FROM calls AS c, system.one",
    "SELECT * FROM (SELECT * FROM (SELECT name FROM system.tables))",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT 1 SETTINGS max_execution_time = 0",
    "SET max_execution_time = 0",
    "SELECT getSetting('readonly')",
    "SELECT hasColumnInTable('system', 'users', 'name')",
    "SELECT joinGet('call_rows', 'number', 1)",
    "SELECT dictGet('x.y', 'z', 1)",
    "SELECT hostName()",
    "SELECT currentUser()",
    "SELECT sleep(3)",
    "SYSTEM FLUSH LOGS",
    "USE system",
    "SHOW TABLES",
    "DESCRIBE TABLE call_rows",
    "EXPLAIN SELECT 1",
    "KILL QUERY WHERE 1",
    "ATTACH TABLE x",
    "BACKUP TABLE calls TO File('{file}')",
    "SELECT $a$ ' $a$, 'INTO OUTFILE'",
    "SELECT nothing FROM calls",
    "SELECT FROM WHERE",
    "SELECT {missing:UUID}",
    "SELECT {run:UUID}",
]


async def test_statements_that_reach_for_anything_else_are_rejected(reports, tmp_path: Path):
    file = tmp_path / "written"
    for text in REJECTED:
        statement = text.replace("{file}", str(file))
        with pytest.raises(InvalidError) as refused:
            await sql(reports, statement, table="system.tables", run="no uuid")
        message = refused.value.message
        assert "version" not in message
        assert "Code:" not in message, message
    assert not file.exists()
    assert await rows(reports, "SELECT count() FROM calls") != [[0]]


async def test_a_session_stays_as_it_was_after_rejected_statements(reports):
    for text in ("USE system", "SET readonly = 0", "SELECT 1 SETTINGS max_result_rows = 0"):
        with pytest.raises(InvalidError):
            await sql(reports, text)
    with pytest.raises(InvalidError, match="more than 10000 rows"):
        await sql(reports, "SELECT number FROM numbers(10001)")
    assert len(await rows(reports, "SELECT number FROM numbers(10000)")) == 10_000


async def test_limits_of_time_and_memory_are_told(tmp_path: Path):
    limits = StatementLimits(seconds=1, memory_mb=50)
    database = ClickHouseAnalystDatabase(f"chdb://{tmp_path / 'clickhouse'}", limits)
    try:
        with pytest.raises(StatementError, match="longer than 1 s"):
            await database.run(
                read_statement("SELECT sum(number) FROM numbers(1000000000000)"), {}, SqlFormat.JSON
            )
        large = read_statement("SELECT count() FROM (SELECT DISTINCT number FROM numbers(50000000))")
        with pytest.raises(StatementError, match="more than 50 MB of memory"):
            await database.run(large, {}, SqlFormat.JSON)
    finally:
        await database.close()


async def test_statements_are_refused_while_clickhouse_is_away(bus, clickhouse_over_http, run):
    async with reporting(bus, clickhouse_over_http.dsn) as reports:
        await publish(bus, run.messages)
        assert await rows(reports, "SELECT count() FROM runs") == [[1]]
        clickhouse_over_http.kill()
        with pytest.raises(UnavailableError):
            await sql(reports, "SELECT count() FROM runs")
