"""A gateway on services in memory, for tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from cato_gateway.adapters.list_cache import ListCache
from cato_gateway.app import create_app
from cato_gateway.deps import Deps
from cato_gateway.run_board import RunBoard
from cato_gateway.run_watches import RunWatches
from cato_gateway.settings import GatewaySettings
from cato_gateway.tokens import TokenTable
from cato_runtime.configuration.config import Config
from tests.support.gateway.memory_answer_ledger import MemoryAnswerLedger
from tests.support.gateway.memory_audit_log import MemoryAuditLog
from tests.support.gateway.services import MemoryServices
from tests.support.gateway.sip_traces import MemoryRecords
from tests.support.memory_objects import MemoryObjectStore


class MemoryStack:
    """A gateway on services in memory; an application can go from one to the next, for making one is slow."""

    def __init__(
        self,
        config: Config | None = None,
        settings: GatewaySettings | None = None,
        app: FastAPI | None = None,
    ) -> None:
        self.objects = MemoryObjectStore()
        self.services = MemoryServices(self.objects)
        self.lists = ListCache(self.objects)
        self.ledger = MemoryAnswerLedger()
        self.audit = MemoryAuditLog()
        self.traces = MemoryRecords()
        config = config or Config()
        self.deps = Deps(
            config=config,
            settings=settings or GatewaySettings(),
            tokens=TokenTable(config.tokens),
            asker=self.services,
            objects=self.objects,
            lists=self.lists,
            ledger=self.ledger,
            audit=self.audit,
            traces=self.traces,
            probe=self.services,
            watches=RunWatches(self.services),
            board=RunBoard(self.services),
        )
        self.app = app or create_app(self.deps)
        self.app.state.deps = self.deps

    @asynccontextmanager
    async def client(self, token: str | None = "default") -> AsyncIterator[httpx.AsyncClient]:
        headers = {"Authorization": f"Bearer plain:{token}"} if token else {}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://cato.test:8080", headers=headers
        ) as client:
            yield client
