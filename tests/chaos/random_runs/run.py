"""Carry out a scenario on a system, and collect the evidence."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

import httpx
import nats
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.errors import NotFoundError

from cato_client import AsyncClient, Patience, operations
from cato_client.errors import ConflictError
from cato_client.models import NewTask, Person, Report, Settings
from cato_contracts.envelope import Envelope
from cato_contracts.subjects import DEAD, RUNS
from cato_exchange.record import CallRecord
from cato_reporting.domain.parsed_message import parse_message
from cato_runtime.process.tasks import end_tasks
from cato_stack.forked_process import ForkServerProcess
from tests.chaos.random_runs.evidence import Evidence, FailedTry, FarCall, GivenOrder
from tests.chaos.random_runs.exclusions import add_list, exclude_all
from tests.chaos.random_runs.scenario import Order, Ordered, Scenario
from tests.chaos.random_runs.system import System
from tests.e2e.channels.stalls import StallWatch
from tests.support.tones import tone

_MENDED_WITHIN_S = 900.0
"""A restart of everything in turn waits for each process."""
_HANG_UP_S = 8.0
_POLL_S = 0.3
_CREATE_S = 1.0
_LATEST_S = 5.0


class WatchedTransport(httpx.AsyncHTTPTransport):
    """Notes every try that is not answered by success."""

    def __init__(self, failed: list[FailedTry]) -> None:
        super().__init__()
        self._failed = failed

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        what = f"{request.method} {request.url.path}"
        try:
            answer = await super().handle_async_request(request)
        except httpx.TransportError:
            self._failed.append(FailedTry(what, None))
            raise
        if not answer.is_success and answer.status_code != 409:
            text = (await answer.aread()).decode(errors="replace")
            self._failed.append(
                FailedTry(what, answer.status_code, answer.headers.get("Retry-After"), text[:200])
            )
        return answer


@dataclass
class Carried:
    """What a run has brought about so far."""

    task_id: UUID
    run_id: UUID
    client: AsyncClient
    prompt: bytes
    failed: list[FailedTry]
    orders: list[GivenOrder] = field(default_factory=list)
    created: dict[str, str] = field(default_factory=dict)
    wrong_reports: list[str] = field(default_factory=list)
    exclusion_list: UUID | None = None
    excluded_ms: dict[str, float] = field(default_factory=dict)
    """When the exclusion of each number was answered."""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def watch(self) -> None:
        """Read the report until the run is over; each must be true in itself and not go back."""
        last: Report | None = None
        while not self.over.is_set():
            report = await self.client.do(operations.get_report(self.run_id))
            self.wrong_reports += wrong(report, last)
            last = report
            if not report.active_phase:
                self.over.set()
            await asyncio.sleep(_POLL_S)

    async def create(self) -> None:
        """Create resources, one after another, until the run is over."""
        number = 0
        while not self.over.is_set():
            name = f"made-{number}"
            settings = Settings(name=name, attempt_count=1, success_condition="PICKUP_PHONE")
            made = await self.client.do(operations.add_notification_settings(settings))
            self.created[name] = str(made.id)
            number += 1
            await asyncio.sleep(_CREATE_S)

    async def give_all(self, orders: Sequence[Ordered], began: float) -> None:
        """Give the orders in turn: the next one when the one before is answered."""
        for ordered in orders:
            await self._give(ordered, began)

    async def _give(self, ordered: Ordered, began: float) -> None:
        await asyncio.sleep(max(0.0, began + ordered.at_s - time.monotonic()))
        request = {
            Order.PAUSE: operations.pause,
            Order.RESUME: operations.resume,
            Order.STOP: operations.stop,
        }[ordered.order](self.run_id)
        try:
            await self.client.do(request)
        except ConflictError:
            self.orders.append(GivenOrder(ordered.order, accepted=False))
        else:
            self.orders.append(GivenOrder(ordered.order, accepted=True))

    async def exclude(self, scenario: Scenario, began: float) -> None:
        """Exclude the numbers of the scenario while the run goes on."""
        if self.exclusion_list is not None:
            wanted = (self.exclusion_list, scenario.exclusions)
            await exclude_all(self.client, *wanted, began, self.over, self.excluded_ms)

    async def found(self) -> dict[str, tuple[str, ...]]:
        """Return the ids of the resources that have the names of the created ones."""
        found: dict[str, tuple[str, ...]] = {}
        page = lambda cursor: operations.list_notification_settings(limit=1000, cursor=cursor)  # noqa: E731
        async for each in self.client.each(page):
            if each.name in self.created:
                found[each.name] = (*found.get(each.name, ()), str(each.id))
        return found


def wrong(report: Report, last: Report | None) -> Iterator[str]:
    """Return what is not true of a report by itself, and against the one before."""
    people = report.subscriber_notified + report.subscriber_failed + report.subscriber_not_yet_notified
    if people != report.subscriber_count:
        yield f"subscribers do not add up: {report}"
    if report.calls_total != report.calls_succeeded + report.calls_failed + report.calls_in_progress:
        yield f"calls do not add up: {report}"
    if report.calls_in_progress != report.calls_ringing + report.calls_talking:
        yield f"calls in progress do not add up: {report}"
    if last is None:
        return
    for count in ("calls_total", "subscriber_notified", "wave_current", "calls_succeeded", "calls_failed"):
        if getattr(report, count) < getattr(last, count):
            yield f"{count} went back from {getattr(last, count)} to {getattr(report, count)}"


async def carry_out(scenario: Scenario, directory: Path, forks: ForkServerProcess) -> Evidence:
    """Run the scenario on a new system with its files in `directory`."""
    began = time.monotonic()
    async with started(scenario, directory, forks) as (system, carried):
        ready = time.monotonic()
        with StallWatch() as stalls:
            await _break_and_wait(scenario, system, carried)
        evidence = await collect(scenario, system, carried, worst_stall_ms=stalls.worst_ms)
    return replace(evidence, start_s=ready - began)


@asynccontextmanager
async def started(
    scenario: Scenario, directory: Path, forks: ForkServerProcess
) -> AsyncIterator[tuple[System, "Carried"]]:
    """Have a system that has just started the run of the scenario."""
    failed: list[FailedTry] = []
    async with System(scenario, directory, forks) as system, client_of(system, failed) as client:
        yield system, await _start(scenario, client, failed)


def client_of(system: System, failed: list[FailedTry]) -> AsyncClient:
    """Return a patient client; `failed` gets every try without success."""
    return AsyncClient(
        system.url,
        "default",
        timeout_s=20,
        patience=Patience(total_s=90, longest_s=1),
        transport=WatchedTransport(failed),
    )


async def collect(
    scenario: Scenario, system: System, carried: "Carried", *, worst_stall_ms: float = 0.0
) -> Evidence:
    """Return the evidence of a run that is over."""
    far = await _far_calls(system, carried.prompt)
    document = await carried.client.do(operations.get_status(carried.run_id))
    runs = await carried.client.do(operations.list_task_execs(task_id=carried.task_id))
    found = await carried.found()
    log, dead_letters = await _read_log(system.brokers.url, carried.run_id)
    return Evidence(
        scenario=scenario,
        run_id=carried.run_id,
        names=scenario.names,
        far_calls=far,
        log=log,
        document=document,
        dead_letters=dead_letters,
        refused_subjects=tuple(system.refused_subjects()),
        starts_ms={name: tuple(node.starts_ms) for name, node in system.nodes.items()},
        silences_ms=tuple(system.silences_ms),
        cuts_ms=tuple(system.cuts_ms),
        failed_tries=tuple(carried.failed),
        orders=tuple(carried.orders),
        created=carried.created,
        found=found,
        runs_of_task=len(runs.items),
        wrong_reports=tuple(carried.wrong_reports),
        excluded_ms=carried.excluded_ms,
        worst_stall_ms=worst_stall_ms,
    )


async def _start(scenario: Scenario, client: AsyncClient, failed: list[FailedTry]) -> Carried:
    audio = await client.do(operations.add_audio_file("tone", tone(scenario.prompt_s)))
    prompt = await client.do(operations.get_audio_content(audio.id, alaw=True))
    people = [
        Person(full_name=name, phones=list(phones))
        for name, phones in zip(scenario.names, scenario.phones, strict=True)
    ]
    group = await client.do(operations.add_subscriber_group("people", people))
    settings = await client.do(
        operations.add_notification_settings(Settings.model_validate({"name": "run", **scenario.settings}))
    )
    wanted = NewTask(name="task", settings=settings.id, files=[audio.id], groups=[group.id])
    task = await client.do(operations.add_task(wanted))
    excluded = await add_list(client) if scenario.exclusions else None
    run = await client.do(operations.start_task(task.id))
    assert run.task_exec_id is not None
    return Carried(task.id, run.task_exec_id, client, prompt, failed, exclusion_list=excluded)


async def _break_and_wait(scenario: Scenario, system: System, carried: Carried) -> None:
    """Apply the faults and give the orders; return when all of them are past and the run is over."""
    began = time.monotonic()

    async def break_at(number: int) -> None:
        fault = scenario.faults[number]
        await asyncio.sleep(max(0.0, began + fault.at_s - time.monotonic()))
        await system.apply(fault)

    breaking = [asyncio.create_task(break_at(number)) for number in range(len(scenario.faults))]
    orders = asyncio.create_task(carried.give_all(scenario.orders, began))
    excluding = asyncio.create_task(carried.exclude(scenario, began))
    reading = [asyncio.create_task(carried.watch()), asyncio.create_task(carried.create())]
    try:
        async with asyncio.timeout(_MENDED_WITHIN_S):
            await asyncio.gather(*breaking)
        async with asyncio.timeout(scenario.longest_s):
            await asyncio.gather(orders, excluding, *reading)
    except TimeoutError:
        carried.wrong_reports.append(f"the run has not ended {scenario.longest_s:.0f} s after the last fault")
    finally:
        await end_tasks(*breaking, orders, excluding, *reading)


async def _far_calls(system: System, prompt: bytes) -> tuple[FarCall, ...]:
    """Return the calls of the exchange, after those that are being hung up have ended."""
    deadline = time.monotonic() + _HANG_UP_S
    while any(not call.ended for call in system.exchange.calls) and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    return tuple(far_call(call, prompt) for call in system.exchange.calls)


def far_call(call: CallRecord, prompt: bytes) -> FarCall:
    return FarCall(
        number=call.number,
        invite_ms=call.invite_ms,
        # A BYE of the exchange frees the line there, also when the answer comes into a silence and is lost.
        end_ms=call.hung_up_ms if call.ended and call.hung_up_ms is not None else call.end_ms,
        answer_ms=call.answer_ms,
        final_code=call.final_code,
        caller=call.from_number,
        heard_all=call.ended and call.contains_prompt(prompt),
    )


async def _read_log(url: str, run_id: UUID) -> tuple[tuple[Envelope, ...], int]:
    """Return the messages of the run in the order of the stream, and the number of dead letters."""
    async with _connected(url) as client:
        js = client.jetstream(timeout=_LATEST_S)
        letters = (await js.stream_info(DEAD.name)).state.messages
        last = (await js.stream_info(RUNS.name)).state.last_seq
        subscription = await js.subscribe(f"run.{run_id}.>", stream=RUNS.name, ordered_consumer=True)
        found: list[Envelope] = []
        while True:
            try:
                message = await subscription.next_msg(timeout=_LATEST_S)
            except NatsTimeoutError:
                break
            parsed = parse_message(message.subject, message.data)
            assert parsed.fault is None, parsed.fault
            found += parsed.events
            metadata = message.metadata
            if metadata.num_pending == 0 or metadata.sequence.stream >= last:
                break
        return tuple(found), letters


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[nats.NATS]:
    for tries_left in reversed(range(10)):
        client = await nats.connect(url.split(","))
        try:
            await client.jetstream(timeout=_LATEST_S).stream_info(RUNS.name)
        except (NatsTimeoutError, NotFoundError):
            await client.close()
            if not tries_left:
                raise
        else:
            break
    try:
        yield client
    finally:
        await client.close()
