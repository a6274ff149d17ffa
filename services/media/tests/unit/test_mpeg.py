import pytest

from cato_contracts.errors import InvalidError
from cato_media.domain.mpeg import frame_at, read_mp3
from services.media.tests.support.sounds import converted, packed, tone, wav

FRAME_BYTES, FRAME_SAMPLES = 417, 1152
FRAME = bytes([0xFF, 0xFB, 0x90, 0xC4]) + bytes(FRAME_BYTES - 4)
TAG = b"TAG" + bytes(125)
APE = b"APETAGEX" + (2000).to_bytes(4, "little") + (100).to_bytes(4, "little") + bytes(16) + bytes(100)
LYRICS = b"LYRICSBEGIN" + b"INF00002" + b"10" + b"000021LYRICS200"
ID3 = b"ID3\x03\x00\x00" + bytes([0, 0, 0, 20]) + bytes(20)


def read(data: bytes, max_seconds: float = 1800):
    return read_mp3(data, max_seconds=max_seconds)


@pytest.mark.parametrize(
    "data",
    [
        FRAME * 10,
        ID3 + FRAME * 10,
        FRAME * 10 + TAG,
        FRAME * 10 + LYRICS + TAG,
        FRAME * 10 + APE + TAG,
        APE + FRAME * 10,
        FRAME * 10 + bytes(1000),
        FRAME * 4 + TAG + ID3 + bytes(500) + FRAME * 6,
        ID3 + FRAME * 4 + TAG + ID3 + FRAME * 6 + TAG,
    ],
)
def test_tags_and_padding_are_skipped(data):
    assert read(data).length == 10 * FRAME_SAMPLES


@pytest.mark.parametrize("between", [b"", TAG, TAG + ID3])
async def test_a2_joined_files_are_parts_of_one(between):
    first = await converted(wav(packed(tone(44100, 2.0)), rate=44100), "mp3", "-b:a", "64k")
    second = await converted(wav(packed(tone(16000, 3.0)), rate=16000), "mp3", "-b:a", "32k")
    sound = read(first + between + second)
    assert len(sound.parts) == 2
    assert sound.seconds == pytest.approx(5.0, abs=0.001)
    with pytest.raises(InvalidError, match="cut"):
        read(first + between + second[:-1000])


@pytest.mark.parametrize("missing", [1, 100, FRAME_BYTES - 1])
def test_an_incomplete_last_frame_means_a_cut_file(missing):
    with pytest.raises(InvalidError, match="cut"):
        read((FRAME * 10)[:-missing])


def test_a_file_that_ends_within_a_tag_is_cut():
    with pytest.raises(InvalidError, match="cut"):
        read(ID3[:-5])


def test_bytes_that_are_neither_frame_nor_tag_are_damage():
    with pytest.raises(InvalidError, match="no frame at byte 2085"):
        read(FRAME * 5 + b"garbage" * 50 + FRAME * 5)


def test_a_long_run_of_zeros_is_damage():
    with pytest.raises(InvalidError):
        read(FRAME * 5 + bytes(100_000))


def test_reading_stops_at_the_maximum_length():
    sound = read(FRAME * 1000, max_seconds=2)
    assert 3 < sound.seconds < 3.1


@pytest.mark.parametrize("options", [["-b:a", "64k"], ["-q:a", "4"], ["-b:a", "32k", "-ar", "16000"]])
async def test_an_encoded_file_has_its_exact_length_and_a_cut_one_is_rejected(options):
    samples = packed(tone(44100, 3.0))
    data = await converted(wav(samples, rate=44100), "mp3", *options)
    assert read(data).seconds == pytest.approx(3.0, abs=0.001)
    with pytest.raises(InvalidError, match="cut"):
        read(data[: len(data) // 2])


async def test_a_file_cut_between_two_frames_is_detected_by_its_xing_header():
    data = await converted(wav(packed(tone(44100, 3.0)), rate=44100), "mp3", "-b:a", "128k")
    place = read(data).start
    for _ in range(60):
        frame = frame_at(data, place)
        assert frame is not None
        place += frame.size
    with pytest.raises(InvalidError, match="it says 1"):
        read(data[:place])
