"""The object store: large objects that messages refer to."""

import asyncio
import base64
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from nats.js import JetStreamContext
from nats.js.object_store import ObjectStore as NatsBucket

from cato_contracts.errors import CatoError
from cato_contracts.objects import Bucket, ObjectRef
from cato_jetstream import NotFound, Unavailable, translated

_CHUNK = 128 * 1024
_IN_MEMORY = 1024 * 1024
_TIMEOUT_S = 120.0


class ObjectMissingError(CatoError):
    """The store has no such object."""


class ObjectStore(Protocol):
    """Objects by bucket and name; each name is written only once."""

    async def put(self, bucket: Bucket, name: str, content: bytes | AsyncIterator[bytes]) -> ObjectRef:
        """Store `content` and return where it is, with its size and SHA-256.

        Raises:
            BrokerError: if the store does not accept it.

        """
        ...

    async def get(self, ref: ObjectRef) -> bytes:
        """Return the whole object.

        Raises:
            ObjectMissingError: if it is not there (any more).
            BrokerError: if the store does not answer.

        """
        ...

    def stream(self, ref: ObjectRef) -> AsyncIterator[bytes]:
        """Yield the object in chunks, without holding it in memory. Raises the same errors as `get`."""
        ...

    async def fetch(self, ref: ObjectRef, path: Path) -> None:
        """Write the object to a file. Raises the same errors as `get`."""
        ...

    async def remove(self, ref: ObjectRef) -> None:
        """Remove the object; a missing object is not an error."""
        ...

    async def names(self, bucket: Bucket) -> list[str]:
        """Return the names of all objects of a bucket. Raises BrokerError."""
        ...


class NatsObjectStore:
    """Objects in JetStream."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js
        self._buckets: dict[Bucket, NatsBucket] = {}

    async def put(self, bucket: Bucket, name: str, content: bytes | AsyncIterator[bytes]) -> ObjectRef:
        digest = hashlib.sha256()
        size = 0
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
            async for chunk in _chunks(content):
                digest.update(chunk)
                size += len(chunk)
                await asyncio.to_thread(spool.write, chunk)
            spool.seek(0)
            with translated(f"object {bucket}/{name} could not be stored"):
                async with asyncio.timeout(_TIMEOUT_S):
                    store = await self._bucket(bucket)
                    await store.put(name, spool)  # type: ignore[arg-type]  # it wants readinto, which is there
        return ObjectRef(bucket=bucket, name=name, size=size, sha256=digest.hexdigest())

    async def get(self, ref: ObjectRef) -> bytes:
        with tempfile.SpooledTemporaryFile(max_size=max(_IN_MEMORY, ref.size + 1)) as spool:
            await self._read(ref, spool)  # type: ignore[arg-type]
            spool.seek(0)
            return spool.read()

    async def stream(self, ref: ObjectRef) -> AsyncIterator[bytes]:
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
            await self._read(ref, spool)  # type: ignore[arg-type]
            spool.seek(0)
            while chunk := await asyncio.to_thread(spool.read, _CHUNK):
                yield chunk

    async def fetch(self, ref: ObjectRef, path: Path) -> None:
        # The file gets its name once it is complete, so readers never see a part of it.
        partial = path.with_name(f".{path.name}.{os.getpid()}.{id(ref)}")
        try:
            with partial.open("wb") as file:
                await self._read(ref, file)
            await asyncio.to_thread(partial.replace, path)
        finally:
            partial.unlink(missing_ok=True)

    async def remove(self, ref: ObjectRef) -> None:
        with suppress(NotFound), translated(f"object {ref.bucket}/{ref.name} could not be removed"):
            store = await self._bucket(ref.bucket)
            await store.delete(ref.name)

    async def names(self, bucket: Bucket) -> list[str]:
        try:
            with translated(f"objects of {bucket} could not be listed"):
                async with asyncio.timeout(_TIMEOUT_S):
                    found = await (await self._bucket(bucket)).list(ignore_deletes=True)
        except NotFound:
            return []
        return [info.name for info in found]

    async def _read(self, ref: ObjectRef, target: BinaryIO) -> None:
        try:
            with translated(f"object {ref.bucket}/{ref.name} could not be read"):
                async with asyncio.timeout(_TIMEOUT_S):
                    await self._read_chunks(ref, target)
        except NotFound as error:
            raise ObjectMissingError(f"there is no object {ref.bucket}/{ref.name}") from error

    async def _read_chunks(self, ref: ObjectRef, target: BinaryIO) -> None:
        # Each chunk is asked for, and each question has a time limit. The client's own `get` reads from a
        # consumer that pushes. If the server removes it before the subscription arrives, the first chunk is
        # 20 seconds late.
        info = await (await self._bucket(ref.bucket)).get_info(ref.name)
        digest = hashlib.sha256()
        left, position = info.size or 0, 0
        while left > 0:
            chunk = await self._js.get_msg(
                f"OBJ_{ref.bucket}", seq=position + 1, subject=f"$O.{ref.bucket}.C.{info.nuid}", next=True
            )
            content = chunk.data or b""
            digest.update(content)
            await asyncio.to_thread(target.write, content)
            left, position = left - len(content), chunk.seq or position + 1
        if info.size and info.digest != f"SHA-256={base64.urlsafe_b64encode(digest.digest()).decode()}":
            raise Unavailable("its content is not what was stored")

    async def _bucket(self, bucket: Bucket) -> NatsBucket:
        if bucket not in self._buckets:
            self._buckets[bucket] = await self._js.object_store(bucket)
        return self._buckets[bucket]


async def _chunks(content: bytes | AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if isinstance(content, bytes):
        yield content
    else:
        async for chunk in content:
            yield chunk
