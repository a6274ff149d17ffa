"""The far end of every call: scripted behaviour, and checks of the calls that arrive."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

from cato_contracts.api.resources import SettingsSpec, SuccessCondition
from cato_contracts.api.rules.pacing import PacingRule
from cato_dialer.dial.domain.call.line_events import (
    DigitSource,
    LineAnswered,
    LineDigit,
    LineEvent,
    LineHeard,
    LinePlaybackFinished,
    LinePlaybackStarted,
    LineProgress,
    LineReleased,
    LineRinging,
    LineTrying,
    ReleaseCause,
)
from cato_dialer.dial.ports.trunk import CallOrder
from tests.simulation.world.judgement.pace_witness import PaceWitness
from tests.support.virtual_time import LoopClock

FIRST_PACKET_S = 0.02
UNREACHABLE_S = 6.0
OTHER_MS = 700
"""The length of what is played after an opt-out."""
UNSENT = ReleaseCause.NOT_SENT


@dataclass(frozen=True)
class Behaviour:
    """The far end's behaviour; seconds from the INVITE, for `hangs_up` and `digits` from the answer."""

    rings: float | None = 1.0
    progress: float | None = None
    answers: float | None = None
    rejects: tuple[float, int] | None = None
    hangs_up: float | None = None
    digits: tuple[tuple[float, str], ...] = ()
    fault: float | None = None
    unreachable: bool = False
    lets_go_after: float = 0.1
    """Seconds from CANCEL or BYE to the release."""
    crosses_cancel: bool = False
    """A 200 crosses the CANCEL."""


Choose = Callable[[str, UUID, int], Behaviour]
"""Chooses a behaviour by number, station, and count of earlier calls to the number."""


def number_of(no: int, phone: int) -> str:
    return f"5{no:05d}{phone}"


def subscriber_of(number: str) -> int:
    return int(number[1:-1])


@dataclass(frozen=True)
class Placed:
    """The start of a call as the exchange saw it."""

    at: datetime
    seconds: float
    no: int
    number: str
    station: UUID


@dataclass
class Exchange:
    """Answers calls and reports every call that must not happen."""

    clock: LoopClock
    choose: Choose
    prompt_ms: int
    violated: Callable[[str], None]
    may_be_called: Callable[[int], str | None] = lambda _no: None
    """Returns why the subscriber must not be called now, or None."""
    pacing: Sequence[PacingRule] = ()
    opt_out_key: str | None = None
    """The key by which a person asks not to be called again."""
    late_s: Callable[[], float] = lambda: 0.0
    """Returns how long the trunk takes until it sends an order."""
    witness: Callable[[CallOrder], None] = lambda _order: None
    """Gets the order of every INVITE."""
    on_gone: Callable[[CallOrder], None] = lambda _order: None
    """Gets the order of every line that is gone."""
    placed: list[Placed] = field(default_factory=list)
    lines: dict[UUID, "Line"] = field(default_factory=dict)
    calls_to: Counter[str] = field(default_factory=Counter)
    up: Counter[int] = field(default_factory=Counter)
    busy_channels: Counter[UUID] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.pace = PaceWitness(self.pacing, self.violated)

    def place(self, order: CallOrder) -> "Line":
        """Accept an order; its INVITE is sent at the ordered time, or not at all."""
        no, station = subscriber_of(order.number), order.station
        if self.up[no]:
            self.violated(f"subscriber {no} is called while a call to them is up")
        if self.busy_channels[station.id] >= station.channels:
            self.violated(f"{station.name} carries more calls than it has channels")
        self.pace.placed(order.number)
        behaviour = self.choose(order.number, station.id, self.calls_to[order.number])
        return Line(self, order, behaviour, no)

    def invited(self, order: CallOrder, line: "Line") -> None:
        """Record the INVITE of a call."""
        no, station = subscriber_of(order.number), order.station
        now = asyncio.get_running_loop().time()
        if reason := self.may_be_called(no):
            self.violated(f"subscriber {no} is called although {reason}")
        self.witness(order)
        if order.call_id in self.lines:
            self.violated(f"call {order.call_id} is made twice")
        last = next((call for call in reversed(self.placed) if call.station == station.id), None)
        if last and now - last.seconds < station.min_call_interval_ms / 1000 - 1e-6:
            self.violated(f"calls through {station.name} are {now - last.seconds} s apart")
        self.pace.invited(order.number)
        self.placed.append(Placed(self.clock.now(), now, no, order.number, station.id))
        self.calls_to[order.number] += 1
        self.lines[order.call_id] = line


class UnsentLine:
    """An order that no SIP worker takes."""

    sip_call_id = None

    def __init__(self, clock: LoopClock) -> None:
        self._released = LineReleased(clock.unix_ms(), UNSENT, None, "no free SIP worker", 0)

    async def events(self) -> AsyncIterator[LineEvent]:
        yield self._released

    async def play(self, part: int, audio: Path | None = None) -> None:
        """Play nothing: there is no call."""

    async def hang_up(self) -> None:
        return None

    async def gone(self) -> None:
        """The far end is gone with the line."""


class Line:
    """One call."""

    def __init__(self, exchange: Exchange, order: CallOrder, behaviour: Behaviour, no: int) -> None:
        self._exchange = exchange
        self._order = order
        self._behaviour = behaviour
        self._no = no
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[LineEvent] = asyncio.Queue()
        self._timers: list[asyncio.TimerHandle] = []
        self._hung_up_at: float | None = None
        self._answered_at: float | None = None
        self._up = True
        self._in_vain = False
        self._plays: list[asyncio.TimerHandle] = []
        self._plays_since: float | None = None
        self._most_heard_ms = 0
        self._threshold_ms = order.heard_threshold_ms
        self.no = no
        self.keyed = ""
        self.opted_out = False
        """The person has pressed the key for that; later keys count for nothing."""
        self.sip_call_id: str | None = f"{order.call_id}@{no}"
        exchange.up[no] += 1
        exchange.busy_channels[order.station.id] += 1
        if late_s := exchange.late_s():
            self._later(late_s, self._begin)
        else:
            self._begin()

    @property
    def answered(self) -> bool:
        return self._answered_at is not None

    @property
    def lasted(self) -> bool:
        """Return whether the call was up for any time; an answer at the very end may or may not count."""
        return self._answered_at is not None and self._hung_up_at != self._answered_at

    @property
    def heard_ms(self) -> int:
        """Return how much of the prompt was sent so far."""
        if self._plays_since is None:
            return self._most_heard_ms
        until = self._loop.time() if self._hung_up_at is None else self._hung_up_at
        now = min(self._exchange.prompt_ms, max(0, round((until - self._plays_since) * 1000)))
        return max(now, self._most_heard_ms)

    def met(self, settings: SettingsSpec) -> bool:
        """Return whether the callee met the success condition."""
        if not self.answered or self._in_vain:
            return False
        some = min(settings.success_playback_duration_s * 1000, self._exchange.prompt_ms)
        return {
            SuccessCondition.PICKUP_PHONE: True,
            SuccessCondition.PICKUP_AND_LISTEN_SOME: self.heard_ms >= max(some, 1),
            SuccessCondition.PICKUP_AND_LISTEN_FULL: self.heard_ms >= self._exchange.prompt_ms,
            SuccessCondition.PICKUP_AND_CONFIRM: settings.confirm_code in self.keyed,
        }[settings.success_condition]

    async def events(self) -> AsyncIterator[LineEvent]:
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, LineReleased):
                return

    async def play(self, part: int, audio: Path | None = None) -> None:
        if self._hung_up_at is not None or not self._up or self._answered_at is None:
            return
        self._most_heard_ms = self.heard_ms
        for timer in self._plays:
            timer.cancel()
        self._play(part, counts=audio is None)

    async def hang_up(self) -> None:
        if self._hung_up_at is not None or not self._up:
            return
        self._hung_up_at = self._loop.time()
        # A 200 that crosses the CANCEL: the call was given up and no prompt is played.
        self._in_vain = not self.lasted
        self._cancel_timers()
        takes = self._behaviour.lets_go_after
        if self._behaviour.crosses_cancel and not self.answered:
            self._later(takes / 2, self._answer_late)
        self._later(takes, self._let_go)

    async def gone(self) -> None:
        """The exchange lets go before it releases the line."""

    def fail(self) -> None:
        """Release the line because its SIP worker has ended; without an INVITE there was no call."""
        if self._up:
            sent = self._order.call_id in self._exchange.lines
            self._release(ReleaseCause.FAULT if sent else UNSENT, None)

    def drop(self) -> None:
        """Release the line because its process has died."""
        self._cancel_timers()
        self._gone()

    def _begin(self) -> None:
        now, order = self._exchange.clock.now(), self._order
        if order.not_after is not None and now > order.not_after:
            self._release(ReleaseCause.MISSED, None)
        elif order.not_before is not None and now < order.not_before:
            self._later((order.not_before - now).total_seconds(), self._invite)
        else:
            self._invite()

    def _invite(self) -> None:
        self._exchange.invited(self._order, self)
        does = self._behaviour
        if does.unreachable:
            self._later(UNREACHABLE_S, self._release, ReleaseCause.NO_RESPONSE, None)
            return
        self._later(0.05, self._say, LineTrying)
        if does.rings is not None:
            self._later(does.rings, self._say, lambda at: LineRinging(at, 180, "Ringing"))
        if does.progress is not None:
            self._later(does.progress, self._say, LineProgress)
        if does.rejects is not None:
            after, code = does.rejects
            self._later(after, self._release, ReleaseCause.REJECTED, code)
        if does.fault is not None:
            self._later(does.fault, self._release, ReleaseCause.FAULT, None)
        if does.answers is not None:
            self._later(does.answers, self._answer)

    def _answer(self) -> None:
        does = self._behaviour
        self._answered_at = self._loop.time()
        self._say(LineAnswered)
        self._later(FIRST_PACKET_S, self._say, LinePlaybackStarted)
        self._play(0, counts=True)
        for after, digit in does.digits:
            self._later(after, self._key, digit)
        if does.hangs_up is not None:
            self._later(does.hangs_up, self._release, ReleaseCause.REMOTE_HANGUP, 200)

    def _play(self, part: int, *, counts: bool) -> None:
        whole = self._exchange.prompt_ms
        self._plays_since = self._loop.time() + FIRST_PACKET_S if counts else None
        if counts and self._threshold_ms is not None:
            self._plays.append(self._later(FIRST_PACKET_S + self._threshold_ms / 1000, self._heard_enough))
        heard = whole if counts else self._most_heard_ms
        finished = FIRST_PACKET_S + (whole if counts else OTHER_MS) / 1000
        self._plays.append(self._later(finished, self._say, lambda at: LinePlaybackFinished(at, heard, part)))

    def _heard_enough(self) -> None:
        threshold, self._threshold_ms = self._threshold_ms, None
        if threshold is not None:
            self._say(lambda at: LineHeard(at, threshold))

    def _answer_late(self) -> None:
        self._answered_at = self._loop.time()
        self._say(LineAnswered)

    def _key(self, digit: str) -> None:
        if not self.opted_out:
            self.keyed += digit
        self.opted_out |= digit == self._exchange.opt_out_key
        self._say(lambda at: LineDigit(at, digit, DigitSource.RTP_EVENT))

    def _let_go(self) -> None:
        self._release(ReleaseCause.LOCAL_HANGUP, 200 if self.answered else 487)

    def _release(self, cause: ReleaseCause, code: int | None) -> None:
        heard = self.heard_ms
        self._cancel_timers()
        self._gone()
        self._say(lambda at: LineReleased(at, cause, code, "", heard))

    def _gone(self) -> None:
        if self._up:
            self._up = False
            self._exchange.up[self._no] -= 1
            self._exchange.busy_channels[self._order.station.id] -= 1
            self._exchange.pace.gone(self._order.number)
            self._exchange.on_gone(self._order)
            if self._hung_up_at is None:
                self._hung_up_at = self._loop.time()

    def _say(self, event: Callable[[int], LineEvent]) -> None:
        self._events.put_nowait(event(self._exchange.clock.unix_ms()))

    def _later(self, seconds: float, do: Callable[..., None], *arguments: object) -> asyncio.TimerHandle:
        timer = self._loop.call_later(seconds, do, *arguments)
        self._timers.append(timer)
        return timer

    def _cancel_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
