import asyncio
from contextlib import aclosing

import pytest

from cato_contracts.objects import Bucket
from cato_gateway.adapters.list_cache import ListCache
from cato_runtime.objects import ObjectMissingError
from tests.support.memory_objects import MemoryObjectStore


class Counting(MemoryObjectStore):
    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []

    async def stream(self, ref):
        self.reads.append(ref.name)
        async for piece in super().stream(ref):
            yield piece


@pytest.fixture
def store():
    return Counting()


@pytest.fixture
def cache(store):
    made = ListCache(store, kept=2)
    yield made
    made.close()


async def read(cache, ref, offset=0):
    return b"".join([piece async for piece in cache.pieces(ref, offset)])


async def test_a_list_is_fetched_once_and_read_from_any_offset(store, cache):
    content = bytes(range(256)) * 1000
    ref = await store.put(Bucket.LISTS, "a", content)
    found = await asyncio.gather(*(read(cache, ref, offset) for offset in (0, 1, 200_000, 256_000)))
    assert found == [content, content[1:], content[200_000:], b""]
    assert store.reads == ["a"]


async def test_the_least_recently_read_list_is_evicted(store, cache):
    refs = [await store.put(Bucket.LISTS, name, name.encode()) for name in "abc"]
    for no in (0, 1, 0, 2, 0, 1):
        assert await read(cache, refs[no]) == b"abc"[no : no + 1]
    assert store.reads == ["a", "b", "c", "b"]


async def test_a_list_evicted_during_a_read_is_read_to_its_end(store, cache):
    ref = await store.put(Bucket.LISTS, "a", bytes(200_000))
    async with aclosing(cache.pieces(ref, 0)) as pieces:
        first = await anext(pieces)
        cache.close()
        assert len(first) + sum([len(piece) async for piece in pieces]) == 200_000


async def test_a_missing_list_is_an_error_each_time(store, cache):
    ref = await store.put(Bucket.LISTS, "a", b"a")
    store.objects.clear()
    for _ in range(2):
        with pytest.raises(ObjectMissingError):
            await read(cache, ref)
    assert store.reads == ["a", "a"]
