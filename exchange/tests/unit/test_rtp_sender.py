from cato_exchange.media.rtp_sender import RtpSender
from cato_exchange.media.tones import key


class Port:
    def __init__(self) -> None:
        self.packets: list[bytes] = []

    def send(self, packet: bytes, destination: tuple[str, int]) -> None:
        self.packets.append(packet)

    @property
    def timestamps(self) -> list[int]:
        first = int.from_bytes(self.packets[0][4:8])
        return [int.from_bytes(packet[4:8]) - first & 0xFFFFFFFF for packet in self.packets]


def sender() -> tuple[RtpSender, Port]:
    port = Port()
    return RtpSender(port, ("127.0.0.1", 4000), 8), port  # type: ignore[arg-type]


def test_idle_sender_sends_nothing():
    talker, port = sender()
    talker.tick()

    assert port.packets == []
    assert talker.idle


def test_audio_is_looped_and_time_stamps_advance_during_silence():
    talker, port = sender()
    talker.loop = b"a" * 160 + b"b" * 160
    for _ in range(3):
        talker.tick()
    talker.loop = b""
    talker.tick()
    talker.loop = b"c" * 160
    talker.tick()

    assert [packet[12:13] for packet in port.packets] == [b"a", b"b", b"a", b"c"]
    assert port.timestamps == [0, 160, 320, 640]
    assert [packet[1] >> 7 for packet in port.packets] == [1, 0, 0, 1]


def test_inband_digits_are_tones():
    talker, port = sender()
    talker.press_inband("5")
    while not talker.idle:
        talker.tick()

    assert b"".join(packet[12:] for packet in port.packets) == key("5")


def test_events_have_their_start_time_and_are_consecutive():
    talker, port = sender()
    talker.press("12", 101)
    while not talker.idle:
        talker.tick()

    assert port.timestamps == [0] * 7 + [1600] * 7
    assert [packet[13] >> 7 for packet in port.packets] == [0, 0, 0, 0, 1, 1, 1] * 2
