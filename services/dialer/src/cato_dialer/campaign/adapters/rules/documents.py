"""Documents of one kind in a key-value bucket."""

from collections.abc import Callable
from typing import Generic, TypeVar

import structlog
from nats.js import JetStreamContext
from pydantic import BaseModel, ValidationError

from cato_jetstream import Bucket

log = structlog.get_logger()

N = TypeVar("N")
D = TypeVar("D", bound=BaseModel)


class Documents(Generic[N, D]):
    """Keeps documents by name; `key` returns the key for a name. All methods raise BrokerError."""

    def __init__(self, js: JetStreamContext, bucket: str, model: type[D], key: Callable[[N], str]) -> None:
        self._bucket = Bucket(js, bucket)
        self._name = bucket
        self._model = model
        self._key = key

    async def store(self, name: N, document: D, *, ttl_s: int | None = None) -> None:
        """Store a document, in place of the one with its name."""
        await self._bucket.put(self._key(name), document.model_dump_json(by_alias=True).encode(), ttl_s=ttl_s)

    async def remove(self, name: N, /) -> None:
        """Remove the document with a name. A repeated call is no error."""
        await self._bucket.remove(self._key(name))

    async def get(self, name: N, /) -> D | None:
        """Return a document. Raises ValidationError, too."""
        value = (await self._bucket.read(self._key(name))).value
        return None if value is None else self._model.model_validate_json(value)

    async def all(self) -> list[D]:
        """Return the documents; one that cannot be decoded is logged and left out."""
        values = await self._bucket.values()
        return [document for value in values if (document := self._decoded(value)) is not None]

    def _decoded(self, value: bytes) -> D | None:
        try:
            return self._model.model_validate_json(value)
        except ValidationError:
            log.exception("document cannot be decoded", bucket=self._name)
            return None
