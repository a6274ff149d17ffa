"""Work one job: reach one subscriber in one wave."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from cato_contracts.errors import BrokerError
from cato_contracts.jobs import DialJob
from cato_contracts.runs import SubscriberResult
from cato_dialer.dial.domain.subscriber.call_gate import Drop, Obstacle, Settle, Wait, obstacle
from cato_dialer.dial.domain.subscriber.plan import Conclude, Dial, Finished, Interrupt, PastCall, next_step
from cato_dialer.dial.handlers.attempt_call import CallAttempt, interruption
from cato_dialer.dial.handlers.call_recorder import SubscriberBook
from cato_dialer.dial.handlers.deps import DialDesk
from cato_dialer.dial.handlers.drive_call import unix_ms
from cato_dialer.dial.ports.dial import Channel, FencedError, PromptMissingError, SubscriberLog

log = structlog.get_logger()

PROMPT_MISSING = "prompt-missing"
FAULT = "fault"
"""Working on the subscriber failed again and again for reasons that lie with us."""

_NO_STATION_DELAY_S = 30.0
_BROKER_DELAY_S = 5.0


@dataclass(frozen=True, slots=True)
class Done:
    """The job goes from the queue."""


@dataclass(frozen=True, slots=True)
class GiveBack:
    """The job is to be worked on later, by anybody; so are all others of the run if `whole_run`."""

    delay_s: float
    whole_run: bool = False


@dataclass(frozen=True, slots=True)
class LeaveAlone:
    """Somebody else works on the subscriber: not a word more about the job."""


Verdict = Done | GiveBack | LeaveAlone


class SubscriberWorker:
    """Works one job; at most one call is up at any time."""

    def __init__(
        self, desk: DialDesk, job: DialJob, on_call_elsewhere: Callable[[], Awaitable[bool]]
    ) -> None:
        self._desk = desk
        self._job = job
        self._on_call_elsewhere = on_call_elsewhere
        self._attempt: CallAttempt | None = None
        self._book: SubscriberBook | None = None
        self._looked_away = False
        self._closing = False
        self._giving_up = False
        self._nudged = asyncio.Event()
        self._log = log.bind(run_id=str(job.run_id), subscriber=job.subscriber.no, wave=job.wave)

    @property
    def job(self) -> DialJob:
        return self._job

    @property
    def on_call(self) -> bool:
        """A call is up, or about to be, or not all of it is in the log yet."""
        return self._attempt is not None or (self._book is not None and self._book.unwritten)

    def hang_up(self) -> None:
        """End the call that is up."""
        if self._attempt is not None:
            self._attempt.hang_up()

    def close(self) -> None:
        """Start no call any more."""
        self._closing = True
        self._nudged.set()

    def nudge(self) -> None:
        """Look again whether a call is still wanted."""
        self._nudged.set()

    async def work(self) -> Verdict:
        """Do what is left to do.

        Raises:
            BrokerError: if the log cannot be read.

        """
        seen = await self._desk.journal.read(self._job.run_id, self._job.subscriber.no)
        async with SubscriberBook(self._desk.journal, self._job.run_id, seen) as book:
            self._book = book
            try:
                verdict = await self._work(book)
                await book.flushed()
            except FencedError:
                self._log.warning("the subscriber has been taken over")
                return LeaveAlone()
        return verdict

    async def give_up(self) -> Verdict:
        """Make no more calls in this wave: what is not decided has failed.

        Raises:
            BrokerError: if the log cannot be read.

        """
        self._giving_up = True
        return await self.work()

    async def _work(self, book: SubscriberBook) -> Verdict:
        job = self._job
        verdict: Verdict | None = None
        while verdict is None:
            # Before anything is looked at: what changes from here on is looked at again.
            self._nudged.clear()
            stations = self._desk.by_priority()
            step = next_step(job.wave, len(job.subscriber.phones), stations, book.calls, book.result)
            match step:
                case Finished():
                    verdict = Done()
                case Interrupt() if await self._on_call_elsewhere():
                    self._log.info("another replica still has the call")
                    verdict = LeaveAlone()
                case Interrupt(call, success):
                    now = unix_ms(self._desk.clock.now())
                    event = interruption(job, call, book.result, success)
                    book.note_event(event, now)
                    self._desk.observer.note(event, now)
                    # From here on the call's owner cannot write of it. What they had told of the person
                    # between our look at the log and now is told for good.
                    book.adopt_result(await self._log_now(book))
                case Conclude(notified, reason, call):
                    self._note_result(book, reason, notified=notified, call=call)
                case Dial() if self._giving_up:
                    of_wave = [call for call in book.calls if call.wave == job.wave]
                    self._note_result(book, FAULT, call=of_wave[-1] if of_wave else None)
                case Dial():
                    blocked = self._obstacle(self._desk.clock.now())
                    verdict = await self._settle(book, blocked) if blocked else await self._dial(book, step)
        return verdict

    def _obstacle(self, at: datetime) -> Obstacle | None:
        ticket = self._desk.tickets().get(self._job.run_id)
        return obstacle(self._job, ticket, at, closing=self._closing)

    async def _log_now(self, book: SubscriberBook) -> SubscriberLog:
        await book.flushed()
        return await self._desk.journal.read(self._job.run_id, self._job.subscriber.no)

    async def _settle(self, book: SubscriberBook, blocked: Obstacle) -> Verdict:
        match blocked:
            case Wait(delay_s, whole_run):
                return GiveBack(delay_s, whole_run)
            case Settle() if self._looked_away and not book.agrees_with(await self._log_now(book)):
                # While we waited, somebody else was given the job, and has a call up perhaps.
                self._log.warning("the subscriber has been taken over")
                return LeaveAlone()
            case Settle(reason, without_calls):
                of_wave = [call for call in book.calls if call.wave == self._job.wave]
                if of_wave:
                    self._note_result(book, of_wave[-1].reason or reason, call=of_wave[-1])
                elif without_calls:
                    self._note_result(book, reason)
            case Drop():
                pass
        return Done()

    async def _dial(self, book: SubscriberBook, step: Dial) -> Verdict | None:
        """Take the step; None if the next one is to be decided."""
        if not step.stations:
            self._log.error("no station has channels")
            return GiveBack(_NO_STATION_DELAY_S)
        self._looked_away = True
        try:
            audio = await self._desk.prompts.file(self._job.prompt)
            channel = await self._channel(step.stations)
            if channel is None:
                return None
            try:
                attempt = CallAttempt(
                    self._desk, self._job, step, channel, permitted=lambda at: self._obstacle(at) is None
                )
                self._attempt = attempt
                await attempt.make(book, audio)
            finally:
                self._attempt = None
                channel.release()
        except PromptMissingError as error:
            self._log.error("the prompt is missing", error=str(error))
            self._note_result(book, PROMPT_MISSING)
        except BrokerError as error:
            self._log.warning("no call can be made without the broker", error=str(error))
            return GiveBack(_BROKER_DELAY_S)
        return None

    async def _channel(self, stations: Sequence[UUID]) -> Channel | None:
        """Wait for a channel of the first station that has one; None if it is time to look around again."""
        ledger = self._desk.ledger
        while True:
            for station in stations:
                if channel := ledger.acquire(station):
                    return channel
            freed = asyncio.ensure_future(ledger.freed(stations))
            nudged = asyncio.ensure_future(self._nudged.wait())
            try:
                await asyncio.wait((freed, nudged), return_when=asyncio.FIRST_COMPLETED)
            finally:
                freed.cancel()
                nudged.cancel()
            if self._nudged.is_set():
                return None

    def _note_result(
        self, book: SubscriberBook, reason: str, *, notified: bool = False, call: PastCall | None = None
    ) -> None:
        result = SubscriberResult(
            run_id=self._job.run_id,
            no=self._job.subscriber.no,
            wave=self._job.wave,
            notified=notified,
            reason=reason,
            call_id=call.call_id if call else None,
            number=call.number if call else None,
        )
        book.note_result(result, unix_ms(self._desk.clock.now()))
