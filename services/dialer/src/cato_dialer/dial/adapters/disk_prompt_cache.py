"""A disk cache of prompts: A-law WAV files named by their digest."""

import asyncio
import os
from pathlib import Path

from cato_contracts.alaw_wav import pad_to_frames, wav_file
from cato_contracts.messages.runs import Prompt
from cato_dialer.dial.ports.dial import AudioSource, PromptMissingError
from cato_runtime.objects import ObjectMissingError


class DiskPromptCache:
    """Keeps the files in `directory`, which it creates. A file gets its name once it is complete.

    The repetitions of a prompt are in its file, so that both engines play them without a gap.
    """

    def __init__(self, objects: AudioSource, directory: Path) -> None:
        self._objects = objects
        self._directory = directory
        self._fetches: dict[str, asyncio.Task[Path]] = {}

    async def file(self, prompt: Prompt) -> Path:
        key = prompt.audio.sha256 or prompt.audio.name
        if prompt.repeat_count > 1:
            key = f"{key}x{prompt.repeat_count}"
        path = self._directory / f"{key}.wav"
        if path.exists():
            return path
        fetch = self._fetches.get(key)
        if fetch is None:
            fetch = asyncio.create_task(self._fetch(prompt, path))
            self._fetches[key] = fetch
            fetch.add_done_callback(lambda _: self._fetches.pop(key, None))
        # Shielded: a cancelled caller must not cancel the fetch that others await.
        return await asyncio.shield(fetch)

    async def _fetch(self, prompt: Prompt, path: Path) -> Path:
        ref = prompt.audio
        try:
            audio = await self._objects.get(ref)
        except ObjectMissingError as error:
            raise PromptMissingError(f"object {ref.name} is missing in bucket {ref.bucket}") from error
        await asyncio.to_thread(_write, path, wav_file(pad_to_frames(audio * prompt.repeat_count)))
        return path


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
