"""SIPp as the caller, an independent SIP implementation."""

import asyncio
import shutil
from collections import Counter
from pathlib import Path

import pytest

from cato_exchange import Answer, Busy, Challenge, NoAnswer, Reject, Rule
from exchange.tests.raw_caller import Scene
from tests.support.required_program import require_program

SIPP = shutil.which("sipp")
SCENARIOS = Path(__file__).parent / "sipp"


@pytest.fixture(autouse=True)
def sipp_is_installed() -> None:
    require_program(SIPP, "SIPp", "sip-tester")


async def sipp(scenario: Path, port: int, number: str, directory: Path, calls: int = 5) -> None:
    """Make the calls; SIPp fails unless each follows the scenario."""
    assert SIPP is not None
    process = await asyncio.create_subprocess_exec(
        SIPP,
        *("-sf", str(scenario), f"127.0.0.1:{port}", "-i", "127.0.0.1", "-s", number, "-nostdin"),
        *("-m", str(calls), "-r", "50", "-timeout", "20s", "-timeout_error"),
        cwd=directory,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(30):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, output.decode(errors="replace")[-4000:]


@pytest.mark.parametrize(
    ("name", "rule", "code", "ended_by"),
    [
        ("answered", Rule(number="1", does=Answer(ring_s=0.1)), 200, "caller"),
        ("refused", Rule(number="1", does=Busy()), 486, "exchange"),
        ("refused", Rule(number="2", does=Answer()), 404, "exchange"),
        ("refused", Rule(number="1", does=Reject(code=603)), 603, "exchange"),
        ("refused", Rule(number="1", no_trying=True, does=Reject(code=503)), 503, "exchange"),
        ("cancelled", Rule(number="1", does=NoAnswer()), 487, "caller"),
        (
            "challenged",
            Rule(number="1", challenge=Challenge(username="cato", password="secret"), does=Answer()),
            200,
            "caller",
        ),
    ],
)
async def test_exchange_and_sipp_agree_on_the_result(
    name: str, rule: Rule, code: int, ended_by: str, *, scene: Scene, tmp_path: Path
):
    exchange = await scene.exchange(rule)
    scenario = tmp_path / f"{name}.xml"
    scenario.write_text((SCENARIOS / f"{name}.xml").read_text().replace("CODE", str(code)))

    await sipp(scenario, exchange.port, "1", tmp_path)
    records = await exchange.wait_calls(5, timeout=5)

    assert [(record.final_code, record.ended_by) for record in records] == [(code, ended_by)] * 5
    assert exchange.report()["final_codes"] == Counter({str(code): 5})
    assert exchange.report()["malformed"] == 0
    assert exchange.calls_now == 0
