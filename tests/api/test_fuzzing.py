"""Thousands of generated requests: the system stays up, and every answer is documented."""

import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from cato_client import Client as Cato
from tests.support.tones import tone

HERE = Path(__file__).parent / "fuzzing"
SEED = "4"
EXAMPLES = "60"
BUDGET_S = 75
FEWEST_CASES = 1000
PEOPLE = [{"fullName": "Ivan Potapov", "phones": "776429"}]


@pytest.fixture
def known_ids(stack, client):
    """Create one resource of each kind, so that requests get beyond "unknown id"; the task starts in 2099.

    The last id is an ended execution. Its call was not answered, but it is in the history.
    """
    audio = client.add_prompt(f"tone-{uuid.uuid4().hex}", tone(0.5))["id"]
    task = client.make_task(PEOPLE, files=[audio])
    over = client.start(task)
    with Cato(stack.url, "default") as cato:
        for report in cato.follow(uuid.UUID(over)):
            if report.calls_in_progress:
                client.http.put(f"/task-execs/{over}/stop", params={"hangup": "true"})
    call = client.call("GET", "/calls")["items"][0]["id"]
    kept = client.call("GET", f"/tasks/{task}")
    client.call("PUT", f"/tasks/{task}", json={**kept, "startAt": "2099-01-01T00:00:00Z"})
    listed = client.call("PUT", "/exclusion-lists/add/fuzz", json=[{"number": "776499"}])["id"]
    return [audio, kept["groups"][0], kept["settings"], task, call, listed, client.start(task), over]


@pytest.mark.timeout(300)
def test_generated_requests_are_answered_as_documented(stack, client, known_ids, tmp_path):
    for file in HERE.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(client.http.get(f"{stack.url}/openapi.json").json()))
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", str(document)]
    command += ["--url", stack.url, "--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"]
    command += ["--seed", SEED, "--max-examples", EXAMPLES, "--max-time", str(BUDGET_S)]
    environment = {**os.environ, "CATO_FUZZING_IDS": ",".join(known_ids), "COLUMNS": "120"}
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=280
    )
    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr[-2000:]
    cases = re.search(r"(\d+) generated", ended.stdout)
    assert cases, ended.stdout[-2000:]
    print(f"\n{cases[1]} generated requests were answered as documented")  # noqa: T201
    assert int(cases[1]) >= FEWEST_CASES
    assert client.http.get(f"{stack.url}/readyz").status_code == 200
