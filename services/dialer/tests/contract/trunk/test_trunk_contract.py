"""What any trunk does: one in memory, and the one on PJSIP against the simulated exchange."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cato_dialer.dial.adapters.dense.trunk import DenseTrunk
from cato_dialer.dial.adapters.pjsua2.supervisor.trunk import Pjsua2Trunk
from cato_dialer.dial.domain.call.line_events import (
    DigitSource,
    LineAnswered,
    LineDigit,
    LineEvent,
    LineHeard,
    LinePlaybackFinished,
    LinePlaybackStarted,
    LineProgress,
    LineReleased,
    LineRinging,
    LineTrying,
    ReleaseCause,
)
from cato_exchange.exchange import Exchange
from cato_exchange.plan import Plan
from cato_runtime.configuration.config import DialingConfig
from services.dialer.tests.support.stations import make_station
from services.dialer.tests.support.trunk.memory_trunk import MemoryTrunk
from services.dialer.tests.support.trunk.trunk_kit import Caller, every_code, follow, follow_until, write_wav

PROMPT_MS = 1_000
PLAN = """
rules:
  - {number: "answers", behaviour: answer, ring_s: 0.1}
  - {number: "busy", behaviour: busy}
  - {number: "nobody", behaviour: no_answer}
  - {number: "impatient", behaviour: answer, hang_up_after_s: 0.5}
  - {number: "announced", behaviour: early_media, reject_after_s: 0.3, code: 480}
  - number: "keys"
    behaviour: answer
    digits: [{digits: "1#", by: rfc4733, after_s: 0.1}, {digits: "2", by: dtmf-relay, after_s: 0.6}]
"""


def _rejected(code: int, phrase: str) -> LineReleased:
    return LineReleased(0, ReleaseCause.REJECTED, code, phrase, 0)


RINGS: tuple[tuple[float, LineEvent], ...] = ((0.0, LineTrying(0)), (0.0, LineRinging(0, 180, "Ringing")))
SCRIPTS = {
    "answers": (*RINGS, (0.1, LineAnswered(0))),
    "busy": ((0.0, LineTrying(0)), (0.0, _rejected(486, "Busy Here"))),
    "nobody": RINGS,
    "impatient": (
        *RINGS,
        (0.0, LineAnswered(0)),
        (0.5, LineReleased(0, ReleaseCause.REMOTE_HANGUP, 200, "", 0)),
    ),
    "announced": (
        (0.0, LineTrying(0)),
        (0.0, LineProgress(0)),
        (0.3, _rejected(480, "Temporarily Unavailable")),
    ),
    "keys": (
        *RINGS,
        (0.0, LineAnswered(0)),
        (0.1, LineDigit(0, "1", DigitSource.RTP_EVENT)),
        (0.3, LineDigit(0, "#", DigitSource.RTP_EVENT)),
        (0.6, LineDigit(0, "2", DigitSource.SIP_INFO)),
    ),
}


@pytest.fixture(params=["memory", "pjsua2", "dense"])
async def caller(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Caller]:
    prompt = write_wav(tmp_path / "prompt.wav", every_code(PROMPT_MS // 20))
    if request.param == "memory":
        memory = MemoryTrunk(SCRIPTS, capacity=2)
        await memory.open()
        yield Caller(memory, make_station(), prompt)
        await memory.close()
        return
    async with Exchange(Plan.parse(PLAN)) as exchange:
        dialing = DialingConfig(bind_address="127.0.0.1", calls_per_worker=2)
        trunk = DenseTrunk(dialing, 2) if request.param == "dense" else Pjsua2Trunk(dialing, workers_for=2)
        await trunk.open()
        yield Caller(trunk, make_station(uri=exchange.uri), prompt, exchange=exchange)
        await trunk.close()


async def test_a_prompt_is_played_from_the_answer_to_its_end(caller: Caller):
    heard = await follow_until(caller.call("answers", heard_threshold_ms=400), LinePlaybackFinished)
    assert heard.kinds == [
        "Trying", "Ringing", "Answered", "PlaybackStarted", "Heard", "PlaybackFinished", "Released",
    ]  # fmt: skip
    assert heard.end.cause is ReleaseCause.LOCAL_HANGUP
    assert heard.end.heard_ms == PROMPT_MS
    (threshold,) = heard.all(LineHeard)
    assert 400 <= threshold.heard_ms < 700
    assert [event.at for event in heard.events] == sorted(event.at for event in heard.events)


async def test_no_threshold_is_reported_without_one_in_the_order(caller: Caller):
    heard = await follow_until(caller.call("answers"), LinePlaybackFinished)
    assert heard.all(LineHeard) == []


async def test_a_refusal_has_its_code_and_phrase(caller: Caller):
    end = (await follow(caller.call("busy"))).end
    assert (end.cause, end.sip_code, end.phrase) == (ReleaseCause.REJECTED, 486, "Busy Here")


async def test_a_ringing_call_can_be_cancelled(caller: Caller):
    heard = await follow_until(caller.call("nobody"), LineRinging)
    assert heard.kinds == ["Trying", "Ringing", "Released"]
    assert (heard.end.cause, heard.end.heard_ms) == (ReleaseCause.LOCAL_HANGUP, 0)


async def test_a_call_can_be_hung_up_in_the_middle_of_the_prompt(caller: Caller):
    heard = await follow_until(caller.call("answers", heard_threshold_ms=300), LineHeard)
    assert heard.end.cause is ReleaseCause.LOCAL_HANGUP
    assert 300 <= heard.end.heard_ms < 600


async def test_the_other_end_can_hang_up_in_the_middle_of_the_prompt(caller: Caller):
    heard = await follow(caller.call("impatient"))
    assert heard.end.cause is ReleaseCause.REMOTE_HANGUP
    assert 400 <= heard.end.heard_ms <= 600
    assert heard.all(LinePlaybackFinished) == []


async def test_early_media_is_not_an_answer(caller: Caller):
    heard = await follow(caller.call("announced"))
    assert heard.kinds == ["Trying", "Progress", "Released"]
    assert (heard.end.cause, heard.end.sip_code) == (ReleaseCause.REJECTED, 480)


async def test_digits_are_reported_in_order_with_the_way_they_came(caller: Caller):
    heard = await follow_until(caller.call("keys"), LinePlaybackFinished)
    assert [(event.digit, event.source) for event in heard.all(LineDigit)] == [
        ("1", DigitSource.RTP_EVENT), ("#", DigitSource.RTP_EVENT), ("2", DigitSource.SIP_INFO),
    ]  # fmt: skip


async def test_another_file_or_the_prompt_again_is_played_in_place_of_the_prompt(
    caller: Caller, tmp_path: Path
):
    other = write_wav(tmp_path / "other.wav", every_code(20))
    line = caller.call("answers", heard_threshold_ms=400)

    async def listen(event: LineEvent) -> None:
        match event:
            case LineHeard():
                await line.play(1)
            case LinePlaybackFinished(part=1):
                await line.play(2, other)
            case LinePlaybackFinished(part=2):
                await line.hang_up()

    heard = await follow(line, listen)
    assert heard.kinds == [
        "Trying", "Ringing", "Answered", "PlaybackStarted", "Heard", "PlaybackFinished", "PlaybackFinished",
        "Released",
    ]  # fmt: skip
    (again, last), (threshold,) = heard.all(LinePlaybackFinished), heard.all(LineHeard)
    assert (again.part, again.heard_ms) == (1, PROMPT_MS)
    assert again.at - threshold.at >= PROMPT_MS - 50
    assert (last.part, last.heard_ms, heard.end.heard_ms) == (2, PROMPT_MS, PROMPT_MS)
    assert last.at - again.at >= 350


async def test_what_is_heard_of_another_file_does_not_count(caller: Caller, tmp_path: Path):
    other = write_wav(tmp_path / "other.wav", every_code(50))
    line = caller.call("answers", heard_threshold_ms=200)

    async def listen(event: LineEvent) -> None:
        match event:
            case LineHeard():
                await line.play(1, other)
            case LinePlaybackFinished():
                await line.hang_up()

    heard = await follow(line, listen)
    (finished,) = heard.all(LinePlaybackFinished)
    assert finished.part == 1
    assert 200 <= finished.heard_ms == heard.end.heard_ms < PROMPT_MS


async def test_the_line_has_the_call_id_of_its_invite(caller: Caller):
    line = caller.call("busy", not_before=datetime.now(UTC) + timedelta(seconds=0.2))
    assert line.sip_call_id is None
    seen = set()

    async def note(_event: LineEvent) -> None:
        seen.add(line.sip_call_id)

    await follow(line, note)
    (sip_call_id,) = seen
    assert sip_call_id
    if caller.exchange is not None:
        (call,) = caller.exchange.calls
        assert call.call_id == sip_call_id


async def test_hanging_up_again_or_late_does_nothing(caller: Caller):
    line = caller.call("nobody")
    await line.hang_up()
    await line.hang_up()
    heard = await follow(line)
    await line.hang_up()
    assert heard.end.cause is ReleaseCause.LOCAL_HANGUP


async def test_an_order_without_a_free_line_is_released_as_not_sent_t1(caller: Caller):
    busy = [caller.call("nobody") for _ in range(caller.trunk.capacity)]
    heard = await follow(caller.call("nobody"))
    assert (heard.kinds, heard.end.cause) == (["Released"], ReleaseCause.NOT_SENT)
    for line in busy:
        await line.hang_up()
        assert (await follow(line)).end.cause is ReleaseCause.LOCAL_HANGUP


async def test_line_free_returns_when_a_line_is_released_t1(caller: Caller):
    await asyncio.wait_for(caller.trunk.line_free(), 10)
    busy = [caller.call("nobody") for _ in range(caller.trunk.capacity)]
    free = asyncio.ensure_future(caller.trunk.line_free())
    await asyncio.sleep(0.1)
    assert not free.done()
    await busy[0].hang_up()
    await asyncio.wait_for(free, 5)
    for line in busy[1:]:
        await line.hang_up()
    for line in busy:
        await follow(line)


async def test_a_line_can_be_used_again_as_soon_as_it_was_released(caller: Caller):
    # Once: it goes down for a moment while the engine still tidies up after a call.
    lines_at_once = caller.trunk.capacity
    for _ in range(3):
        lines = [caller.call("busy") for _ in range(lines_at_once)]
        ends = [(await follow(line)).end for line in lines]
        assert {end.cause for end in ends} == {ReleaseCause.REJECTED}


async def test_a_call_starts_at_its_time(caller: Caller):
    time = datetime.now(UTC) + timedelta(seconds=0.3)
    heard = await follow(caller.call("busy", not_before=time, not_after=time + timedelta(seconds=5)))
    assert heard.end.cause is ReleaseCause.REJECTED
    assert heard.events[0].at >= int(time.timestamp() * 1000)


async def test_an_order_that_comes_too_late_sends_nothing_and_takes_no_line(caller: Caller):
    for _ in range(caller.trunk.capacity + 1):
        heard = await follow(caller.call("busy", not_after=datetime.now(UTC) - timedelta(seconds=1)))
        assert (heard.kinds, heard.end.cause) == (["Released"], ReleaseCause.MISSED)


async def test_a_call_can_be_hung_up_before_its_time(caller: Caller):
    line = caller.call("busy", not_before=datetime.now(UTC) + timedelta(seconds=60))
    await line.hang_up()
    heard = await follow(line)
    assert (heard.kinds, heard.end.cause) == (["Released"], ReleaseCause.LOCAL_HANGUP)


async def test_no_call_is_made_for_a_prompt_that_cannot_be_played(caller: Caller, tmp_path: Path):
    heard = await follow(caller.call("answers", audio=tmp_path / "missing.wav"))
    assert heard.kinds == ["Released"]
    assert heard.end.cause is ReleaseCause.NOT_SENT


async def test_closing_hangs_up_and_nothing_can_be_placed_after_it(caller: Caller):
    line = caller.call("answers")
    async for event in line.events():
        if isinstance(event, LinePlaybackStarted):
            break
    await caller.trunk.close()
    assert (await follow(line)).end.cause is ReleaseCause.LOCAL_HANGUP
    assert caller.trunk.capacity == 0
    assert (await follow(caller.call("answers"))).end.cause is ReleaseCause.NOT_SENT
