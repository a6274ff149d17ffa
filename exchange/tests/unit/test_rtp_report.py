import struct
from array import array

from cato_exchange.media.rtp_report import Reception, examine

SOURCE = 7


def packet(
    sequence: int, payload: bytes = b"a" * 160, *, payload_type: int = 8, timestamp: int | None = None
) -> bytes:
    at = sequence * 160 if timestamp is None else timestamp
    header = struct.pack("!BBHII", 0x80, payload_type, sequence & 0xFFFF, at & 0xFFFFFFFF, SOURCE)
    return header + payload


def heard(*packets: bytes, interval_ms: float = 20) -> tuple[Reception, bytes]:
    arrivals = array("q", (round(n * interval_ms * 1_000_000) for n in range(len(packets))))
    return examine(b"".join(packets), array("H", map(len, packets)), arrivals, 8, 101)


def test_nothing_was_heard():
    assert heard() == (Reception(), b"")


def test_a_clean_stream():
    reception, audio = heard(*(packet(n, bytes([n])) for n in range(5)))

    assert audio == bytes(range(5))
    assert (reception.packets, reception.lost, reception.packets_per_second) == (5, 0, 50.0)
    assert (reception.interval_mean_ms, reception.interval_p99_deviation_ms) == (20.0, 0.0)
    assert reception.payload_types == {8: 5}


def test_audio_is_in_order_however_it_arrived():
    reception, audio = heard(packet(0, b"a"), packet(2, b"c"), packet(1, b"b"), packet(2, b"c"))

    assert audio == b"abc"
    assert (reception.reordered, reception.duplicates, reception.lost) == (1, 1, 0)


def test_losses_are_counted_in_packets_and_in_gaps():
    reception, _ = heard(*(packet(n) for n in (0, 1, 4, 5, 7)))

    assert (reception.lost, reception.gaps, reception.timestamp_jumps) == (3, 2, 2)


def test_sequence_numbers_wrap():
    reception, audio = heard(*(packet(n, bytes([n & 0xFF])) for n in (65533, 65534, 65535, 65536, 65537)))

    assert audio == bytes([253, 254, 255, 0, 1])
    assert (reception.lost, reception.reordered) == (0, 0)


def test_a_packet_before_the_first_across_the_wrap():
    reception, audio = heard(packet(0, b"b"), packet(65535, b"a"), packet(1, b"c"))

    assert audio == b"abc"
    assert (reception.reordered, reception.lost) == (1, 0)


def test_rtcp_and_noise_are_not_audio():
    reception, audio = heard(packet(0, b"a"), b"\x80\xc8" + bytes(26), b"short", bytes(20))

    assert audio == b"a"
    assert (reception.packets, reception.not_rtp) == (1, 3)


def test_padding_and_extensions_are_not_audio():
    plain = bytearray(packet(0, b""))
    plain[0] |= 0x30
    reception, audio = heard(bytes(plain) + struct.pack("!HHI", 1, 1, 0) + b"abc" + b"\0\0\x03")

    assert audio == b"abc"
    assert reception.packets == 1


def test_each_key_counts_once():
    def event(code: int, sequence: int, timestamp: int) -> bytes:
        return packet(sequence, struct.pack("!BBH", code, 10, 160), payload_type=101, timestamp=timestamp)

    reception, audio = heard(event(1, 0, 0), event(1, 1, 0), event(1, 2, 800), event(11, 3, 1600))

    assert reception.digits == "11#"
    assert audio == b""


def test_the_worst_interval_is_told():
    arrivals = array("q", [0, 20_000_000, 65_000_000, 80_000_000])
    packets = [packet(n) for n in range(4)]
    reception, _ = examine(b"".join(packets), array("H", map(len, packets)), arrivals, 8, None)

    assert (reception.interval_max_ms, reception.interval_p99_deviation_ms) == (45.0, 25.0)
