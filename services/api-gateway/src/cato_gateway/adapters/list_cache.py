"""Cache lists of subscribers on the local disk: the object store can read a list only from its beginning."""

import asyncio
import os
import tempfile
import weakref
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing

from cato_contracts.objects import ObjectRef
from cato_runtime.objects import ObjectStore

_PIECE = 64 * 1024


class ListCache:
    """Keeps the `kept` most recently read lists in unnamed files, which disappear with the process.

    An object is written once under its name, so a cached list is never stale.
    """

    def __init__(self, objects: ObjectStore, kept: int = 8) -> None:
        self._objects = objects
        self._kept = kept
        self._files: OrderedDict[str, int] = OrderedDict()
        """Descriptors by object name, the most recently read one last."""
        self._fetches: dict[str, asyncio.Task[None]] = {}
        self.close = weakref.finalize(self, _close, self._files)

    async def pieces(self, ref: ObjectRef, offset: int) -> AsyncGenerator[bytes, None]:
        """Yield the list from a byte offset on. Raises the same errors as `ObjectStore.stream`."""
        descriptor = os.dup(await self._descriptor(ref))  # it may be evicted during the read
        try:
            while piece := await asyncio.to_thread(os.pread, descriptor, _PIECE, offset):
                offset += len(piece)
                yield piece
        finally:
            os.close(descriptor)

    async def _descriptor(self, ref: ObjectRef) -> int:
        while ref.name not in self._files:
            fetch = self._fetches.get(ref.name)
            if fetch is None:
                fetch = self._fetches[ref.name] = asyncio.create_task(self._fetch(ref))
                fetch.add_done_callback(lambda _: self._fetches.pop(ref.name, None))
            # One caller's cancellation must not stop the fetch for the others.
            await asyncio.shield(fetch)
        self._files.move_to_end(ref.name)
        return self._files[ref.name]

    async def _fetch(self, ref: ObjectRef) -> None:
        with tempfile.TemporaryFile() as file:
            async with aclosing(self._objects.stream(ref)) as stream:  # type: ignore[type-var]  # a generator
                async for piece in stream:
                    await asyncio.to_thread(file.write, piece)
            await asyncio.to_thread(file.flush)
            self._files[ref.name] = os.dup(file.fileno())
        while len(self._files) > self._kept:
            os.close(self._files.popitem(last=False)[1])


def _close(files: OrderedDict[str, int]) -> None:
    while files:
        os.close(files.popitem()[1])
