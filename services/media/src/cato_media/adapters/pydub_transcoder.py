"""Prompts through pydub: ffmpeg's samples measured, filled up to whole packets and coded, block by block."""

import asyncio
import hashlib
import math
import os
import warnings
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import BinaryIO, Final

from cato_contracts.errors import InvalidError, TooLargeError
from cato_media.adapters.ffmpeg_decoder import SAMPLE_BYTES, FfmpegDecoder
from cato_media.domain import alaw
from cato_media.domain.sound import PROMPT_RATE, Kind, Sound
from cato_media.ports import Transcoded

with warnings.catch_warnings():
    # On import it looks for an ffmpeg of the system, which we don't use, and takes a deprecated module.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment

_LONG_S = 120
_MISSING_TOLERANCE: Final = {Kind.MP3: 0.1, Kind.WAV: 0.02, Kind.PCM: 0.02}
"""Seconds that a decoder may stay below what the file's structure promises (for MP3 a few frames)."""

_FULL_SCALE = 32768
_LEAST_DBFS = -99.0
_MS = 1000


class PydubTranscoder:
    """At most `slots` files at once, and never all of the slots for long ones: short ones go past those."""

    def __init__(self, decoder: FfmpegDecoder, *, max_seconds: float, slots: int | None = None) -> None:
        slots = max(2, slots or os.cpu_count() or 2)
        self._decoder = decoder
        self._max_seconds = max_seconds
        self._slots = asyncio.Semaphore(slots)
        self._long_slots = asyncio.Semaphore(slots - 1)

    async def transcode(self, source: Path, sound: Sound, target: Path) -> Transcoded:
        async with AsyncExitStack() as turn:
            if sound.seconds > _LONG_S:
                await turn.enter_async_context(self._long_slots)
            await turn.enter_async_context(self._slots)
            with target.open("wb") as file:
                writer = _PromptWriter(file)
                async with aclosing(self._decoder.decode(source, sound)) as blocks:
                    async for block in blocks:
                        await asyncio.to_thread(writer.add, block)
                        if writer.length > self._max_seconds * PROMPT_RATE:
                            raise TooLargeError(
                                f"the sound is longer than the {self._max_seconds:g} s that are allowed"
                            )
                _check_length(sound, writer.length)
                return writer.finish()


class _PromptWriter:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._peak = 0
        self._energy = 0.0
        self.length = 0
        """Samples so far."""

    def add(self, samples: bytes) -> None:
        segment = _segment(samples)
        self._peak = max(self._peak, segment.max)
        self._energy += segment.rms**2 * segment.frame_count()
        self._write(segment)

    def finish(self) -> Transcoded:
        missing = -self.length % alaw.PACKET_BYTES
        heard = self.length
        self._write(_silence(missing))
        return Transcoded(
            sha256=self._digest.hexdigest(),
            size_bytes=self.length,
            duration_ms=self.length * _MS // PROMPT_RATE,
            peak_dbfs=_decibels(self._peak),
            rms_dbfs=_decibels(math.sqrt(self._energy / heard)),
        )

    def _write(self, segment: AudioSegment) -> None:
        coded = alaw.encode(segment.raw_data)
        self._digest.update(coded)
        self._file.write(coded)
        self.length += len(coded)


def _segment(samples: bytes) -> AudioSegment:
    return AudioSegment(data=samples, sample_width=SAMPLE_BYTES, frame_rate=PROMPT_RATE, channels=1)


def _silence(samples: int) -> AudioSegment:
    """Return so many samples, at most a packet; pydub itself counts in milliseconds."""
    packet = AudioSegment.silent(duration=_MS * alaw.PACKET_BYTES // PROMPT_RATE, frame_rate=PROMPT_RATE)
    return packet.get_sample_slice(0, samples)


def _check_length(sound: Sound, decoded: int) -> None:
    if decoded == 0 or decoded < sound.prompt_length - _MISSING_TOLERANCE[sound.kind] * PROMPT_RATE:
        raise InvalidError(
            f"the {sound.kind.upper()} file is damaged: {decoded / PROMPT_RATE:.2f} s of its"
            f" {sound.seconds:.2f} s could be decoded"
        )


def _decibels(level: float) -> float:
    return max(_LEAST_DBFS, 20 * math.log10(level / _FULL_SCALE)) if level else _LEAST_DBFS
