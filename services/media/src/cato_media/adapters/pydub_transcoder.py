"""Writes prompts: A-law blocks from ffmpeg, measured by pydub and filled up to whole packets."""

import asyncio
import hashlib
import math
import os
import warnings
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import BinaryIO, Final

from cato_contracts.alaw_wav import FRAME_BYTES, SILENCE
from cato_contracts.errors import InvalidError, TooLargeError
from cato_media.adapters.ffmpeg_decoder import FfmpegDecoder
from cato_media.domain.sound import PROMPT_RATE, Kind, Sound
from cato_media.ports import Transcoded

with warnings.catch_warnings():
    # pydub looks for an ffmpeg of the system, which is not used here, and audioop is deprecated.
    warnings.simplefilter("ignore")
    import audioop

    from pydub import AudioSegment

_LONG_S = 120
_MISSING_TOLERANCE: Final = {Kind.MP3: 0.1, Kind.WAV: 0.02, Kind.PCM: 0.02}
"""Seconds by which the decoded audio may be shorter than the file's structure says (for MP3 a few frames)."""

_SAMPLE_BYTES = 2
_MS = 1000


class PydubTranscoder:
    """Transcodes at most `slots` files at once; one slot is kept free for files under two minutes."""

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
                                f"the audio is longer than the {self._max_seconds:g} s that are allowed"
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
        """Bytes, and so samples, written so far."""

    def add(self, block: bytes) -> None:
        samples = audioop.alaw2lin(block, _SAMPLE_BYTES)
        segment = AudioSegment(samples, sample_width=_SAMPLE_BYTES, frame_rate=PROMPT_RATE, channels=1)
        self._peak = max(self._peak, segment.max)
        self._energy += segment.rms**2 * segment.frame_count()
        self._write(block)

    def finish(self) -> Transcoded:
        rms = math.sqrt(self._energy / self.length)
        self._write(bytes([SILENCE]) * (-self.length % FRAME_BYTES))
        return Transcoded(
            sha256=self._digest.hexdigest(),
            size_bytes=self.length,
            duration_ms=self.length * _MS // PROMPT_RATE,
            peak_dbfs=_decibels(self._peak),
            rms_dbfs=_decibels(rms),
        )

    def _write(self, block: bytes) -> None:
        self._digest.update(block)
        self._file.write(block)
        self.length += len(block)


def _check_length(sound: Sound, decoded: int) -> None:
    if decoded == 0 or decoded < sound.prompt_length - _MISSING_TOLERANCE[sound.kind] * PROMPT_RATE:
        raise InvalidError(
            f"the {sound.kind.upper()} file is damaged: {decoded / PROMPT_RATE:.2f} s of its"
            f" {sound.seconds:.2f} s could be decoded"
        )


def _decibels(level: float) -> float:
    """Return a level in dB below full scale; A-law has no level of zero."""
    return 20 * math.log10(level / 32768)
