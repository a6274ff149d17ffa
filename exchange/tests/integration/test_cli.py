import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from cato_exchange.cli import main
from cato_exchange.exchange import Exchange
from cato_exchange.plan import Plan
from cato_exchange.probe import probe

DEMO = Path(__file__).parents[2] / "plans" / "demo.yaml"


async def test_program_prints_its_address_and_writes_its_summary_on_sigterm(tmp_path: Path):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cato_exchange.cli", "--port", "0", "--plan", str(DEMO)),
        *("--record", str(tmp_path / "calls")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(20):
            assert process.stdout is not None
            ready = (await process.stdout.readline()).decode()
            process.send_signal(signal.SIGTERM)
            _, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    assert ready.startswith("ready sip:127.0.0.1:")
    assert int(ready.rsplit(":", 1)[1]) > 0
    assert (process.returncode, errors) == (0, b"")
    assert json.loads((tmp_path / "calls" / "summary.json").read_text())["calls"] == 0


@pytest.mark.parametrize("arguments", [["--plan", "nowhere.yaml"], ["--host", "192.0.2.1"]])
def test_failed_start_prints_the_reason(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    assert main(["--port", "0", *arguments]) == 1
    assert "cato exchange: " in capsys.readouterr().err


async def test_probe_tells_whether_the_exchange_answers(capsys: pytest.CaptureFixture[str]):
    async with Exchange(Plan()) as exchange:
        assert await asyncio.to_thread(probe, exchange.port) == 0
    assert await asyncio.to_thread(probe, exchange.port) == 1
    said = capsys.readouterr()
    assert said.out == "SIP/2.0 200 OK\n"
    assert "no answer" in said.err
