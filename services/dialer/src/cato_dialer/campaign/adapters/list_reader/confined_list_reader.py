"""Reads lists: a small text in a thread, any other list in a confined process.

A long list takes seconds of processor time, which would hold the interpreter of the service; a workbook can
make its library end the process. Lists wait for their turn in a bounded queue.
"""

import asyncio
import os
import resource
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from cato_contracts.envelope import Answer
from cato_contracts.errors import InvalidError, OverloadedError, UnavailableError
from cato_contracts.messages.campaign_commands import ListFormat, SubscriberListCheck
from cato_dialer.campaign.adapters.list_reader.process import TOO_MUCH_MEMORY, Job
from cato_dialer.campaign.domain.lists.subscriber_list import ListOrder, read_upload
from cato_runtime.process.child_process import die_with_parent
from cato_runtime.requests import refusal

log = structlog.get_logger()

_SMALL_BYTES = 64 * 1024
_ZIP = b"PK\x03\x04"
_MEMORY_BYTES = 768 * 1024 * 1024
_PROCESSOR_SECONDS = 60
_FILE_BYTES = 1024 * 1024 * 1024
_SHOWN_ERRORS = 2000
_ENVIRONMENT = (
    "PATH",
    "PYTHONPATH",
    "PYTHONHOME",
    "VIRTUAL_ENV",
    "LANG",
    "TMPDIR",
    "PYTHONDONTWRITEBYTECODE",
)
"""Without the secrets that the environment of the service may have."""


class ConfinedListReader:
    """Implements `ports.ListReader`. `at_once` processes run, and `waiting` more lists may wait.

    A list of 200,000 subscribers takes some 5 s of processor time, and the gateway waits for a minute: the
    last list that waits must still be read in time.
    """

    def __init__(self, *, at_once: int | None = None, waiting: int = 3) -> None:
        self._slots = asyncio.Semaphore(at_once or max(1, (os.cpu_count() or 1) // 2))
        self._most_waiting = waiting
        self._waiting = 0

    async def read(
        self, source: Path, target: Path, order: ListOrder, *, deadline: float | None = None
    ) -> SubscriberListCheck:
        if order.format is ListFormat.XLSX:
            _check_workbook(source)
        elif source.stat().st_size <= _SMALL_BYTES:
            return await asyncio.to_thread(_read_text, source, target, order)
        try:
            async with asyncio.timeout_at(deadline), self._turn():
                answer = await _in_process(Job(source=source, target=target, order=order))
        except TimeoutError as error:
            raise UnavailableError("there was no time to read the list; send it again") from error
        if answer.error is not None:
            raise refusal(answer.error)
        return SubscriberListCheck.model_validate(answer.value)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._slots.locked() and self._waiting >= self._most_waiting:
            raise OverloadedError("too many lists are being read; send it again later")
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._slots.release()


def _check_workbook(source: Path) -> None:
    with source.open("rb") as file:
        if file.read(len(_ZIP)) != _ZIP:
            raise InvalidError("the list is not a workbook (.xlsx): it does not begin as one")


def _read_text(source: Path, target: Path, order: ListOrder) -> SubscriberListCheck:
    with target.open("wb") as lines:
        return read_upload(source, lines, order, _no_sheets)


def _no_sheets(source: Path) -> Iterable[tuple[int, list[str]]]:
    raise NotImplementedError(f"{source} is read in a process")


async def _in_process(job: Job) -> Answer:
    """Return the answer of a process that reads the list; it is killed if this is cancelled."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cato_dialer.campaign.adapters.list_reader.process",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        start_new_session=True,
        preexec_fn=_confine,
    )
    try:
        output, errors = await process.communicate(job.model_dump_json().encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    if process.returncode != 0:
        log.warning(
            "list reader failed",
            code=process.returncode,
            errors=errors[-_SHOWN_ERRORS:].decode(errors="replace"),
        )
        raise InvalidError(TOO_MUCH_MEMORY)
    return Answer.model_validate_json(output)


def _confine() -> None:
    die_with_parent()
    os.nice(5)
    for limit, value in (
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_CPU, _PROCESSOR_SECONDS),
        (resource.RLIMIT_FSIZE, _FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
