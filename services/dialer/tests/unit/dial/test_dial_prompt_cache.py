import asyncio
from pathlib import Path

import pytest

from cato_contracts.alaw_wav import wav_file
from cato_contracts.messages.runs import Prompt
from cato_contracts.objects import Bucket, ObjectRef
from cato_dialer.dial.adapters.disk_prompt_cache import DiskPromptCache
from cato_dialer.dial.ports.dial import PromptMissingError
from tests.support.memory_objects import MemoryObjectStore


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


async def test_concurrent_requests_fetch_a_prompt_once(tmp_path: Path) -> None:
    store = CountingStore()
    prompt = await stored(store, b"\x01" * 150)
    cache = DiskPromptCache(store, tmp_path / "prompts")
    paths = await asyncio.gather(*(cache.file(prompt) for _ in range(20)))
    assert store.fetched == 1
    assert len(set(paths)) == 1
    assert paths[0].read_bytes() == wav_file(b"\x01" * 150 + b"\xd5" * 10)
    assert await DiskPromptCache(store, tmp_path / "prompts").file(prompt) == paths[0]
    assert store.fetched == 1
    assert [path.name for path in (tmp_path / "prompts").iterdir()] == [paths[0].name]


async def test_l11_repetitions_are_joined_without_a_gap_and_fetched_once(tmp_path: Path) -> None:
    store = CountingStore()
    once = await stored(store, b"\x01" * 150)
    thrice = once.model_copy(update={"repeat_count": 3})
    cache = DiskPromptCache(store, tmp_path)
    paths = await asyncio.gather(*(cache.file(prompt) for prompt in (thrice, once, thrice)))
    assert store.fetched == 2
    assert paths[0].read_bytes() == wav_file(b"\x01" * 450 + b"\xd5" * 30)
    assert paths[1].read_bytes() == wav_file(b"\x01" * 150 + b"\xd5" * 10)


async def test_a_cancelled_request_leaves_the_fetch_to_the_others(tmp_path: Path) -> None:
    store = CountingStore()
    prompt = await stored(store, b"\x01" * 160)
    cache = DiskPromptCache(store, tmp_path)
    impatient = asyncio.create_task(cache.file(prompt))
    patient = asyncio.create_task(cache.file(prompt))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).exists()


async def test_a_missing_object_raises_prompt_missing(tmp_path: Path) -> None:
    cache = DiskPromptCache(MemoryObjectStore(), tmp_path)
    ref = ObjectRef(bucket=Bucket.PROMPTS, name="gone", size=8)
    with pytest.raises(PromptMissingError):
        await cache.file(Prompt(audio=ref, duration_ms=1))
