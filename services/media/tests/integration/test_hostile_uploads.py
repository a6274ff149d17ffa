"""Uploads that must be rejected: within 5 s, without leaving anything behind, in little memory."""

import asyncio
import io
import os
import random
import resource
import struct
import zipfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cato_contracts.errors import InvalidError, RefusedError, TooLargeError, UnsupportedMediaError
from cato_media.adapters.ffmpeg_decoder import FfmpegDecoder
from cato_media.domain.sniffing import inspect
from cato_media.domain.sound import Coding
from services.media.tests.support.client import Media
from services.media.tests.support.sounds import FLOAT, chunk, converted, packed, tone, wav

SECOND = packed(tone(8000))
LONG = 20.0
"""Seconds of the files that are cut."""


async def mp3(*options: str, seconds: float = LONG) -> bytes:
    return await converted(wav(packed(tone(16000, seconds)), rate=16000), "mp3", "-b:a", "32k", *options)


def processor_seconds() -> float:
    """Return the processor time of this process and of the decoders that have ended."""
    return sum(os.times()[:4])


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def children() -> set[str]:
    """The process ids of our children."""
    tasks = Path("/proc/self/task").glob("*/children")
    return {child for task in tasks for child in task.read_text().split()}


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("prompt.mp3", bytes(20_000_000))
    return file.getvalue()


def hours_of_silence() -> bytes:
    """Frames of 8 kbit/s at 8 kHz, 72 ms each in 72 bytes: ten hours are 36 MB."""
    return (bytes([0xFF, 0xE3, 0x18, 0xC4]) + bytes(68)) * 500_000


def noise(size: int) -> bytes:
    return random.Random(7).randbytes(size)


async def trashed() -> bytes:
    """Headers in place, everything between them noise."""
    data = bytearray(await mp3())
    for place in range(2000, len(data) - 2000, 700):
        data[place : place + 300] = noise(300)
    return bytes(data)


async def lying_about_frames() -> bytes:
    data = bytearray(await mp3(seconds=1.0))
    place = data.find(b"Xing") if b"Xing" in data else data.find(b"Info")
    struct.pack_into(">I", data, place + 8, 5_000_000)
    return bytes(data)


async def long_flac() -> bytes:
    return await converted(wav(b"", rate=8000), "flac", "-af", "apad=whole_dur=7200")


async def video() -> bytes:
    return await converted(
        wav(SECOND, rate=8000), "mp4", "-f", "lavfi", "-i", "color=red:size=64x64:duration=1", "-map", "1"
    )


def header_of(rate: int, channels: int, bits: int, size: int = 16000) -> bytes:
    frame = channels * bits // 8
    fmt = struct.pack("<HHIIHH", 1, channels, rate, rate * frame % 2**32, frame % 2**16, bits)
    return b"RIFF\xff\xff\xff\xffWAVE" + chunk(b"fmt ", fmt) + b"data" + struct.pack("<I", size)


async def cut_in_half(make: Callable[[], Awaitable[bytes]]) -> bytes:
    data = await make()
    return data[: len(data) // 2]


async def ready(data: bytes) -> bytes:
    return data


CORPUS: dict[str, tuple[str, Callable[[], Awaitable[bytes]], type[RefusedError]]] = {
    "empty": ("a.wav", lambda: ready(b""), InvalidError),
    "one byte": ("a.pcm", lambda: ready(b"\0"), InvalidError),
    "odd pcm": ("a.pcm", lambda: ready(SECOND[:-1]), InvalidError),
    "ten samples": ("a.pcm", lambda: ready(SECOND[:20]), InvalidError),
    "cut wav": ("a.wav", lambda: ready(wav(packed(tone(8000, LONG)), rate=8000)[:100_000]), InvalidError),
    "wav header alone": ("a.wav", lambda: ready(wav(SECOND, rate=8000)[:44]), InvalidError),
    "wav without sound": ("a.wav", lambda: ready(wav(b"", rate=8000)), InvalidError),
    "wav that promises 2 GB": ("a.wav", lambda: ready(wav(SECOND, rate=8000, data_size=2**31)), InvalidError),
    "wav at 0 Hz": ("a.wav", lambda: ready(header_of(0, 1, 16) + SECOND), InvalidError),
    "wav at 4 GHz": ("a.wav", lambda: ready(header_of(2**32 - 1, 1, 16) + SECOND), InvalidError),
    "wav of 65535 channels": ("a.wav", lambda: ready(header_of(8000, 65535, 16) + SECOND), InvalidError),
    "wav of 7 bits": ("a.wav", lambda: ready(header_of(8000, 1, 7) + SECOND), InvalidError),
    "wav of many chunks": (
        "a.wav",
        lambda: ready(b"RIFF\xff\xff\xff\xffWAVE" + b"junk\0\0\0\0" * 1_000_000),
        InvalidError,
    ),
    "wav at 27 Hz, ten hours in 1 MB": (
        "a.wav",
        lambda: ready(wav(bytes(1_000_000), rate=27, width=1)),
        TooLargeError,
    ),
    "cut mp3": ("a.mp3", lambda: cut_in_half(mp3), InvalidError),
    "cut mp3 that says nothing of itself": (
        "a.mp3",
        lambda: cut_in_half(lambda: mp3("-write_xing", "0")),
        InvalidError,
    ),
    "mp3 that says it has millions of frames": ("a.mp3", lying_about_frames, InvalidError),
    "mp3 with noise in it": ("a.mp3", trashed, InvalidError),
    "mp3 of many hours": ("a.mp3", lambda: ready(hours_of_silence()), TooLargeError),
    "id3 tag alone": ("a.mp3", lambda: ready(b"ID3\x03\0\0\0\0\x02\0" + bytes(256)), InvalidError),
    "id3 tag longer than the file": (
        "a.mp3",
        lambda: ready(b"ID3\x03\0\0\x7f\x7f\x7f\x7f" + bytes(256)),
        InvalidError,
    ),
    "id3 tag before noise": (
        "a.mp3",
        lambda: ready(b"ID3\x03\0\0\0\0\0\x0a" + bytes(10) + noise(100_000)),
        InvalidError,
    ),
    "a million tags": ("a.mp3", lambda: ready(b"ID3\x03\0\0\0\0\0\0" * 1_000_000), InvalidError),
    "lyrics without end": (
        "a.mp3",
        lambda: ready(b"ID3\x03\0\0\0\0\0\0" + b"LYRICSBEGIN" * 1_000_000),
        InvalidError,
    ),
    "zip named mp3": ("a.mp3", lambda: ready(zipped()), UnsupportedMediaError),
    "zip named pcm": ("a.pcm", lambda: ready(zipped()), UnsupportedMediaError),
    "noise named mp3": ("a.mp3", lambda: ready(noise(1_000_000)), UnsupportedMediaError),
    "noise named wav": ("a.wav", lambda: ready(noise(1_000_000)), UnsupportedMediaError),
    "playlist": (
        "a.mp3",
        lambda: ready(b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\nhttp://127.0.0.1:1/a.ts\n"),
        UnsupportedMediaError,
    ),
    "concatenation script": (
        "a",
        lambda: ready(b"ffconcat version 1.0\nfile '/etc/passwd'\n"),
        UnsupportedMediaError,
    ),
    "page of an error": (
        "a.mp3",
        lambda: ready(b"<!DOCTYPE html><html>404 not found</html>"),
        UnsupportedMediaError,
    ),
    "ogg without pages": ("a.ogg", lambda: ready(b"OggS" + bytes(1000)), InvalidError),
    "ogg of a million pages": ("a.ogg", lambda: ready((b"OggS" + bytes(23)) * 1_000_000), InvalidError),
    "flac of hours of nothing": ("a.flac", long_flac, TooLargeError),
    "m4a without an index": ("a.m4a", lambda: ready(b"\0\0\0\x18ftypM4A " + bytes(12)), InvalidError),
    "m4a of tiny boxes": (
        "a.m4a",
        lambda: ready(b"\0\0\0\x18ftypM4A " + bytes(12) + b"\0\0\0\x08free" * 1_000_000),
        InvalidError,
    ),
    "noise in matroska": ("a.webm", lambda: ready(b"\x1a\x45\xdf\xa3" + noise(100_000)), InvalidError),
    "video without sound": ("a.mp4", video, InvalidError),
    "silence": ("pause", lambda: ready(bytes(16000)), InvalidError),
    "constant level": ("pause", lambda: ready(b"\0\x40" * 8000), InvalidError),
    "mp2 named mp3": (
        "a.mp3",
        lambda: converted(wav(packed(tone(48000)), rate=48000), "mp2"),
        UnsupportedMediaError,
    ),
    "windows media named mp3": (
        "a.mp3",
        lambda: converted(wav(packed(tone(44100)), rate=44100), "wma"),
        UnsupportedMediaError,
    ),
    "over 50 MB": ("a.pcm", lambda: ready(bytes(52_428_802)), TooLargeError),
    "over 30 min": ("a.pcm", lambda: ready(bytes(16000 * 1801)), TooLargeError),
    "path in the name": ("../../tmp/a.wav", lambda: ready(wav(SECOND, rate=8000)), InvalidError),
    "zero byte in the name": ("a\0.wav", lambda: ready(wav(SECOND, rate=8000)), InvalidError),
}


@pytest.mark.parametrize("what", CORPUS)
async def test_a_hostile_upload_is_rejected_in_time_and_stores_nothing(media: Media, what: str):
    name, make, refusal = CORPUS[what]
    data = await make()
    memory = resident_bytes()
    begun = processor_seconds()
    with pytest.raises(refusal) as refused:
        await media.add(name, data)
    assert processor_seconds() - begun < 5
    assert refused.type is refusal
    assert len(refused.value.message) > 15
    assert media.kept() == []
    assert await media.log.last("ev.audio-file.*") is None
    assert resident_bytes() - memory < 100_000_000 + len(data)


async def test_half_an_hour_is_transcoded_in_constant_memory(media: Media):
    half_hour = wav(SECOND * 1799, rate=8000)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    file = await media.add("long", half_hour)
    assert file.duration_ms == 1_799_000
    # The store of this test is in memory, too: it has the upload, and the prompt twice while it is joined.
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) * 1024 < 3 * len(half_hour)


async def test_a_short_file_does_not_wait_for_long_ones(media: Media):
    ten_minutes = wav(SECOND * 600, rate=8000)
    long = [asyncio.create_task(media.add(f"long {n}", ten_minutes)) for n in range(4)]
    await asyncio.sleep(0)
    await media.add("short", wav(SECOND, rate=8000))
    assert not all(task.done() for task in long)
    await asyncio.gather(*long)


async def decoded(decoder: FfmpegDecoder, path: Path, **changes: object) -> int:
    data = path.read_bytes()
    sound = replace(inspect(data, "a", max_seconds=1e6), **changes)
    return sum([len(block) async for block in decoder.decode(path, sound)])


async def test_the_decoder_is_killed_after_its_time_limit(tmp_path: Path):
    sleeper = tmp_path / "ffmpeg"
    sleeper.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    sleeper.chmod(0o755)
    source = tmp_path / "source"
    source.write_bytes(wav(SECOND, rate=8000))
    before = children()
    with pytest.raises(InvalidError, match="too long"):
        await decoded(FfmpegDecoder(program=str(sleeper), wall_clock=timedelta(seconds=0.3)), source)
    assert children() == before


async def test_the_decoder_is_killed_after_its_processor_time_limit(tmp_path: Path):
    spinner = tmp_path / "ffmpeg"
    spinner.write_text("#!/bin/sh\nwhile :; do :; done\n")
    spinner.chmod(0o755)
    source = tmp_path / "source"
    source.write_bytes(wav(SECOND, rate=8000))
    with pytest.raises(InvalidError, match="cannot be decoded"):
        await decoded(FfmpegDecoder(program=str(spinner), cpu_seconds=1), source)


async def test_the_decoder_cannot_write_files_or_read_the_environment(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("CATO_SECRET", "secret")
    curious = tmp_path / "ffmpeg"
    curious.write_text(f"#!/bin/sh\n/usr/bin/env\nulimit -a\necho text > {tmp_path}/written\n")
    curious.chmod(0o755)
    source = tmp_path / "source"
    source.write_bytes(wav(SECOND, rate=8000))
    blocks = FfmpegDecoder(program=str(curious)).decode(
        source, inspect(source.read_bytes(), "a", max_seconds=10)
    )
    output = await anext(blocks)
    with pytest.raises(InvalidError):
        await anext(blocks)
    assert b"MALLOC_ARENA_MAX" in output
    assert b"CATO_SECRET" not in output
    assert not (tmp_path / "written").exists() or (tmp_path / "written").read_bytes() == b""


async def test_the_decoder_reads_only_the_audio_bytes(tmp_path: Path):
    source = tmp_path / "source"
    source.write_bytes(
        wav(SECOND, rate=8000, before=chunk(b"junk", noise(999)), after=chunk(b"LIST", noise(999)))
    )
    assert await decoded(FfmpegDecoder(), source) == len(SECOND) // 2


async def test_closing_the_decoder_early_leaves_no_process(tmp_path: Path):
    source = tmp_path / "source"
    source.write_bytes(wav(SECOND * 600, rate=8000))
    sound = inspect(source.read_bytes(), "a", max_seconds=1e6)
    before = children()
    blocks = FfmpegDecoder().decode(source, sound)
    await anext(blocks)
    await blocks.aclose()
    assert children() == before


async def test_nan_and_infinite_samples_are_handled(media: Media):
    wild = struct.pack("<4f", float("nan"), float("inf"), float("-inf"), 3e38) * 4000
    try:
        file = await media.add("wild.wav", wav(wild, rate=16000, width=4, coding=FLOAT))
    except InvalidError:
        assert media.kept() == []
    else:
        assert len(await media.objects.get(file.content)) == file.size_bytes


async def test_decoding_with_the_wrong_coding_is_an_error(tmp_path: Path):
    source = tmp_path / "source"
    source.write_bytes(wav(SECOND, rate=8000))
    with pytest.raises(InvalidError):
        await decoded(FfmpegDecoder(), source, coding=Coding.MP3)
