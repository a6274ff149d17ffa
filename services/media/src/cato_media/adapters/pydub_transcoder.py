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
from cato_media.domain.checks import Measured, warnings_of
from cato_media.domain.mixing import Survey, choose_mixing
from cato_media.domain.sound import PROMPT_RATE, Kind, Sound
from cato_media.ports import Transcoded

with warnings.catch_warnings():
    # pydub looks for an ffmpeg of the system, which is not used here, and audioop is deprecated.
    warnings.simplefilter("ignore")
    import audioop

    from pydub import AudioSegment

_LONG_S = 120
_UNKNOWN_BYTES_PER_S = 4000
"""The bit rate that is assumed for a container whose length is not known."""

_MISSING_TOLERANCE: Final = {Kind.MP3: 0.1, Kind.WAV: 0.02, Kind.PCM: 0.02}
"""Seconds by which the decoded audio may be shorter than the file's structure says (for MP3 a few frames)."""

_CONTAINER_TOLERANCE: Final = 0.1
_SAMPLE_BYTES = 2
_MS = 1000


class PydubTranscoder:
    """Transcodes at most `slots` files at once; one slot is kept free for files under two minutes.

    Each file is decoded twice: first to measure its channels, then to the prompt. With `loudness_lufs` every
    prompt is amplified to this loudness.
    """

    def __init__(
        self,
        decoder: FfmpegDecoder,
        *,
        max_seconds: float,
        loudness_lufs: float | None = None,
        slots: int | None = None,
    ) -> None:
        slots = max(2, slots or os.cpu_count() or 2)
        self._decoder = decoder
        self._max_seconds = max_seconds
        self._loudness_lufs = loudness_lufs
        self._slots = asyncio.Semaphore(slots)
        self._long_slots = asyncio.Semaphore(slots - 1)

    async def transcode(self, source: Path, sound: Sound, target: Path) -> Transcoded:
        async with AsyncExitStack() as turn:
            if (sound.seconds or (sound.end - sound.start) / _UNKNOWN_BYTES_PER_S) > _LONG_S:
                await turn.enter_async_context(self._long_slots)
            await turn.enter_async_context(self._slots)
            survey = await self._decoder.survey(
                source,
                sound,
                max_seconds=self._max_seconds + 1,
                loudness=self._loudness_lufs is not None,
            )
            if (survey.stated_seconds or 0) > self._max_seconds + 1:
                raise self._too_long()
            mixing = choose_mixing(survey, target_lufs=self._loudness_lufs)
            with target.open("wb") as file:
                writer = _PromptWriter(file)
                async with aclosing(self._decoder.decode(source, sound, mixing)) as blocks:
                    async for block in blocks:
                        await asyncio.to_thread(writer.add, block)
                        if writer.length > self._max_seconds * PROMPT_RATE:
                            raise self._too_long()
                _check_length(sound, survey, writer.length)
                writer.finish()
            measured = writer.measured()
            return Transcoded(
                sha256=writer.sha256,
                size_bytes=writer.length,
                duration_ms=writer.length * _MS // PROMPT_RATE,
                peak_dbfs=measured.peak_dbfs,
                rms_dbfs=measured.rms_dbfs,
                warnings=warnings_of(sound, survey, mixing, measured),
            )

    def _too_long(self) -> TooLargeError:
        return TooLargeError(f"the audio is longer than the {self._max_seconds:g} s that are allowed")


class _PromptWriter:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._peak = 0
        self._energy = self._difference = 0.0
        self._frames: list[float] = []
        self.length = 0
        """Bytes, and so samples, written so far."""

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def add(self, block: bytes) -> None:
        """Write a block; all but the last one hold whole packets."""
        samples = audioop.alaw2lin(block, _SAMPLE_BYTES)
        segment = AudioSegment(samples, sample_width=_SAMPLE_BYTES, frame_rate=PROMPT_RATE, channels=1)
        self._peak = max(self._peak, segment.max)
        self._energy += segment.rms**2 * segment.frame_count()
        self._difference += _difference_energy(samples)
        packet = FRAME_BYTES * _SAMPLE_BYTES
        self._frames += (
            _decibels(audioop.rms(samples[start : start + packet], _SAMPLE_BYTES))
            for start in range(0, len(samples), packet)
        )
        self._write(block)

    def finish(self) -> None:
        """Fill up with silence to whole packets."""
        self._write(bytes([SILENCE]) * (-self.length % FRAME_BYTES))

    def measured(self) -> Measured:
        return Measured(
            peak_dbfs=_decibels(self._peak),
            rms_dbfs=_decibels(math.sqrt(self._energy / self.length)),
            frames_dbfs=self._frames,
            correlation=1 - self._difference / (2 * self._energy) if self._energy else 0.0,
        )

    def _write(self, block: bytes) -> None:
        self._digest.update(block)
        self._file.write(block)
        self.length += len(block)


def _difference_energy(samples: bytes) -> float:
    """Return the energy of the differences between neighbouring samples."""
    if len(samples) <= _SAMPLE_BYTES:
        return 0.0
    before = audioop.mul(samples[:-_SAMPLE_BYTES], _SAMPLE_BYTES, -1)
    difference = audioop.add(samples[_SAMPLE_BYTES:], before, _SAMPLE_BYTES)
    return float(audioop.rms(difference, _SAMPLE_BYTES)) ** 2 * (len(difference) / _SAMPLE_BYTES)


def _check_length(sound: Sound, survey: Survey, decoded: int) -> None:
    expected = sound.prompt_length or round((survey.stated_seconds or 0) * PROMPT_RATE)
    tolerance = _MISSING_TOLERANCE.get(sound.kind, _CONTAINER_TOLERANCE)
    if decoded == 0 or decoded < expected - tolerance * PROMPT_RATE:
        raise InvalidError(
            f"the {sound.kind.upper()} file is damaged: {decoded / PROMPT_RATE:.2f} s of its"
            f" {expected / PROMPT_RATE:.2f} s could be decoded"
        )
    if decoded < FRAME_BYTES:
        raise InvalidError(
            f"the file has {decoded / PROMPT_RATE * _MS:.1f} ms of audio, at least 20 ms are required"
        )


def _decibels(level: float) -> float:
    """Return a level in dB below full scale; the level of A-law is never zero, except of a mean."""
    return 20 * math.log10(max(level, 1) / 32768)
