"""The steps of the README with the `cato` command alone, against the running system."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.support.live_system import AUTH

ROOT = Path(__file__).parents[2]
CATO = str(Path(sys.executable).with_name("cato"))
BLOCK = re.compile(r"<!-- steps with cato -->\n+```\n(.*?)```", re.DOTALL)


def steps() -> list[str]:
    found = BLOCK.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert found is not None
    return [line.partition("#")[0].strip() for line in found[1].splitlines() if line.startswith("cato ")]


@pytest.fixture
def cato(stack, tmp_path):
    """Run a line of the README; return what it printed and its exit code."""
    environment = {
        **os.environ,
        "CATO_URL": stack.url,
        "PATH": f"{Path(CATO).parent}:{os.environ['PATH']}",
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    environment.pop("CATO_TOKEN", None)

    def run(line: str) -> tuple[str, int]:
        ended = subprocess.run(
            ["sh", "-c", line],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )
        return ended.stdout + ended.stderr, ended.returncode

    return run


def ended_since(stack, at_ms: int) -> dict[str, str]:
    """The executions that a client of the stream gets which has been away since then, and their states."""
    answer = httpx.get(
        f"{stack.url}/api/v1/stream?maxS=0", headers={**AUTH, "Last-Event-ID": str(at_ms)}, timeout=30
    )
    events = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    runs = [json.loads(event) for event in events]
    return {run["id"]: run["report"]["state"] for run in runs if "report" in run}


@pytest.mark.timeout(240)
def test_the_six_steps_of_the_readme_work_with_cato_alone(cato, stack):
    before = time.time_ns() // 1_000_000
    audio, group, settings, call, report, history = steps()
    for line, shown in ((audio, "flood_warning"), (group, "3"), (settings, "patient")):
        text, code = cato(line)
        assert code == 0, text
        assert shown in text
    text, code = cato(call)
    assert code == 3, text  # one of them is always busy
    assert "finished" in text
    (run,) = json.loads(cato("cato runs --all --limit 1 --json")[0])
    assert ended_since(stack, before)[run["id"]] == "FINISHED"
    text, code = cato(report)
    assert code == 0, text
    assert "Пётр Семёнов" in text
    assert "busy" in text
    assert "Ivan" not in text
    text, code = cato(history)
    assert code == 0, text
    assert "Olga Popova" in text
    found = json.loads(cato(f"{history} --json")[0])
    assert len(found["subscribers"]) == 1
    assert [each["outcome"] for each in found["calls"]] == ["succeeded", "failed"]
