"""Prompts on the disk: A-law WAV files by digest."""

import asyncio
import os
import struct
from pathlib import Path

from cato_contracts.objects import ObjectRef
from cato_contracts.runs import Prompt
from cato_dialer.dial.ports.dial import AudioSource, PromptMissingError
from cato_runtime.objects import ObjectMissingError

_FRAME = 160
"""20 ms of A-law, one RTP packet."""

_SILENCE = b"\xd5"
"""The A-law code of zero (G.711)."""

_RATE = 8000
_WAVE_FORMAT_ALAW = 6


class DiskPromptCache:
    """Files live in `directory`, which is made; a file is complete as soon as it has its name."""

    def __init__(self, objects: AudioSource, directory: Path) -> None:
        self._objects = objects
        self._directory = directory
        self._fetches: dict[str, asyncio.Task[Path]] = {}

    async def file(self, prompt: Prompt) -> Path:
        key = prompt.audio.sha256 or prompt.audio.name
        path = self._directory / f"{key}.wav"
        if path.exists():
            return path
        fetch = self._fetches.get(key)
        if fetch is None:
            fetch = asyncio.create_task(self._fetch(prompt.audio, path))
            self._fetches[key] = fetch
            fetch.add_done_callback(lambda _: self._fetches.pop(key, None))
        # One caller's cancellation must not take the file from the others.
        return await asyncio.shield(fetch)

    async def _fetch(self, ref: ObjectRef, path: Path) -> Path:
        try:
            audio = await self._objects.get(ref)
        except ObjectMissingError as error:
            raise PromptMissingError(f"there is no object {ref.name} in {ref.bucket}") from error
        await asyncio.to_thread(_write, path, alaw_wav(audio))
        return path


def alaw_wav(audio: bytes) -> bytes:
    """Return a WAV file of A-law samples, filled up with silence to whole frames of 160 bytes."""
    audio += _SILENCE * (-len(audio) % _FRAME)
    fmt = struct.pack("<HHIIHHH", _WAVE_FORMAT_ALAW, 1, _RATE, _RATE, 1, 8, 0)
    fact = struct.pack("<I", len(audio))
    chunks = b"".join(
        name + struct.pack("<I", len(body)) + body
        for name, body in ((b"fmt ", fmt), (b"fact", fact), (b"data", audio))
    )
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
