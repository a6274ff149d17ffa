"""SRTP with the softphone baresip, and with an exchange without SRTP."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from cato_dialer.dial.adapters.pjsua2.supervisor.trunk import Pjsua2Trunk
from cato_dialer.dial.domain.call.line_events import LinePlaybackFinished, ReleaseCause
from cato_exchange.exchange import Exchange
from cato_exchange.plan import Plan
from cato_runtime.configuration.config import DialingConfig
from cato_runtime.configuration.station_config import Srtp
from services.dialer.tests.support.stations import make_station
from services.dialer.tests.support.trunk.trunk_kit import Caller, Heard, every_code, follow_until, write_wav
from tests.interop.baresip_peer import PROGRAM, BaresipPeer
from tests.support.g711 import decoded
from tests.support.required_program import require_program

AUDIO = every_code(50)


@pytest.fixture
async def trunk() -> AsyncIterator[Pjsua2Trunk]:
    trunk = Pjsua2Trunk(DialingConfig(bind_address="127.0.0.1"), workers_for=1)
    await trunk.open()
    yield trunk
    await trunk.close()


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Callable[[str], BaresipPeer]]:
    require_program(PROGRAM, "baresip", "baresip")
    started: list[BaresipPeer] = []

    def start(media_encryption: str) -> BaresipPeer:
        made = BaresipPeer(tmp_path / "baresip", {"1001": []}, [], media_encryption)
        made.start()
        started.append(made)
        return made

    yield start
    for made in started:
        made.stop()


async def call(trunk: Pjsua2Trunk, uri: str, srtp: Srtp, directory: Path) -> Heard:
    prompt = write_wav(directory / "prompt.wav", AUDIO)
    caller = Caller(trunk, make_station(uri=uri, srtp=srtp), prompt)
    return await follow_until(caller.call("1001"), LinePlaybackFinished)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(Srtp.MANDATORY, "srtp"), (Srtp.MANDATORY, "srtp-mand"), (Srtp.OPTIONAL, "srtp")],
)
async def test_srtp_audio_is_received_to_the_last_sample(
    trunk, peer, tmp_path: Path, ours: Srtp, theirs: str
):
    baresip = peer(theirs)
    heard = await call(trunk, f"sip:127.0.0.1:{baresip.port}", ours, tmp_path)
    assert (heard.end.cause, heard.end.heard_ms) == (ReleaseCause.LOCAL_HANGUP, 1_000)
    (recording,) = baresip.recordings(1)
    assert decoded(AUDIO) in recording
    assert "SRTP is Enabled" in baresip.log


async def test_audio_without_srtp_is_plain_rtp(trunk, peer, tmp_path: Path):
    baresip = peer("srtp")
    heard = await call(trunk, f"sip:127.0.0.1:{baresip.port}", Srtp.OFF, tmp_path)
    assert heard.end.heard_ms == 1_000
    (recording,) = baresip.recordings(1)
    assert decoded(AUDIO) in recording
    assert "SRTP is Enabled" not in baresip.log


@pytest.mark.parametrize("ours", [Srtp.OFF, Srtp.OPTIONAL])
async def test_baresip_with_mandatory_srtp_accepts_only_mandatory_offers(
    trunk, peer, tmp_path: Path, ours: Srtp
):
    """baresip requires the profile RTP/SAVP, which an offer with optional SRTP does not have."""
    baresip = peer("srtp-mand")
    end = (await call(trunk, f"sip:127.0.0.1:{baresip.port}", ours, tmp_path)).end
    assert (end.cause, end.sip_code) == (ReleaseCause.REJECTED, 488)


async def test_exchange_without_srtp_refuses_mandatory_and_accepts_optional(trunk, tmp_path: Path):
    async with Exchange(Plan.parse("rules: [{number: '1001', behaviour: answer}]")) as exchange:
        end = (await call(trunk, exchange.uri, Srtp.MANDATORY, tmp_path)).end
        assert (end.cause, end.sip_code) == (ReleaseCause.REJECTED, 488)
        end = (await call(trunk, exchange.uri, Srtp.OPTIONAL, tmp_path)).end
        assert (end.cause, end.heard_ms) == (ReleaseCause.LOCAL_HANGUP, 1_000)
        assert exchange.calls[-1].contains_prompt(AUDIO)
