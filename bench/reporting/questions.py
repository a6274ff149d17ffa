"""Queries on a finished run through the request path, and their cost."""

import asyncio
import socket
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from os import environ
from pathlib import Path

import httpx

from bench.reporting.big_run import BigRun
from bench.reporting.service import ReportingProcess, reset_peak, resident_mb
from cato_contracts.api.exports import BeginCallExport, ExportFormat, TakeExportPiece
from cato_contracts.api.history import CallFilter, ListCalls
from cato_contracts.api.status import GetStatusText, GetTaskExec, TaskExec
from cato_contracts.requests import Actor
from cato_runtime.requests import Requester

ACTOR = Actor(user_id="user")
_PAGE = 1_000
_AUTH = {"Authorization": "Bearer plain:default"}


class Questions:
    """Sends queries to the service as the gateway does."""

    def __init__(self, requester: Requester, run: BigRun) -> None:
        self._requester = requester
        self._run = run

    async def report(self) -> TaskExec:
        return await self._requester.ask(GetTaskExec(actor=ACTOR, id=self._run.run_id), timeout=60)

    async def page(self, first: int) -> int:
        """Ask for the next 1,000 subscribers with calls and events, as the gateway does."""
        cursor: str | None = str(first)
        count = 0
        while count < _PAGE and cursor is not None:
            query = GetStatusText(actor=ACTOR, run_id=self._run.run_id, cursor=cursor, limit=_PAGE - count)
            answer = await self._requester.ask(query, timeout=60)
            count += answer.count
            cursor = answer.next_cursor
        return count

    async def calls_to_a_number(self) -> int:
        query = ListCalls(actor=ACTOR, where=CallFilter(number=self._run.a_number()))
        return len((await self._requester.ask(query, timeout=60)).items)

    async def parquet(self) -> int:
        """Fetch a complete export; return its bytes."""
        begin = BeginCallExport(
            actor=ACTOR, where=CallFilter(run_id=self._run.run_id), format=ExportFormat.PARQUET
        )
        export = await self._requester.ask(begin, timeout=60)
        size = place = 0
        while True:
            piece = await self._requester.ask(
                TakeExportPiece(actor=ACTOR, id=export.id, place=place), timeout=60
            )
            size += len(piece.data)
            place += 1
            if piece.last:
                return size


async def median_ms(ask: Callable[[], Awaitable[object]], times: int) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


@asynccontextmanager
async def gateway(nats_url: str, directory: Path, log: Path) -> AsyncIterator[tuple[str, int]]:
    """Run a gateway; yields its address and process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = environ | {
        "CATO_NATS_URL": nats_url,
        "CATO_PORT": str(port),
        "CATO_DATA_DIR": str(directory),
    }
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("cato-gateway")), env=environment, stdout=file, stderr=file
        )
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(60), httpx.AsyncClient() as client:
            while True:
                try:
                    (await client.get(f"{url}/healthz")).raise_for_status()
                    break
                except httpx.HTTPError:
                    await asyncio.sleep(0.05)
        yield url, process.pid
    finally:
        process.terminate()
        await process.wait()


async def whole_document(
    run: BigRun, url: str, gateway_pid: int, service: ReportingProcess
) -> tuple[float, int, float, float]:
    """Stream the status document; return seconds, bytes, and how many MB each of the two processes grew."""
    pids = (service.pid, gateway_pid)
    before = [resident_mb(pid) for pid in pids]
    for pid in pids:
        reset_peak(pid)
    began = time.perf_counter()
    size = 0
    async with (
        httpx.AsyncClient(base_url=url, headers=_AUTH, timeout=120) as client,
        client.stream("GET", f"/api/v1/task-execs/{run.run_id}") as answer,
    ):
        answer.raise_for_status()
        async for piece in answer.aiter_bytes():
            size += len(piece)
    seconds = time.perf_counter() - began
    grown = [resident_mb(pid, "VmHWM") - then for pid, then in zip(pids, before, strict=True)]
    return seconds, size, grown[0], grown[1]
