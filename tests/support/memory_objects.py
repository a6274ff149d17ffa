"""The object store in memory."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

from cato_contracts.objects import Bucket, ObjectRef
from cato_runtime.objects import ObjectMissingError

_CHUNK = 128 * 1024


class MemoryObjectStore:
    """Implements `cato_runtime.objects.ObjectStore` with a dictionary."""

    def __init__(self) -> None:
        self.objects: dict[tuple[Bucket, str], bytes] = {}

    async def put(self, bucket: Bucket, name: str, content: bytes | AsyncIterator[bytes]) -> ObjectRef:
        data = b"".join([chunk async for chunk in _chunks(content)])
        self.objects[bucket, name] = data
        return ObjectRef(bucket=bucket, name=name, size=len(data), sha256=hashlib.sha256(data).hexdigest())

    async def get(self, ref: ObjectRef) -> bytes:
        try:
            return self.objects[ref.bucket, ref.name]
        except KeyError as error:
            raise ObjectMissingError(f"there is no object {ref.bucket}/{ref.name}") from error

    async def stream(self, ref: ObjectRef) -> AsyncIterator[bytes]:
        data = await self.get(ref)
        for start in range(0, len(data), _CHUNK):
            yield data[start : start + _CHUNK]

    async def fetch(self, ref: ObjectRef, path: Path) -> None:
        path.write_bytes(await self.get(ref))

    async def remove(self, ref: ObjectRef) -> None:
        self.objects.pop((ref.bucket, ref.name), None)

    async def names(self, bucket: Bucket) -> list[str]:
        return [name for in_bucket, name in self.objects if in_bucket is bucket]


async def _chunks(content: bytes | AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if isinstance(content, bytes):
        yield content
    else:
        async for chunk in content:
            yield chunk
