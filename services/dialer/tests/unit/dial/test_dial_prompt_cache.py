import asyncio
import struct
from pathlib import Path

import pytest

from cato_contracts.objects import Bucket, ObjectRef
from cato_contracts.runs import Prompt
from cato_dialer.dial.adapters.disk_prompt_cache import DiskPromptCache, alaw_wav
from cato_dialer.dial.ports.dial import PromptMissingError
from cato_runtime.objects import MemoryObjectStore


class CountingStore(MemoryObjectStore):
    def __init__(self) -> None:
        super().__init__()
        self.fetched = 0

    async def get(self, ref: ObjectRef) -> bytes:
        self.fetched += 1
        await asyncio.sleep(0)
        return await super().get(ref)


async def stored(store: MemoryObjectStore, audio: bytes) -> Prompt:
    return Prompt(audio=await store.put(Bucket.PROMPTS, "p", audio), duration_ms=len(audio) // 8)


def test_the_file_is_a_law_at_8_khz_in_whole_frames() -> None:
    wav = alaw_wav(b"\x01" * 330)
    assert wav[:4] == b"RIFF"
    assert struct.unpack("<I", wav[4:8])[0] == len(wav) - 8
    at = wav.index(b"fmt ")
    assert struct.unpack("<HHIIHH", wav[at + 8 : at + 24]) == (6, 1, 8000, 8000, 1, 8)
    at = wav.index(b"data")
    assert struct.unpack("<I", wav[at + 4 : at + 8])[0] == 480
    assert wav[at + 8 :] == b"\x01" * 330 + b"\xd5" * 150


async def test_a_prompt_is_fetched_once_for_all_who_ask(tmp_path: Path) -> None:
    store = CountingStore()
    prompt = await stored(store, b"\x01" * 160)
    cache = DiskPromptCache(store, tmp_path / "prompts")
    paths = await asyncio.gather(*(cache.file(prompt) for _ in range(20)))
    assert store.fetched == 1
    assert len(set(paths)) == 1
    assert paths[0].read_bytes() == alaw_wav(b"\x01" * 160)
    assert await DiskPromptCache(store, tmp_path / "prompts").file(prompt) == paths[0]
    assert store.fetched == 1
    assert [path.name for path in (tmp_path / "prompts").iterdir()] == [paths[0].name]


async def test_whoever_gives_up_waiting_does_not_take_it_from_others(tmp_path: Path) -> None:
    store = CountingStore()
    prompt = await stored(store, b"\x01" * 160)
    cache = DiskPromptCache(store, tmp_path)
    impatient = asyncio.create_task(cache.file(prompt))
    patient = asyncio.create_task(cache.file(prompt))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).exists()


async def test_a_prompt_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    cache = DiskPromptCache(MemoryObjectStore(), tmp_path)
    ref = ObjectRef(bucket=Bucket.PROMPTS, name="gone", size=8)
    with pytest.raises(PromptMissingError):
        await cache.file(Prompt(audio=ref, duration_ms=1))
