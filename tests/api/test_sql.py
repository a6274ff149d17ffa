"""SQL while the system runs: over the API, and by the command on the machine."""

import subprocess
import sys

import httpx

ANALYST = {"Authorization": "Bearer plain:analyst"}
FIRST = "SELECT {no:UInt8} AS no, name FROM (SELECT 'Ольга' AS name)"


def test_an_analyst_queries_the_views_over_the_api(stack):
    with httpx.Client(base_url=f"{stack.url}/api/v1", headers=ANALYST) as http:
        answer = http.post("/sql", json={"sql": FIRST, "parameters": {"no": "7"}})
        assert answer.json() == {
            "columns": [{"name": "no", "type": "UInt8"}, {"name": "name", "type": "String"}],
            "rows": [[7, "Ольга"]],
        }
        refused = http.post("/sql", json={"sql": "SELECT * FROM system.tables"})
        assert refused.status_code == 400
        assert "system.tables cannot be read" in refused.json()["message"]


def test_a_token_without_the_permission_is_refused(client):
    client.call("POST", "/sql", expected=403, json={"sql": "SELECT 1"})


def cato_sql(stack, *arguments):
    command = [sys.executable, "-m", "cato_stack", "sql", *arguments, "--data", str(stack.directory / "data")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_shows_a_table_csv_and_json(stack):
    assert cato_sql(stack, FIRST, "--param", "no=7").stdout.splitlines() == [
        "no  name",
        "--  -----",
        "7   Ольга",
    ]
    assert cato_sql(stack, FIRST, "--param", "no=7", "--format", "csv").stdout == "no,name\n7,Ольга\n"
    assert '"rows":[[7,"Ольга"]]' in cato_sql(stack, FIRST, "--param", "no=7", "--format", "json").stdout


def test_the_command_says_why_a_statement_is_rejected(stack):
    rejected = cato_sql(stack, "DROP TABLE calls")
    assert (rejected.returncode, rejected.stderr) == (
        1,
        "cato: a statement should begin with SELECT or WITH\n",
    )
