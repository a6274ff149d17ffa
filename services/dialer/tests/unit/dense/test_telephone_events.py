"""Keys from RFC 4733 events: each press counts once, even if packets are lost, repeated or late."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cato_dialer.dial.adapters.dense.media.rtp.telephone_events import TelephoneEvents
from cato_dialer.dial.adapters.sip.info_digits import key_of_info

KEYS = "0123456789*#ABCD"
PRESS_STAMPS = 1_600


def packet(key: str, duration: int, *, end: bool = False) -> bytes:
    return struct.pack(">BBH", KEYS.index(key), 0x80 if end else 0, duration)


def press(key: str, stamp: int) -> list[tuple[int, bytes]]:
    """Return a press as a telephone sends it: updates, and the end three times."""
    updates = [(stamp, packet(key, 160 * n)) for n in range(1, 6)]
    return updates + [(stamp, packet(key, 800, end=True))] * 3


def keys_of(packets: list[tuple[int, bytes]]) -> str:
    events = TelephoneEvents()
    return "".join(key for stamp, payload in packets if (key := events.take(stamp, payload)))


def test_several_presses_in_a_row_are_each_one_key():
    packets = [one for n, key in enumerate("11#0*D") for one in press(key, n * PRESS_STAMPS)]
    assert keys_of(packets) == "11#0*D"


def test_a_press_of_ten_seconds_is_one_key():
    first, second = 0, 0xFFFF
    long = [
        (first, packet("5", 0x4000)),
        (first, packet("5", 0xFFFF)),
        (second, packet("5", 0x3000, end=True)),
    ]
    assert keys_of(long) == "5"


def test_time_stamps_go_round():
    assert keys_of([*press("1", 0xFFFF_FF00), *press("2", 0x400)]) == "12"


def test_other_events_and_short_packets_are_not_keys():
    assert keys_of([(0, struct.pack(">BBH", 16, 0, 160)), (9, b""), (10, b"\x01\x00")]) == ""


@given(st.text(KEYS, min_size=1, max_size=8), st.data())
def test_lost_repeated_and_reordered_packets_change_nothing(keys: str, data: st.DataObject):
    packets: list[tuple[int, bytes]] = []
    for number, key in enumerate(keys):
        sent = press(key, number * PRESS_STAMPS)
        kept = data.draw(st.lists(st.sampled_from(sent), min_size=1, max_size=12))
        late = data.draw(st.integers(0, 2)) if packets else 0
        packets += kept
        # Copies of the press before come late, among those of this one.
        packets += [one for one in packets if one[0] == (number - 1) * PRESS_STAMPS][:late]
    assert keys_of(packets) == keys


@pytest.mark.parametrize(
    ("kind", "body", "key"),
    [
        ("application/dtmf-relay", b"Signal=1\r\nDuration=160\r\n", "1"),
        ("application/dtmf-relay", b"Signal=1", "1"),
        ("application/dtmf-relay", b"signal = *\nDuration=250", "*"),
        ("application/dtmf-relay", b"Signal=11\r\nDuration=160", "#"),
        ("application/dtmf-relay", b"Signal=10\r\nDuration=160", "*"),
        ("application/dtmf-relay", b"Signal=a", "A"),
        ("application/dtmf", b"5", "5"),
        ("application/dtmf", b" # \r\n", "#"),
        ("application/dtmf", b"Signal=7\r\n", "7"),
        ("application/dtmf-relay", b"Duration=160", None),
        ("application/dtmf-relay", b"Signal=", None),
        ("application/dtmf-relay", b"Signal=17", None),
        ("application/dtmf-relay", b"Signal=123", None),
        ("application/dtmf", b"12345", None),
        ("text/plain", b"Signal=1", None),
        ("", b"", None),
    ],
)
def test_keys_in_info_t6_t7(kind: str, body: bytes, key: str | None):
    assert key_of_info(kind, body.decode()) == key
