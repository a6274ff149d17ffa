"""clickhouse-connect from asyncio: one client per thread, and errors translated.

The embedded engine has no asynchronous client, and neither kind of client may be shared by threads.
"""

import asyncio
import ctypes
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any, TypeVar
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DataError

from cato_reporting.errors import ReadModelAwayError, RowsRefusedError

T = TypeVar("T")

_MB = 1024 * 1024
_ENGINE_OPTIONS = {
    "mark_cache_size": 64 * _MB,
    "index_mark_cache_size": 16 * _MB,
    "query_condition_cache_size": 16 * _MB,
}
"""Bounds of the embedded engine's caches; by default they are gigabytes, by the machine's memory."""

_CONNECT_TIMEOUT_S = 3
# ClickHouse's codes for values that no retry will make fit: CANNOT_PARSE_TEXT and its kin, TYPE_MISMATCH,
# CANNOT_CONVERT_TYPE, VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE, INCORRECT_DATA, TOO_LARGE_STRING_SIZE.
_REFUSALS = frozenset({6, 26, 27, 38, 41, 53, 70, 117, 131, 321})


class ClickHouseThreads:
    """Runs functions of a client in threads of its own, at most `threads` at once.

    `timeout_s` bounds a statement on a server; the embedded engine knows no timeouts, and no network.
    `settings` are further settings of the sessions.
    """

    def __init__(
        self,
        dsn: str,
        *,
        threads: int,
        max_threads: int,
        timeout_s: float,
        name: str,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self._dsn = dsn
        self._embedded = urlsplit(dsn).scheme == "chdb"
        if self._embedded:
            _import_engine()
        # The second setting evaluates conditions on the key before other columns are read, also with FINAL.
        # Conditions on other columns still apply to merged rows only.
        self._settings = {
            "max_threads": max_threads,
            "optimize_move_to_prewhere_if_final": 1,
            **(settings or {}),
        }
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._own = threading.local()
        self._clients: list[Client] = []
        self._opened = threading.Lock()

    async def run(self, function: Callable[[Client], T]) -> T:
        """Call the function with a client in a thread.

        Raises:
            ReadModelAwayError: if there is no connection, no answer in time, or an error that may pass.
            RowsRefusedError: if the values are invalid.

        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._call, function)

    async def release_memory(self) -> None:
        """Have the embedded engine return unused memory to the operating system.

        Its allocator keeps freed pages until it is used again, which an idle service does not do: some
        100 MB after a large run. So does the allocator of the C library, which the rows come through. A
        server manages its memory itself.
        """
        if self._embedded:
            await self.run(lambda client: client.command("SYSTEM JEMALLOC PURGE"))
            await asyncio.to_thread(_trim)

    def end_session(self) -> None:
        """Close the client of this thread; the next function gets a new one."""
        client: Client | None = getattr(self._own, "client", None)
        if client is not None:
            self._own.client = None
            with self._opened:
                self._clients.remove(client)
            client.close()

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown)
        with self._opened:
            clients, self._clients = self._clients, []
        for client in clients:
            await asyncio.to_thread(client.close)

    def _call(self, function: Callable[[Client], T]) -> T:
        try:
            return function(self._client())
        except DataError as error:
            raise RowsRefusedError(str(error)) from error
        except ClickHouseError as error:
            if getattr(error, "code", None) in _REFUSALS:
                raise RowsRefusedError(str(error)) from error
            raise ReadModelAwayError(str(error)) from error
        except OSError as error:
            raise ReadModelAwayError(repr(error)) from error

    def _client(self) -> Client:
        client: Client | None = getattr(self._own, "client", None)
        if client is None:
            client = self._own.client = self._connect()
            with self._opened:
                self._clients.append(client)
        return client

    def _connect(self) -> Client:
        options: dict[str, Any] = {"chdb_options": _ENGINE_OPTIONS}
        if not self._embedded:
            options = {
                "connect_timeout": _CONNECT_TIMEOUT_S,
                "send_receive_timeout": self._timeout_s,
                "query_retries": 0,
                "autogenerate_session_id": False,
            }
        return clickhouse_connect.get_client(dsn=self._dsn, settings=dict(self._settings), **options)


def _trim() -> None:
    """Return freed pages of the C library to the operating system, if it is one that can (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _import_engine() -> None:
    """Import chdb without Arrow, before other threads import anything.

    chdb imports pyarrow for methods that are not called here, and for their annotations. This costs 38 MB of
    resident memory, 11 MB of them private, and half of the time of the import. So a stand-in has its name in
    the meantime. Those methods of chdb would import the library themselves.
    """
    if "chdb" in sys.modules or "pyarrow" in sys.modules:
        return
    stand_in = ModuleType("pyarrow")
    # Whatever name of the module an annotation has is found (PEP 562).
    vars(stand_in)["__getattr__"] = lambda _name: object
    sys.modules["pyarrow"] = stand_in
    try:
        import chdb  # noqa: F401, PLC0415
    finally:
        del sys.modules["pyarrow"]
