"""Sound files for tests, written by hand or by the encoders of the decoder's own package."""

import asyncio
import math
import struct
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random

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


@cache
def speech(seconds: float = 3.0, *, rate: int = 8000, level: float = 0.3, seed: int = 1) -> tuple[float, ...]:
    """Return something that has the spectrum, the pauses and the dynamics of speech.

    A glottal pulse train of varying pitch and noise as in fricatives, through two formants that change with
    each syllable of 200 ms; every fifth syllable is a pause with the noise of a quiet room.
    """
    random = Random(seed)
    samples: list[float] = []
    phase = 0.0
    while len(samples) < seconds * rate:
        kind = random.choice(["vowel", "vowel", "vowel", "fricative", "pause"])
        first, second = random.uniform(300, 800), random.uniform(1000, 2600)
        pitch, loud = random.uniform(90, 220), random.uniform(0.3, 1.0)
        one, two = _resonator(first, rate), _resonator(second, rate)
        for _ in range(rate // 5):
            phase += pitch / rate * random.uniform(0.97, 1.03)
            pulse = 1.0 if phase >= 1 else 0.0
            phase -= pulse
            noise = random.gauss(0, 1)
            if kind == "vowel":
                samples.append(loud * (one(pulse) + 0.5 * two(pulse) + 0.002 * noise))
            elif kind == "fricative":
                samples.append(loud * 0.02 * two(noise))
            else:
                samples.append(0.0005 * noise)
    highest = max(map(abs, samples))
    return tuple(level * sample / highest for sample in samples[: round(seconds * rate)])


def _resonator(hz: float, rate: int, bandwidth: float = 90.0) -> Callable[[float], float]:
    radius = math.exp(-math.pi * bandwidth / rate)
    one, two = 2 * radius * math.cos(2 * math.pi * hz / rate), -radius * radius
    state = [0.0, 0.0]

    def resonate(value: float) -> float:
        value += one * state[0] + two * state[1]
        state[:] = [value, state[0]]
        return value

    return resonate


def packed(samples: Sequence[float], *, width: int = 2, floating: bool = False) -> bytes:
    """Return samples as little-endian numbers of `width` bytes; a single byte is unsigned, as in WAV."""
    if floating:
        return struct.pack(f"<{len(samples)}{'f' if width == 4 else 'd'}", *samples)
    full = _INTEGER_FULL_SCALE[width]
    values = [round(max(-1.0, min(1.0, sample)) * full) for sample in samples]
    if width == 1:
        return bytes(value + 128 for value in values)
    if width == 3:
        return b"".join(value.to_bytes(width, "little", signed=True) for value in values)
    return struct.pack(f"<{len(values)}{'h' if width == 2 else 'i'}", *values)


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
