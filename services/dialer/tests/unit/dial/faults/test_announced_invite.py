"""A SIP worker says that an INVITE leaves it before it does: it may be killed right after that."""

from collections import deque
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cato_dialer.dial.adapters.pjsua2 import protocol
from cato_dialer.dial.adapters.pjsua2.worker import engine as engine_module
from cato_dialer.dial.adapters.pjsua2.worker.engine import Engine
from cato_dialer.dial.adapters.pjsua2.worker.last_moment import LastMoment
from services.dialer.tests.support.trunk.trunk_kit import write_wav

IDENTITY = protocol.SipIdentity("sip:776400@127.0.0.1", "udp")


def test_invite_is_announced_before_the_library_sends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    emitted: list[protocol.FromWorker] = []
    at_sending: list[list[protocol.FromWorker]] = []

    class Call:
        dialog = 1

        def __init__(self, *_: Any) -> None:
            pass

        def sip_call_id(self) -> str:
            return "a@b"

        def makeCall(self, *_: Any) -> None:  # noqa: N802 - the library's name
            at_sending.append(list(emitted))

    monkeypatch.setattr(engine_module, "LibraryCall", Call)
    monkeypatch.setattr(engine_module, "PromptPlayer", lambda *_: None)
    engine: Any = object.__new__(Engine)
    engine._emit = emitted.append
    engine._accounts = SimpleNamespace(of=lambda _: None)
    engine._offer = SimpleNamespace(codecs=lambda _: None, events=lambda **_: None)
    engine._last_moment = LastMoment(lambda _: None)
    engine.wire = SimpleNamespace(sending=lambda _: nullcontext(), announced=lambda _: None)
    engine._library, engine._running, engine._offered, engine._events = None, {}, {}, deque()
    audio = write_wav(tmp_path / "prompt.wav", bytes(8000))
    order = protocol.Place(7, "sip:1@127.0.0.1", IDENTITY, ("PCMA",), str(audio), None)

    engine._dial(order)

    assert at_sending == [[protocol.InviteSent(7)]]
