"""Sound files for tests, written by hand or by the encoders of the decoder's own package."""

import asyncio
import math
import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path

import imageio_ffmpeg

PCM, FLOAT, ALAW, MULAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_SUBTYPE_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_INTEGER_FULL_SCALE = {1: 127, 2: 32767, 3: 8388607, 4: 2147483647}


def tone(
    rate: int, seconds: float = 1.0, *, hz: float = 1000.0, amplitude: float = 0.5, channels: int = 1
) -> list[float]:
    """Return samples from -1 to 1, the same on all channels."""
    step = 2 * math.pi * hz / rate
    return [amplitude * math.sin(step * n) for n in range(round(rate * seconds)) for _ in range(channels)]


def packed(samples: Sequence[float], *, width: int = 2, floating: bool = False) -> bytes:
    """Return samples as little-endian numbers of `width` bytes; a single byte is unsigned, as in WAV."""
    if floating:
        return struct.pack(f"<{len(samples)}{'f' if width == 4 else 'd'}", *samples)
    full = _INTEGER_FULL_SCALE[width]
    values = [round(max(-1.0, min(1.0, sample)) * full) for sample in samples]
    if width == 1:
        return bytes(value + 128 for value in values)
    return b"".join(value.to_bytes(width, "little", signed=True) for value in values)


def wav(
    data: bytes,
    *,
    rate: int,
    width: int = 2,
    channels: int = 1,
    coding: int = PCM,
    speaker_mask: int | None = None,
    data_size: int | None = None,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """Return a WAV file; with `speaker_mask` an extensible one.

    `data_size` is what the header says, if not the truth; `before` and `after` are chunks around the data.
    """
    frame = channels * width
    plain = struct.pack(
        "<HHIIHH",
        coding if speaker_mask is None else EXTENSIBLE,
        channels,
        rate,
        rate * frame % 2**32,
        frame,
        8 * width,
    )
    extension = b""
    if speaker_mask is not None:
        extension = struct.pack("<HHIH", 22, 8 * width, speaker_mask, coding) + _SUBTYPE_TAIL
    size = len(data) if data_size is None else data_size
    chunks = chunk(b"fmt ", plain + extension) + before + b"data" + struct.pack("<I", size) + data
    chunks += b"\0" * (len(data) % 2) + after
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


async def converted(source: bytes, suffix: str, *options: str) -> bytes:
    """Return a sound file encoded by ffmpeg with these command-line options."""
    with tempfile.TemporaryDirectory() as directory:
        before, after = Path(directory) / "source", Path(directory) / f"target.{suffix}"
        before.write_bytes(source)
        process = await asyncio.create_subprocess_exec(
            imageio_ffmpeg.get_ffmpeg_exe(),
            *("-nostdin", "-v", "error", "-i", str(before), *options, str(after)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, complaints = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(complaints.decode())
        return after.read_bytes()
