"""The embedded broker, restarted when it ends, and when it stores nothing although its disk has space."""

import asyncio
import shutil

import httpx
import structlog

from cato_contracts.errors import ConfigurationError
from cato_runtime.process.embedded_nats import EmbeddedNats
from cato_runtime.process.tasks import end_tasks

log = structlog.get_logger()

_RESTART_WAIT_S = 0.5
_LOOK_S = 2.0
_LOOK_TIMEOUT_S = 2.0
_SPACE_BYTES = 16 * 2**20
"""With less space a restarted broker would soon fail again."""
_STORE_FAULT = "write error"
"""A stream that could not write refuses every message until the server is restarted."""


class BrokerKeeper:
    """Keeps a nats-server running at one address until `stop`."""

    def __init__(self, server: EmbeddedNats) -> None:
        self._server = server
        self._stopping = False
        self._keeper: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._server.start()
        self._keeper = asyncio.create_task(self._keep(), name="keep nats-server")
        self._watch = asyncio.create_task(self._watch_store(), name="watch the broker's store")

    async def stop(self) -> None:
        self._stopping = True
        await end_tasks(self._watch)
        await self._server.stop()
        if self._keeper is not None:
            await self._keeper

    async def _keep(self) -> None:
        while True:
            code = await self._server.process.wait()
            if self._stopping:
                return
            log.error("broker ended", code=code)
            await asyncio.sleep(_RESTART_WAIT_S)
            try:
                await self._server.restart()
            except ConfigurationError as error:
                log.error("broker did not start", reason=str(error))  # noqa: TRY400 - the reason is in the message

    async def _watch_store(self) -> None:
        told = False
        async with httpx.AsyncClient(timeout=_LOOK_TIMEOUT_S) as client:
            while True:
                await asyncio.sleep(_LOOK_S)
                fault = await self._store_fault(client)
                if fault is None:
                    told = False
                    continue
                if not told:
                    log.error("broker stores nothing", reason=fault)
                    told = True
                if shutil.disk_usage(self._server.store_dir).free >= _SPACE_BYTES:
                    log.warning("broker is restarted: its disk has space again")
                    await self._server.stop()

    async def _store_fault(self, client: httpx.AsyncClient) -> str | None:
        """Return the write error of a stream; None if there is none, or the server does not say."""
        try:
            answer = await client.get(f"{self._server.monitoring_url}/healthz")
            said = "" if answer.is_success else str(answer.json().get("error", ""))
        except (httpx.HTTPError, ValueError) as error:
            log.debug("broker does not tell its health", error=repr(error))
            return None
        return said if _STORE_FAULT in said else None
