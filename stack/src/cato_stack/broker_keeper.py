"""The embedded broker, restarted when it ends."""

import asyncio

import structlog

from cato_contracts.errors import ConfigurationError
from cato_runtime.process.embedded_nats import EmbeddedNats

log = structlog.get_logger()

_RESTART_WAIT_S = 0.5


class BrokerKeeper:
    """Keeps a nats-server running at one address until `stop`."""

    def __init__(self, server: EmbeddedNats) -> None:
        self._server = server
        self._stopping = False
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._server.start()
        self._keeper = asyncio.create_task(self._keep(), name="keep nats-server")

    async def stop(self) -> None:
        self._stopping = True
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
