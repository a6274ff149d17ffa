import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cato_contracts.errors import InvalidError, RefusedError, TooLargeError, UnsupportedMediaError
from cato_media.domain.sniffing import inspect, recognise
from cato_media.domain.sound import Coding, Kind
from services.media.tests.support.sounds import ALAW, FLOAT, MULAW, PCM, chunk, packed, tone, wav

SECOND = packed(tone(8000))
FRAME = bytes([0xFF, 0xFB, 0x90, 0xC4]) + bytes(413)  # MPEG 1, layer III, 128 kbit/s, 44.1 kHz, mono
ID3 = b"ID3\x04\x00\x00" + bytes([0, 0, 2, 0]) + bytes(256)


APE = b"APETAGEX" + struct.pack("<II", 2000, 40) + bytes(16) + bytes(40)
MULTIPART = (
    b'--c0ffee\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n'
    b"Content-Type: audio/mpeg\r\n\r\n"
)


def free_format(frames: int) -> bytes:
    return (bytes([0xFF, 0xFB, 0x00, 0xC4]) + bytes(300)) * frames


def look(data: bytes, name: str = "prompt", *, max_seconds: float = 1800):
    return inspect(data, name, max_seconds=max_seconds)


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (wav(SECOND, rate=8000), "prompt.mp3", Kind.WAV),
        (FRAME * 3, "prompt.wav", Kind.MP3),
        (ID3 + FRAME * 3, "prompt", Kind.MP3),
        (APE + FRAME * 3, "prompt", Kind.MP3),
        (b"OggS\x00" + bytes(100), "prompt.mp3", Kind.OGG),
        (ID3 + b"fLaC" + bytes(100), "prompt.mp3", Kind.FLAC),
        (bytes([0, 0, 0, 24]) + b"ftypM4A " + bytes(100), "prompt.pcm", Kind.M4A),
        (b"\x1a\x45\xdf\xa3" + bytes(100), "prompt", Kind.WEBM),
        (b"FORM\x00\x00\x00\x20AIFF" + bytes(100), "prompt", Kind.AIFF),
        (b"#!AMR\n" + bytes(100), "prompt", Kind.AMR),
        (b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(9) + b"\xff\xf1" + bytes(9), "prompt", Kind.AAC),
        (ID3 + ID3 + bytes(1000) + FRAME * 3, "prompt", Kind.MP3),
        (FRAME * 40 + b"TAG" + bytes(125), "prompt", Kind.MP3),
        (FRAME, "prompt.bin", Kind.MP3),
        (SECOND, "prompt.pcm", Kind.PCM),
        (SECOND, "PROMPT.PCM", Kind.PCM),
        (SECOND, "prompt", Kind.PCM),
        (bytes(16000), "silence", Kind.PCM),
        (FRAME + SECOND, "starts like a frame", Kind.PCM),
    ],
)
def test_the_format_is_recognised_by_the_bytes(data, name, kind):
    assert recognise(data, name).kind is kind


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"PK\x03\x04" + bytes(100), "zip"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "JPEG"),
        (b"%PDF-1.7\n" + bytes(100), "PDF"),
        (b"\x1f\x8b\x08\x00" + bytes(100), "gzip"),
        (b"FORM\x00\x00\x00\x20ILBM" + bytes(100), "IFF"),
        (b"RIFF\x20\x00\x00\x00AVI " + bytes(100), "RIFF"),
        (b"#EXTM3U\nhttp://example.org/a.mp3\nfile:///etc/passwd\n", "text"),
        (b'{"error": "not found", "status": 404}', "JSON text"),
        ('{"ошибка": "файл не найден", "код": 404}'.encode(), "JSON text"),
        ('{"ошибка": "файл не найден"}, ещё немного'.encode("utf-16"), "JSON text"),
        ("<!DOCTYPE html>\n<html><title>Страница не найдена</title></html>".encode(), "an HTML page"),
        (MULTIPART + FRAME * 20, "multipart form"),
        ((b"\x47\x40\x11\x10" + bytes(184)) * 6, "transport stream"),
        ((b"\x0b\x77\x11\x22\x14\x40" + bytes(762)) * 3, "AC-3"),
        (b"wvpk" + bytes(100), "WavPack"),
        (b"riff\x2e\x91\xcf\x11" + bytes(100), "Wave64"),
        (free_format(4), "free format"),
    ],
)
@pytest.mark.parametrize("name", ["prompt.mp3", "prompt.pcm", "prompt"])
def test_other_formats_are_rejected_by_name(data, what, name):
    with pytest.raises(UnsupportedMediaError, match=what):
        look(data, name)


def test_unknown_bytes_are_raw_pcm_only_under_a_suitable_name():
    with pytest.raises(UnsupportedMediaError, match="raw PCM under a name"):
        look(SECOND, "prompt.mp3")
    assert look(SECOND, "prompt.pcm").coding is Coding.S16LE


def test_raw_pcm_of_odd_length_is_rejected():
    with pytest.raises(InvalidError, match="even"):
        look(SECOND + b"\0", "prompt.pcm")


@pytest.mark.parametrize("data", [b"", b"\0\0", wav(b"", rate=8000), wav(bytes(100), rate=8000)])
def test_empty_and_very_short_files_are_rejected(data):
    with pytest.raises(InvalidError, match=r"empty|is required|at least|no sound"):
        look(data)


@pytest.mark.parametrize(
    ("width", "coding", "expected"),
    [
        (1, PCM, Coding.U8),
        (2, PCM, Coding.S16LE),
        (3, PCM, Coding.S24LE),
        (4, PCM, Coding.S32LE),
        (4, FLOAT, Coding.F32LE),
        (8, FLOAT, Coding.F64LE),
        (1, ALAW, Coding.ALAW),
        (1, MULAW, Coding.MULAW),
    ],
)
@pytest.mark.parametrize("mask", [None, 0, 3])
def test_a_wav_header_gives_the_sample_format(width, coding, expected, mask):
    content = bytes(44100 * 2 * width)
    extra = chunk(b"LIST", b"odd")
    data = wav(
        content,
        rate=44100,
        width=width,
        channels=2,
        coding=coding,
        speaker_mask=mask,
        before=extra,
        after=extra,
    )
    sound = look(data)
    assert (sound.coding, sound.rate, sound.channels, sound.length) == (expected, 44100, 2, 44100)
    assert data[sound.start : sound.end] == content


def test_a_wav_with_less_audio_than_its_header_says_is_cut():
    whole = wav(SECOND, rate=8000)
    for part in (whole[:-4000], whole[:200], whole[:45]):
        with pytest.raises(InvalidError, match="cut"):
            look(part)
    with pytest.raises(InvalidError, match="cut"):
        look(wav(SECOND, rate=8000, data_size=0x7FFFFFFF))
    with pytest.raises(InvalidError, match="cut"):
        look(wav(SECOND, rate=8000, data_size=0xFFFFFFFF))


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0xFFFFFF00, 0x7FFFF000, 0x7FFFEFFF, 0x80000000])
def test_a3_a_wav_with_an_impossible_size_extends_to_the_end_of_the_file(size):
    data = bytearray(wav(SECOND, rate=8000, data_size=size))
    struct.pack_into("<I", data, 4, min(size + 36, 0xFFFFFFFF))
    sound = look(bytes(data))
    assert sound.length == 8000
    assert sound.open_ended


def test_the_size_of_an_rf64_is_read_from_its_ds64_chunk():
    plain = wav(SECOND, rate=8000, data_size=0xFFFFFFFF)
    long = (
        b"RF64\xff\xff\xff\xffWAVE"
        + chunk(b"ds64", struct.pack("<QQQI", 0, len(SECOND), 8000, 0))
        + plain[12:]
    )
    assert look(long).length == 8000
    with pytest.raises(InvalidError, match="cut"):
        look(long[:-4000])


def test_a_rifx_is_read_as_big_endian():
    header = struct.pack(
        ">4sI4s4sIHHIIHH4sI", b"RIFX", 0, b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16, b"data", 16000
    )
    assert look(header + bytes(16000)).coding is Coding.S16BE


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda d: struct.pack_into("<H", d, 20, 0x22), UnsupportedMediaError),  # TrueSpeech
        (lambda d: struct.pack_into("<H", d, 20, 0x161), UnsupportedMediaError),  # Windows Media
        (lambda d: struct.pack_into("<H", d, 22, 0), InvalidError),
        (lambda d: struct.pack_into("<H", d, 22, 9999), InvalidError),
        (lambda d: struct.pack_into("<I", d, 24, 0), InvalidError),
        (lambda d: struct.pack_into("<I", d, 24, 3_000_000_000), InvalidError),
        (lambda d: struct.pack_into("<H", d, 32, 7), InvalidError),
        (lambda d: struct.pack_into("<I", d, 16, 4), InvalidError),
        (lambda d: struct.pack_into("<I", d, 16, 0xFFFFFFFF), InvalidError),
        (lambda d: d.__setitem__(slice(12, 16), b"tmf "), InvalidError),
        (lambda d: d.__setitem__(slice(36, 40), b"atad"), InvalidError),
    ],
)
def test_a_wav_with_an_invalid_header_is_rejected(change, refusal):
    data = bytearray(wav(SECOND, rate=8000))
    change(data)
    with pytest.raises(refusal):
        look(bytes(data))


def test_audio_over_the_limit_is_rejected_before_it_is_decoded():
    with pytest.raises(TooLargeError):
        look(wav(bytes(1_000_000), rate=27, width=1))
    with pytest.raises(TooLargeError):
        look(FRAME * 3000, max_seconds=60)
    with pytest.raises(TooLargeError):
        look(bytes(16000 * 3), max_seconds=2)


def test_an_implausible_sample_rate_is_rejected():
    with pytest.raises(InvalidError, match="100 Hz"):
        look(wav(bytes(1000), rate=100, width=1))


@settings(max_examples=300)
@given(st.binary(max_size=400), st.sampled_from(["a.mp3", "a.wav", "a.pcm", "a"]))
def test_random_bytes_give_a_sound_or_a_rejection(data, name):
    _look_at_anything(data, name)


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_file_gives_a_sound_within_it_or_a_rejection(data):
    whole = bytearray(
        data.draw(
            st.sampled_from(
                [
                    wav(SECOND[:2000], rate=8000),
                    wav(SECOND[:2000], rate=8000, speaker_mask=1),
                    ID3 + FRAME * 4,
                    FRAME * 4 + b"TAG" + bytes(125),
                    b"APETAGEX" + struct.pack("<II", 2000, 0) + bytes(40) + FRAME * 3,
                ]
            )
        )
    )
    for place, value in data.draw(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 255)), max_size=6)):
        whole[place] = value
    _look_at_anything(bytes(whole[: data.draw(st.integers(0, len(whole)))]), "a.wav")


def _look_at_anything(data: bytes, name: str) -> None:
    with suppress(RefusedError):
        sound = look(data, name)
        assert 0 <= sound.start < sound.end <= len(data)
        assert sound.length > 0 or sound.kind not in {Kind.MP3, Kind.PCM}  # known by the decoder alone
