"""The API on services in memory, for the command: a group, a message, settings, and an ended execution."""

import asyncio
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from structlog.testing import capture_logs
from typer import Typer, testing

from cato_cli.session import Session
from cato_contracts.api.exports import SubscriberRecord
from cato_contracts.api.resources import TaskStart
from cato_contracts.api.status import RunState
from cato_contracts.messages.campaign_commands import CallTester, RepeatUnreached, StartTask
from cato_runtime.configuration.config import Config, Permission, TokenConfig
from cato_runtime.requests import RequestContext
from tests.support.gateway.stack import MemoryStack
from tests.support.lists.workbooks import workbook

# The runner makes the commands of an application again for each of them, which takes longer than a command.
testing._get_command = cache(testing._get_command)

PEOPLE = [["Name", "Mobile"], ["Ivan Potapov", "776413"], ["Olga Popova", "776450"]]
MARCH = "Flood, March"
_MAY = frozenset({Permission.READ, Permission.WRITE, Permission.RUN, Permission.APPROVE})
_CONFIG = Config(
    tokens=(
        TokenConfig(token="default", user="user", permissions=_MAY),
        TokenConfig(token="admin", user="root", permissions=frozenset({Permission.READ, Permission.ADMIN})),
    )
)


class Bridge(httpx.BaseTransport):
    """Sends the requests of a blocking client to an application for asyncio."""

    def __init__(self, app: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._asgi = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.down = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("connection refused", request=request)
        return self._loop.run_until_complete(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        headers = {**request.headers, "accept-encoding": "identity"}
        asked = httpx.Request(request.method, request.url, headers=headers, content=request.read())
        # The gateway's log would be in the output of the command.
        with capture_logs():
            answer = await self._asgi.handle_async_request(asked)
            content = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=content)

    def close(self) -> None:
        """Stay open: every command makes a client of its own."""

    def end(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


class Town:
    """A system in memory, and the command.

    A new execution is over at once: `state` is its end, `reached` how many people were reached (None: all).
    """

    def __init__(self, api: FastAPI, command: Typer) -> None:
        self.stack = MemoryStack(_CONFIG, app=api)
        self.services = self.stack.services
        self.bridge = Bridge(self.stack.app)
        self.reached: int | None = None
        self.state = RunState.FINISHED
        handlers = self.services.table._handlers
        self._start, self._repeat = handlers[StartTask], handlers[RepeatUnreached]
        handlers[StartTask] = self._start_and_end
        handlers[CallTester] = self._start_and_end
        handlers[RepeatUnreached] = self._repeat_and_end
        self.app = command

    def run(self, *arguments: str, input: str | None = None) -> Any:  # noqa: A002 - click's word
        token = {"CATO_TOKEN": "admin"} if arguments[0] == "sip-trace" else {}
        session = Session(transport=self.bridge)
        return testing.CliRunner(env=token).invoke(
            self.app, list(arguments), obj=session, input=input, catch_exceptions=False
        )

    def done(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002
        """Run a command that has to succeed; return its output."""
        result = self.run(*arguments, input=input)
        assert result.exit_code == 0, f"{arguments}: {result.output}"
        return str(result.stdout)

    def furnish(self, directory: Path) -> None:
        """Add what the examples name, and put the files that they name into a directory."""
        (directory / "assets").mkdir()
        (directory / "assets" / "flood_warning.mp3").write_bytes(b"\xff\xfb" + bytes(998))
        (directory / "people.xlsx").write_bytes(workbook(PEOPLE))
        (directory / "people.csv").write_text("\n".join(";".join(row) for row in PEOPLE), encoding="utf-8")
        (directory / "numbers.csv").write_text("number,reason\n776429,moved\n")
        self.done("exclusion", "add", "do-not-call", "numbers.csv")
        for part in ("march", ""):
            self.done("audio", "add", "assets/flood_warning.mp3", "--name", part or "flood_warning")
            self.done("group", "add", "people.xlsx", "--name", part or "town")
            self.done("settings", "add", part or "calm", "--preset", "warning")
            if part:
                wanted = ["--audio", part, "--group", part, "--settings", part]
                self.done("call", *wanted, "--name", MARCH, "--yes")
        for name in ("town", "village"):
            self.done("profile", "add", name, "--url", "https://cato.example.org", input="default\n")
        self.done("sip-trace", "start", "nine", "--number", "776413")
        (run,) = self.services.runs.values()
        self.services.approvals.need(run.id, "head")
        history = self.services.history
        history.add_call(run, datetime(2026, 3, 24, 8, 30, tzinfo=UTC))
        history.run_subscribers = [
            SubscriberRecord(
                subscriber_id=uuid4(),
                full_name=name,
                phones=[number],
                emails=[],
                notified=name.startswith("Ivan"),
                reason="busy",
                wave=1,
                number=number,
                calls=1,
                last_call_at=None,
            )
            for name, number in PEOPLE[1:]
        ]

    async def _start_and_end(self, request: Any, context: RequestContext) -> TaskStart:
        return self._end(await self._start(request, context))

    async def _repeat_and_end(self, request: RepeatUnreached, context: RequestContext) -> TaskStart:
        return self._end(await self._repeat(request, context))

    def _end(self, started: TaskStart) -> TaskStart:
        run_id = started.task_exec_id
        assert isinstance(run_id, UUID)
        self.services.running.clear()
        count = self.services.runs[run_id].report.subscriber_count
        reached = count if self.reached is None else self.reached
        self.services.run_on(
            run_id,
            active_phase=False,
            state=self.state,
            subscriber_not_yet_notified=0,
            subscriber_notified=reached,
            subscriber_failed=count - reached,
        )
        run = self.services.runs[run_id]
        self.services.runs[run_id] = run.model_copy(update={"ended_at": datetime.now(UTC)})
        return started
