"""SQL over HTTP: for tokens with the permission `analyst` only."""

import pytest

from cato_contracts.api.sql import RunSql

API = "/api/v1"
ANALYST = {"Authorization": "Bearer plain:analyst"}


async def test_an_analyst_gets_the_result_as_json_and_as_csv(client, stack):
    body = {"sql": "SELECT 1 AS a", "parameters": {"run": "x"}}
    answer = await client.post(f"{API}/sql", json=body, headers=ANALYST)
    assert answer.json() == {"columns": [{"name": "a", "type": "UInt8"}], "rows": [[1]]}
    asked = stack.services.asked[-1].body
    assert isinstance(asked, RunSql)
    assert (asked.statement, asked.parameters) == ("SELECT 1 AS a", {"run": "x"})
    answer = await client.post(f"{API}/sql?format=csv", json={"sql": "SELECT 1"}, headers=ANALYST)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text == "a\r\n1\r\n"


@pytest.mark.parametrize("token", ["default", "reader", "writer", "admin", "stranger"])
async def test_no_other_token_may_execute_sql(client, token, refused):
    headers = {"Authorization": f"Bearer plain:{token}"}
    answer = await client.post(f"{API}/sql", json={"sql": "SELECT 1"}, headers=headers)
    refused(answer, 403, "lacks the permission analyst")


async def test_an_analyst_may_do_nothing_else(client, ids, refused):
    refused(await client.get(f"{API}/calls", headers=ANALYST), 403, "read")
    refused(await client.put(f"{API}/tasks/{ids['task']}/start", headers=ANALYST), 403, "run")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "sql is required"),
        ({"sql": ""}, "sql should have at least 1 character"),
        ({"sql": "x" * 50_001}, "sql should have at most 50000 characters"),
        ({"sql": "SELECT 1", "parameters": {"a": 1}}, "parameters.a should be text, not 1"),
        ({"sql": "SELECT 1", "settings": {}}, "unknown field settings"),
        ({"sql": "DROP TABLE calls"}, "SELECT or WITH"),
    ],
)
async def test_a_wrong_request_is_named(client, body, words, refused):
    refused(await client.post(f"{API}/sql", json=body, headers=ANALYST), 400, words)
