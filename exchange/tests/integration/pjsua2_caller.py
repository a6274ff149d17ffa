"""Calls each given URI with pjsua2, plays a WAV file once, hangs up at its end. Run as a program:

PJSIP aborts its process on a failed assertion, and has room for four calls.
"""

import sys
import time

import pjsua2 as pj

MAX_CALLS = 4
DEADLINE_S = 40.0


class Player(pj.AudioMediaPlayer):
    """Tells its call when the file is at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = False

    def onEof2(self) -> None:  # noqa: N802
        self.ended = True


class Call(pj.Call):
    def __init__(self, account: pj.Account, wav: str) -> None:
        super().__init__(account)
        self.wav = wav
        self.player: Player | None = None
        self.over = False
        self.hanging_up = False

    def onCallMediaState(self, prm: pj.OnCallMediaStateParam) -> None:  # noqa: N802
        info = self.getInfo()  # kept in a variable: its members are freed with it
        if self.player is None and info.media[0].status == pj.PJSUA_CALL_MEDIA_ACTIVE:
            self.player = Player()
            self.player.createPlayer(self.wav, pj.PJMEDIA_FILE_NO_LOOP)
            self.player.startTransmit(self.getAudioMedia(0))

    def onCallState(self, prm: pj.OnCallStateParam) -> None:  # noqa: N802
        self.over = self.over or self.getInfo().state == pj.PJSIP_INV_STATE_DISCONNECTED


def endpoint() -> pj.Endpoint:
    made = pj.Endpoint()
    made.libCreate()
    config = pj.EpConfig()
    config.logConfig.level = config.logConfig.consoleLevel = 1
    config.uaConfig.threadCnt = 0
    config.uaConfig.mainThreadOnly = True
    config.uaConfig.maxCalls = MAX_CALLS
    config.medConfig.clockRate = config.medConfig.sndClockRate = 8000
    config.medConfig.noVad = True
    config.medConfig.ptime = 20
    made.libInit(config)
    transport = pj.TransportConfig()
    transport.boundAddress = transport.publicAddress = "127.0.0.1"
    made.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
    made.libStart()
    made.audDevManager().setNullDev()
    for codec in made.codecEnum2():
        made.codecSetPriority(codec.codecId, 255 if codec.codecId.startswith("PCMA") else 0)
    return made


def play_to(library: pj.Endpoint, wav: str, uris: list[str]) -> bool:
    """Whether all calls ended. They, their players and the account are gone on return, as they must be."""
    config = pj.AccountConfig()
    config.idUri = "sip:776400@127.0.0.1"
    config.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
    account = pj.Account()
    account.create(config)
    calls = [Call(account, wav) for _ in uris]
    for call, uri in zip(calls, uris, strict=True):
        call.makeCall(uri, pj.CallOpParam(True))
    deadline = time.monotonic() + DEADLINE_S
    while not all(call.over for call in calls) and time.monotonic() < deadline:
        library.libHandleEvents(10)
        for call in calls:
            if call.player is not None and call.player.ended and not call.hanging_up:
                call.hanging_up = True
                call.hangup(pj.CallOpParam(True))
    ended = all(call.over for call in calls)
    account.shutdown()
    return ended


def main(wav: str, *uris: str) -> int:
    library = endpoint()
    ended = play_to(library, wav, list(uris))
    library.libDestroy()
    return 0 if ended else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
