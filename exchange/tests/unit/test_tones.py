import pytest

from cato_exchange.media.tones import alaw, key, muted, ringback


@pytest.mark.parametrize(
    ("sample", "code"),
    [(0, 0xD5), (-1, 0x55), (32767, 0xAA), (-32768, 0x2A), (256, 0xC5), (1000, 0xFA), (-1000, 0x7A)],
)
def test_alaw_encodes_samples(sample: int, code: int):
    assert alaw(sample) == code


def test_muted_strips_silence_at_the_ends_only():
    assert muted(b"\xd5\x55\x01\xd5\x02\x55") == b"\x01\xd5\x02"


def test_tones_fill_whole_packets():
    assert len(key("#")) == 1600
    assert len(ringback()) == 40_000
