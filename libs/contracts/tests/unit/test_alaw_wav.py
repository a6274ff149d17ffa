import struct
import wave
from pathlib import Path

import pytest

from cato_contracts.alaw_wav import AlawWavError, audio_length, pad_to_frames, wav_file, wav_header

AUDIO = bytes(range(256)) + b"\x01" * 64


@pytest.mark.parametrize("size", [0, 1, 160, 161])
def test_header_states_the_sizes_of_its_chunks(size: int):
    file = wav_file(b"\x01" * size)
    assert file.startswith(wav_header(size))
    assert len(file) % 2 == 0
    assert struct.unpack_from("<I", file, 4) == (len(file) - 8,)
    assert struct.unpack_from("<4sIHHIIHHH", file, 12) == (b"fmt ", 18, 6, 1, 8000, 8000, 1, 8, 0)
    assert struct.unpack_from("<4sII", file, 38) == (b"fact", 4, size)
    assert struct.unpack_from("<4sI", file, 50) == (b"data", size)
    assert file[58 : 58 + size] == b"\x01" * size


@pytest.mark.parametrize(("size", "filled"), [(0, 0), (1, 160), (160, 160), (330, 480)])
def test_audio_is_filled_up_with_silence_to_whole_frames(size: int, filled: int):
    assert pad_to_frames(b"\x01" * size) == b"\x01" * size + b"\xd5" * (filled - size)


def test_length_is_the_size_of_the_data_chunk(tmp_path: Path):
    path = tmp_path / "prompt.wav"
    path.write_bytes(wav_file(AUDIO))
    assert audio_length(path) == len(AUDIO)


def test_length_skips_other_chunks(tmp_path: Path):
    file = wav_file(AUDIO)
    path = tmp_path / "prompt.wav"
    path.write_bytes(file[:12] + b"LIST" + struct.pack("<I", 3) + b"odd\0" + file[12:])
    assert audio_length(path) == len(AUDIO)


def _pcm(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 1, 8000, 320, "NONE", ""))
        file.writeframes(AUDIO)


def _changed(offset: int, value: bytes) -> bytes:
    return wav_file(AUDIO)[:offset] + value + wav_file(AUDIO)[offset + len(value) :]


@pytest.mark.parametrize(
    "spoil",
    [
        Path.unlink,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"ID3" * 100),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes()[:30]),
        lambda path: path.write_bytes(wav_file(b"")),
        lambda path: path.write_bytes(wav_header(160)),
        lambda path: path.write_bytes(_changed(20, b"\7\0")),
        lambda path: path.write_bytes(_changed(24, (16000).to_bytes(4, "little"))),
        lambda path: path.write_bytes(_changed(22, b"\2")),
        lambda path: path.write_bytes(_changed(12, b"junk")),
        lambda path: path.write_bytes(_changed(16, b"\4\0\0\0")),
        _pcm,
    ],
    ids=[
        *("missing", "empty", "not WAV", "cut audio", "cut format", "no audio", "header alone", "mu-law"),
        *("16 kHz", "stereo", "no format", "short format", "PCM"),
    ],
)
def test_other_files_are_rejected(tmp_path: Path, spoil):
    path = tmp_path / "prompt.wav"
    path.write_bytes(wav_file(AUDIO))
    spoil(path)
    with pytest.raises(AlawWavError):
        audio_length(path)
