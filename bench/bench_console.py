"""The console: how soon its pages show what has happened, what a console costs, how fast its pages are.

A line for each claim, with the ratio of what is wanted to what was measured; above 1 is better than wanted.
`--quick` is a twentieth of the size. `bench/README.md` says what is measured and how.
"""

import argparse
import asyncio
import json
import socket
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from product.processes import Processes
from telephony.cpu import Snapshot

from bench.console.browser import Browser, median_and_longest
from bench.console.freshness import Publisher, watch
from bench.reporting.big_run import BigRun
from bench.reporting.log import fill, keep_list
from tests.support.live_system import PROMPT, LiveStack, free_port
from tests.support.servers import Bus, bus_at

_DIRECTORY = Path(__file__).parent.parent / "build" / "bench"
CONSOLES, RATE = 20, 2_000
PEOPLE = 500
WANTED_AGE_S, WANTED_PAGE_MS = 1.0, 200.0
WANTED_FIGURES_MS = 5_000.0
"""For the numbers of a list that is counted for the first time; the page says that it is being counted."""
FIRST_CHECKS = 5
_PAGE_PEOPLE = 50
_INTAKE_S = 900.0


@dataclass
class Bench:
    """The system, and the figures for the file."""

    stack: LiveStack
    bus: Bus
    quick: bool
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def console(self) -> str:
        return f"http://127.0.0.1:{self.stack.console_port}"

    def say(self, what: str, value: float, unit: str, wanted: float) -> None:
        self.figures[f"{what}, {unit}"] = round(value, 3)
        ratio = min(wanted / max(value, 1e-9), 999)
        print(f"{what:<66} {value:>9.4g} {unit:<6} {ratio:6.2f} x as good as wanted", flush=True)


def stack_in(directory: Path) -> LiveStack:
    """Return a system with a token for each of the consoles, all of the same user."""
    tokens = [{"token": token, "user": "user"} for token in ("default", *map(_token, range(CONSOLES)))]
    return LiveStack(
        directory,
        free_port(socket.SOCK_DGRAM),
        config={"tokens": tokens, "retention": {"logDays": None}},
        console_port=free_port(socket.SOCK_STREAM),
    )


def _token(number: int) -> str:
    return f"dispatcher-{number}"


async def measure_freshness(bench: Bench) -> None:
    """Twenty people with a token each look at the board, then at the page of the execution."""
    seconds = 5.0 if bench.quick else 20.0
    run = BigRun(2, people=PEOPLE, replicas=20, begin=datetime.now(UTC) - timedelta(hours=2))
    await keep_list(bench.bus.js, run)
    assert bench.stack.process is not None
    processes = Processes.of(bench.stack.process.pid, bench.stack.directory / "data")
    publisher = Publisher(bench.bus.client, run, RATE)
    await publisher.begin()
    async with asyncio.TaskGroup() as group, AsyncExitStack() as opened:
        group.create_task(publisher.go())
        browsers = [
            await opened.enter_async_context(Browser(bench.console, _token(number)))
            for number in range(CONSOLES)
        ]
        await asyncio.sleep(2)
        before = processes.snapshot([])
        await asyncio.sleep(seconds)
        alone = _cores(processes, before)
        print(f"  {RATE} events/s, no console: {_said(alone)} cores", flush=True)
        for name, path in (("board", "/live/board"), ("page of a run", f"/live/runs/{run.run_id}")):
            before = processes.snapshot([])
            screens, begin, end = await watch(browsers, path, f"run-{run.run_id}-numbers", seconds)
            used = _cores(processes, before)
            ages = sorted(age for screen in screens for age in screen.ages(publisher.reached_at, begin, end))
            share = ages[int(len(ages) * 0.95)]
            print(
                f"  {name}: {len(ages)} changes on {CONSOLES} screens, half of them after"
                f" {ages[len(ages) // 2]:.2f} s, the last after {ages[-1]:.2f} s"
            )
            bench.say(f"{name}: 95 % of changes are on the screen after", share, "s", WANTED_AGE_S)
            print(f"  cores: {_said(used)}")
            for service in ("api-gateway", "reporting", "console"):
                more = (used[service] - alone[service]) / CONSOLES * 1000
                bench.figures[f"{name}: one console in {service}, thousandths of a core"] = round(more, 2)
                print(f"    one console costs {service} {more:.1f} thousandths of a core")
        publisher.stop()
    print(f"  the events were published {publisher.late_s * 1000:.0f} ms late at most", flush=True)


def _cores(processes: Processes, before: Snapshot) -> dict[str, float]:
    after = processes.snapshot([])
    used = processes.seconds(before, after)
    return {name: each / (after.at - before.at) for name, each in used.items()}


def _said(cores: dict[str, float]) -> str:
    return ", ".join(f"{name} {each:.2f}" for name, each in cores.items() if each >= 0.005)


async def measure_pages(bench: Bench) -> None:
    """Every page that shows something of a list of 100,000 people, of which the execution is over."""
    replicas = 10 if bench.quick else 200
    run = BigRun(1, people=PEOPLE, replicas=replicas, waves=1, begin=datetime.now(UTC) - timedelta(hours=2))
    await keep_list(bench.bus.js, run)
    stored = await _stored(bench) + run.events
    await fill(bench.bus.client, bench.bus.js, run.beginning())
    await fill(bench.bus.client, bench.bus.js, run.end())
    async with asyncio.timeout(_INTAKE_S):
        while await _stored(bench) < stored:
            await asyncio.sleep(0.2)
    times = 5 if bench.quick else 20
    async with Browser(bench.console, _token(0)) as browser:
        chosen = await _choose(browser, run)
        number = run.a_number()
        page = f"/runs/{run.run_id}"
        _, first = await browser.open(page)
        following = _next_page(first)
        print(f"  a list of {run.subscriber_count} people, {run.events} events; {times} times each page")
        paths = {
            "the board": "/",
            "all executions": "/runs",
            "the execution": page,
            "  its next page": following,
            "  everybody": f"{page}?which=all",
            "  searched by name": f"{page}?which=all&q=Абонент+№{run.subscriber_count - 7}",
            "  searched by number": f"{page}?which=all&q={number}",
            "  by reason": f"{page}?reason=busy",
            "a person": f"{page}/person?number={number}",
            "stop, asked before": f"{page}/stop",
            "repeat, asked before": f"{page}/repeat",
            "search by number": f"/search?q={number}",
            "search by name": f"/search?q=Абонент+№{run.subscriber_count - 7}",
            **{f"statistics by {by}": f"/statistics?by={by}" for by in ("day", "hour", "reason", "task")},
            **{f"new: {step}": f"/new/{step}?{chosen}" for step in ("message", "people", "rules")},
            "new: check, seen before": f"/new/check?{chosen}",
        }
        for name, path in paths.items():
            median, longest, size = await median_and_longest(browser, path, times)
            bench.say(
                f"{name} ({size / 1024:.0f} kB, longest {longest:.0f} ms)", median, "ms", WANTED_PAGE_MS
            )
        await _measure_first_checks(bench, browser, run)


async def _measure_first_checks(bench: Bench, browser: Browser, run: BigRun) -> None:
    """The check of lists that were never counted before: until the page, and until its numbers are there."""
    there, known = [], []
    for number in range(1, FIRST_CHECKS + 1):
        chosen = await _choose(browser, run, number)
        page_ms, figures_ms = await browser.open_with_parts(f"/new/check?{chosen}", "check-people")
        there.append(page_ms)
        known.append(figures_ms)
    for what, found, wanted in (
        ("the page", there, WANTED_PAGE_MS),
        ("its numbers", known, WANTED_FIGURES_MS),
    ):
        found.sort()
        bench.say(
            f"new: check of a new list, {what} (longest {found[-1]:.0f} ms)",
            found[len(found) // 2],
            "ms",
            wanted,
        )


def _next_page(text: str) -> str:
    """Return the address of the next page of people."""
    rows = text.count("<tr", text.index("wide-table people"))
    assert rows <= 2 * _PAGE_PEOPLE, f"{rows} rows"
    link = text.rindex("cursor=")
    begin = text.rindex('href="', 0, link) + len('href="')
    return text[begin : text.index('"', begin)].replace("&amp;", "&")


async def _choose(browser: Browser, run: BigRun, number: int = 0) -> str:
    """Store a message, a list and rules as a person at the console does; return what was chosen."""
    people = "\n".join(f"Абонент №{no};7{no:06d}{number}" for no in range(run.subscriber_count))
    content = f"ФИО;Телефон\n{people}\n".encode()
    where = await browser.post(
        "/new/message", "/new/message", files={"file": (f"w{number}.mp3", PROMPT.read_bytes())}
    )
    query = where.partition("?")[2]
    loop = asyncio.get_running_loop()
    began = loop.time()
    draft = await browser.post(
        f"/new/people?{query}", f"/new/people?{query}", files={"file": (f"town{number}.csv", content)}
    )
    await browser.open(draft)
    print(f"  the upload and the check of the list took {loop.time() - began:.1f} s", end="")
    began = loop.time()
    rules = await browser.post(draft, draft, do="store")
    print(f", storing it {loop.time() - began:.1f} s")
    fields = {"preset": "warning", "condition": "PICKUP_PHONE", "waves": "1", "delay_min": "1", "repeat": "1"}
    check = await browser.post(rules, rules, ring_s="30", **fields)
    return check.partition("?")[2]


async def _stored(bench: Bench) -> float:
    """Return how many events reporting has stored."""
    port = (bench.stack.directory / "data" / "metrics" / "reporting.port").read_text().strip()
    async with httpx.AsyncClient(timeout=30) as client:
        text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    return next(
        (
            float(line.rpartition(" ")[2])
            for line in text.splitlines()
            if line.startswith("cato_reporting_events_stored_total")
        ),
        0.0,
    )


async def measure(stack: LiveStack, *, quick: bool, only: str | None) -> dict[str, float]:
    async with bus_at(stack.broker_url) as bus:
        await bus.broker.start()
        bench = Bench(stack, bus, quick)
        if only in {None, "live"}:
            await measure_freshness(bench)
        if only in {None, "pages"}:
            await measure_pages(bench)
    return bench.figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("live", "pages"), help="one of the two parts")
    parser.add_argument("--quick", action="store_true", help="a twentieth of the size, to try it out")
    chosen = parser.parse_args()
    quick = chosen.quick
    _DIRECTORY.mkdir(parents=True, exist_ok=True)
    print(f"console: about {'one minute' if quick else 'five minutes'}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as directory:
        stack = stack_in(Path(directory))
        stack.start()
        try:
            figures = asyncio.run(measure(stack, quick=quick, only=chosen.only))
        finally:
            stack.stop()
    (_DIRECTORY / "console.json").write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
