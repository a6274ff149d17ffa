"""A steady load: all channels in use by long runs, short runs beside them, and clients that look on.

It begins with some minutes at six times the rate, with ten short runs and ten readers of large answers at a
time, so that all buffers have their size: those of the broker, which holds up to 8 MB of each stream, and of
the embedded ClickHouse, which has 1 MB for each of its clients and gets that page by page, as it is used.
"""

import asyncio
import json
import time
from collections import Counter
from typing import Any

import httpx

from tests.support.live_system import AUTH
from tests.support.tones import tone

LONG_RUNS = 2
PEOPLE = 1_000
FEW_PEOPLE = 5
PROMPT_S = 15.0
FAST_PROMPT_S = 2.0
FAST_S = 180.0
FAST_SHORT_RUNS = 10
FAST_READERS = 10
SHORT_PROMPT_S = 1.0
_LOOK_S = 1.0
_RETRY_S = 1.0
_PAUSE_S = 2.0


class Load:
    """Starts its tasks again and again; counts what it did."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=f"{url}/api/v1", headers=AUTH, timeout=60)
        self.counted: Counter[str] = Counter()
        self.active_calls = 0
        self._tasks = 0

    async def run(self) -> None:
        """Go on until cancelled."""
        long = await self._audio("long", tone(PROMPT_S))
        fast = await self._audio("fast", tone(FAST_PROMPT_S))
        short = await self._audio("short", tone(SHORT_PROMPT_S))
        async with asyncio.TaskGroup() as group:
            for number in range(LONG_RUNS):
                first = await self._task(f"fast-{number}", fast, PEOPLE)
                then = await self._task(f"long-{number}", long, PEOPLE)
                group.create_task(self._long_runs(first, then))
            for number in range(FAST_SHORT_RUNS):
                few = await self._task(f"short-{number}", short, FEW_PEOPLE)
                until = float("inf") if number == 0 else time.monotonic() + FAST_S
                group.create_task(self._repeat(few, "short runs", until))
            group.create_task(self._browse())
            for _ in range(FAST_READERS):
                group.create_task(self._read_all(time.monotonic() + FAST_S))

    async def close(self) -> None:
        await self._http.aclose()

    async def _long_runs(self, fast: str, task: str) -> None:
        await self._repeat(fast, "fast runs", time.monotonic() + FAST_S)
        await self._repeat(task, "long runs")

    async def _repeat(self, task: str, what: str, until: float = float("inf")) -> None:
        while time.monotonic() < until:
            run = (await self._ask("PUT", f"/tasks/{task}/start"))["taskExecId"]
            while (report := await self._report(run))["activePhase"]:
                await asyncio.sleep(_LOOK_S)
            self.counted[what] += 1
            self.counted["calls"] += report["callsTotal"]
            self.counted["calls that failed"] += report["callsFailed"]
            await asyncio.sleep(_PAUSE_S if what == "short runs" else 0)

    async def _browse(self) -> None:
        """Read what a person reads: the list of runs, one document, the last calls."""
        while True:
            runs = (await self._ask("GET", "/task-execs", params={"limit": 20}))["items"]
            active = [run for run in runs if run["report"]["activePhase"]]
            self.active_calls = sum(run["report"]["callsInProgress"] for run in active)
            await self._ask("GET", f"/task-execs/{runs[-1]['id']}")
            await self._ask("GET", "/calls", params={"limit": 100})
            self.counted["looks"] += 1
            await asyncio.sleep(_LOOK_S)

    async def _read_all(self, until: float) -> None:
        """Read the largest answers that there are, one after another."""
        while time.monotonic() < until:
            runs = (await self._ask("GET", "/task-execs", params={"limit": 1000}))["items"]
            largest = max(runs, key=lambda run: int(run["report"]["subscriberCount"]))
            await self._ask("GET", f"/task-execs/{largest['id']}")
            await self._ask("GET", "/calls", params={"limit": 1000})
            self.counted["large answers"] += 1

    async def _report(self, run: str) -> dict[str, Any]:
        document = await self._ask("GET", f"/task-execs/{run}", params={"subscribers": "none"})
        report: dict[str, Any] = document["report"]
        return report

    async def _audio(self, name: str, content: bytes) -> str:
        headers = {"Content-Type": "application/octet-stream"}
        answer = await self._ask("PUT", f"/audio-files/add/{name}", content=content, headers=headers)
        return str(answer["id"])

    async def _task(self, name: str, audio: str, count: int) -> str:
        # Numbers of its own: a call waits while another run has one up to its number.
        self._tasks += 1
        phones = (f"7{self._tasks}{n:09d}" for n in range(count))
        people = [{"fullName": f"Person {n}", "phones": [phone]} for n, phone in enumerate(phones)]
        group = await self._ask("PUT", f"/subscriber-groups/add/{name}", json=people)
        profile = {"name": name, "attemptCount": 1, "successCondition": "PICKUP_AND_LISTEN_FULL"}
        settings = await self._ask("POST", "/notification-settings/", json=profile)
        task = {"name": name, "settings": settings["id"], "files": [audio], "groups": [group["id"]]}
        return str((await self._ask("POST", "/tasks/", json=task))["id"])

    async def _ask(self, method: str, path: str, **options: Any) -> Any:
        """Ask, again after a 503 and after a start that came before the end of the last run was recorded."""
        while True:
            answer = await self._http.request(method, path, **options)
            if answer.is_success:
                return json.loads(answer.content) if answer.content else None
            self.counted[f"answers {answer.status_code}"] += 1
            if answer.status_code not in {httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.CONFLICT}:
                raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
            await asyncio.sleep(_RETRY_S)
