"""PJSIP as the caller: the exchange receives the played audio byte for byte."""

import asyncio
import random
import sys
from pathlib import Path

from cato_contracts.alaw_wav import wav_file
from cato_exchange import Answer, Rule
from exchange.tests.raw_caller import Scene

CALLER = Path(__file__).parent / "pjsua2_caller.py"
PACKETS = 250


async def test_pjsip_prompt_is_received_complete_at_50_packets_per_second(scene: Scene, tmp_path: Path):
    prompt = random.Random(1).randbytes(160 * PACKETS).strip(b"\xd5\x55")
    prompt += b"\x01" * (-len(prompt) % 160)
    wav = tmp_path / "prompt.wav"
    wav.write_bytes(wav_file(prompt))
    exchange = await scene.exchange(Rule(number="1", does=Answer(ring_s=0.2)))

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(CALLER), str(wav)),
        *(f"sip:{number}@127.0.0.1:{exchange.port}" for number in "1112"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(60):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    records = await exchange.wait_calls(4, timeout=5)

    assert process.returncode == 0, output.decode(errors="replace")[-4000:]
    heard = [record for record in records if record.final_code == 200]
    assert len(heard) == 3
    assert [record.final_code for record in records if record not in heard] == [404]
    for record in heard:
        assert record.audio_without_silence() == prompt
        assert record.contains_prompt(prompt)
        assert (record.rtp.lost, record.rtp.duplicates, record.rtp.timestamp_jumps) == (0, 0, 0)
        assert record.rtp.packets_per_second is not None
        assert abs(record.rtp.packets_per_second - 50) < 0.5
        assert record.ended_by == "caller"
