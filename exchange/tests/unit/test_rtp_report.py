import struct
from array import array

from cato_exchange.media.rtp_report import RtpReport, analyse

SOURCE = 7


def packet(
    sequence: int, payload: bytes = b"a" * 160, *, payload_type: int = 8, timestamp: int | None = None
) -> bytes:
    at = sequence * 160 if timestamp is None else timestamp
    header = struct.pack("!BBHII", 0x80, payload_type, sequence & 0xFFFF, at & 0xFFFFFFFF, SOURCE)
    return header + payload


def heard(*packets: bytes, interval_ms: float = 20) -> tuple[RtpReport, bytes]:
    arrivals = array("q", (round(n * interval_ms * 1_000_000) for n in range(len(packets))))
    return analyse(b"".join(packets), array("H", map(len, packets)), arrivals, 8, 101)


def test_no_packets_give_an_empty_report():
    assert heard() == (RtpReport(), b"")


def test_complete_stream_has_no_losses():
    report, audio = heard(*(packet(n, bytes([n])) for n in range(5)))

    assert audio == bytes(range(5))
    assert (report.packets, report.lost, report.packets_per_second) == (5, 0, 50.0)
    assert (report.interval_mean_ms, report.interval_p99_deviation_ms) == (20.0, 0.0)
    assert report.payload_types == {8: 5}


def test_reordered_packets_give_audio_in_order():
    report, audio = heard(packet(0, b"a"), packet(2, b"c"), packet(1, b"b"), packet(2, b"c"))

    assert audio == b"abc"
    assert (report.reordered, report.duplicates, report.lost) == (1, 1, 0)


def test_losses_are_counted_by_packet_and_by_gap():
    report, _ = heard(*(packet(n) for n in (0, 1, 4, 5, 7)))

    assert (report.lost, report.gaps, report.timestamp_jumps) == (3, 2, 2)


def test_sequence_numbers_wrap_around():
    report, audio = heard(*(packet(n, bytes([n & 0xFF])) for n in (65533, 65534, 65535, 65536, 65537)))

    assert audio == bytes([253, 254, 255, 0, 1])
    assert (report.lost, report.reordered) == (0, 0)


def test_packet_before_the_first_across_the_wrap_is_reordered():
    report, audio = heard(packet(0, b"b"), packet(65535, b"a"), packet(1, b"c"))

    assert audio == b"abc"
    assert (report.reordered, report.lost) == (1, 0)


def test_rtcp_and_invalid_datagrams_are_not_rtp():
    report, audio = heard(packet(0, b"a"), b"\x80\xc8" + bytes(26), b"short", bytes(20))

    assert audio == b"a"
    assert (report.packets, report.not_rtp) == (1, 3)


def test_padding_and_extensions_are_removed():
    plain = bytearray(packet(0, b""))
    plain[0] |= 0x30
    report, audio = heard(bytes(plain) + struct.pack("!HHI", 1, 1, 0) + b"abc" + b"\0\0\x03")

    assert audio == b"abc"
    assert report.packets == 1


def test_repeated_event_packets_give_one_digit():
    def event(code: int, sequence: int, timestamp: int) -> bytes:
        return packet(sequence, struct.pack("!BBH", code, 10, 160), payload_type=101, timestamp=timestamp)

    report, audio = heard(event(1, 0, 0), event(1, 1, 0), event(1, 2, 800), event(11, 3, 1600))

    assert report.digits == "11#"
    assert audio == b""


def test_longest_interval_is_reported():
    arrivals = array("q", [0, 20_000_000, 65_000_000, 80_000_000])
    packets = [packet(n) for n in range(4)]
    report, _ = analyse(b"".join(packets), array("H", map(len, packets)), arrivals, 8, None)

    assert (report.interval_max_ms, report.interval_p99_deviation_ms) == (45.0, 25.0)
