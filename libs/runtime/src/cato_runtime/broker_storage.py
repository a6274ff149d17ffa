"""Whether the broker stores messages: a connection alone does not show it, as a full disk leaves it open."""

import asyncio
from uuid import uuid4

import structlog
from nats.aio.client import Client

from cato_contracts.errors import BrokerError
from cato_contracts.subjects import LEASES
from cato_jetstream import Bucket

log = structlog.get_logger()

_TRY_S = 2.0
_TIMEOUT_S = 2.0
_FAULT_AFTER_S = 5.0
"""An election among the servers of a cluster can take a few seconds."""
_KEPT_S = 60


class BrokerStorage:
    """Writes a key that expires every two seconds while `watch` runs.

    `fault` is the reason once no write has succeeded for five seconds on an open connection, else None.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._bucket = Bucket(client.jetstream(), LEASES.name, timeout_s=_TIMEOUT_S)
        self._key = f"storage.{uuid4()}"
        self.fault: str | None = None

    async def watch(self) -> None:
        loop = asyncio.get_running_loop()
        good_at = loop.time()
        while True:
            try:
                await self._bucket.put(self._key, b"", ttl_s=_KEPT_S)
            except BrokerError as error:
                if not self._client.is_connected:
                    good_at = loop.time()
                elif loop.time() - good_at >= _FAULT_AFTER_S and self.fault is None:
                    self.fault = "the broker stores no messages; its disk may be full"
                    log.warning(self.fault, error=str(error))
            else:
                good_at = loop.time()
                if self.fault is not None:
                    log.info("the broker stores messages again")
                    self.fault = None
            await asyncio.sleep(_TRY_S)
