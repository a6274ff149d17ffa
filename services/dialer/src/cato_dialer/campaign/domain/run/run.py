"""The run of a task: what has been decided, told to everybody by the commits on its life subject."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from cato_contracts.envelope import Envelope
from cato_contracts.errors import ConflictError, NotFoundError
from cato_contracts.requests import Actor
from cato_contracts.runs import (
    LifeEvent,
    RunEnded,
    RunEnding,
    RunPaused,
    RunResumed,
    RunSnapshot,
    RunStarted,
    RunStopping,
    WaveEnded,
    WaveStarted,
)


class Run(Aggregate):
    """Only what has been decided: who has a result is in the log beside it.

    `wave` is the last one that began (0: none), `wave_size` its people; it is open until everybody has a
    result. `ending` is how the run will end from the moment that no call may be started any more.
    """

    TOPIC = "run"

    class Created(Aggregate.Created):
        TOPIC = "run-started"
        snapshot: RunSnapshot

    class WaveBegun(Aggregate.Event):
        TOPIC = "run-wave-started"
        wave: int
        size: int

    class WaveClosed(Aggregate.Event):
        TOPIC = "run-wave-ended"
        wave: int
        notified: int
        failed: int

    class Paused(Aggregate.Event):
        TOPIC = "run-paused"
        hangup: bool

    class Resumed(Aggregate.Event):
        TOPIC = "run-resumed"

    class Stopping(Aggregate.Event):
        TOPIC = "run-stopping"
        ending: RunEnding
        hangup: bool

    class Ended(Aggregate.Event):
        TOPIC = "run-ended"
        ending: RunEnding

    @event(Created)
    def __init__(self, *, snapshot: RunSnapshot) -> None:
        self.snapshot = snapshot
        self.wave = 0
        self.wave_size = 0
        self.wave_open = False
        self.wave_ended_at: datetime | None = None
        self.paused = False
        self.hangup = False
        self.ending: RunEnding | None = None
        self.ended = False

    @classmethod
    def begin(cls, snapshot: RunSnapshot, *, timestamp: datetime) -> Self:
        return cls._create(cls.Created, id=snapshot.run_id, snapshot=snapshot, timestamp=timestamp)

    def check_visible(self, actor: Actor) -> None:
        """Raise NotFoundError if there is no such run for this actor."""
        if not actor.may_see(self.snapshot.user_id):
            raise NotFoundError(f"there is no execution {self.id}", resource_id=str(self.id))

    def begin_wave(self, wave: int, size: int, *, timestamp: datetime) -> None:
        if self.ending is not None or self.paused or self.wave_open or wave != self.wave + 1:
            raise self._conflict(f"wave {wave} cannot begin now")
        self._begin_wave(wave=wave, size=size, timestamp=timestamp)

    @event(WaveBegun)
    def _begin_wave(self, *, wave: int, size: int, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.wave = wave
        self.wave_size = size
        self.wave_open = True

    def close_wave(self, wave: int, notified: int, failed: int, *, timestamp: datetime) -> None:
        if self.ended or not self.wave_open or wave != self.wave:
            raise self._conflict(f"wave {wave} is not under way")
        self._close_wave(wave=wave, notified=notified, failed=failed, timestamp=timestamp)

    @event(WaveClosed)
    def _close_wave(self, *, wave: int, notified: int, failed: int, timestamp: datetime) -> None:  # noqa: ARG002
        self.wave_open = False
        self.wave_ended_at = timestamp

    def pause(self, *, hangup: bool, timestamp: datetime) -> None:
        """Let no call be started; a paused run can still be told to hang up."""
        if self.ending is not None:
            raise self._conflict(
                "the execution has ended" if self.ended else "the execution is being stopped"
            )
        if self.paused and (self.hangup or not hangup):
            raise self._conflict("the execution is paused already")
        self._pause(hangup=hangup, timestamp=timestamp)

    @event(Paused)
    def _pause(self, *, hangup: bool, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.paused = True
        self.hangup = hangup

    def resume(self, *, timestamp: datetime) -> None:
        if not self.paused or self.ending is not None:
            raise self._conflict("the execution is not paused")
        self._resume(timestamp=timestamp)

    @event(Resumed)
    def _resume(self, *, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.paused = False
        self.hangup = False

    def stop(self, *, hangup: bool, timestamp: datetime) -> None:
        """Begin to end the run; one that is being stopped can still be told to hang up."""
        if self.ended:
            raise self._conflict("the execution has ended")
        if self.ending is not None and (self.hangup or not hangup):
            raise self._conflict("the execution is being stopped already")
        self._stop(ending=self.ending or RunEnding.STOPPED, hangup=hangup, timestamp=timestamp)

    def expire(self, *, timestamp: datetime) -> None:
        if self.ending is not None:
            raise self._conflict("the execution is ending already")
        self._stop(ending=RunEnding.EXPIRED, hangup=False, timestamp=timestamp)

    @event(Stopping)
    def _stop(self, *, ending: RunEnding, hangup: bool, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.ending = ending
        self.paused = False
        self.hangup = hangup

    def end(self, ending: RunEnding, *, timestamp: datetime) -> None:
        if self.ended:
            raise self._conflict("the execution has ended")
        self._end(ending=self.ending or ending, timestamp=timestamp)

    @event(Ended)
    def _end(self, *, ending: RunEnding, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.ending = ending
        self.ended = True

    def unpublished(self) -> list[dict[str, Any]]:
        """Return the envelopes that tell others of the pending events; repeated, they are the same ones."""
        return [
            Envelope[Any]
            .wrap(
                _public(change, self.id),
                event_id=f"{self.id}:life:{change.originator_version}",
                occurred_at=change.timestamp,
                correlation_id=str(self.id),
            )
            .model_dump(mode="json")
            for change in self.pending_events
        ]

    def _conflict(self, reason: str) -> ConflictError:
        return ConflictError(reason, resource_id=str(self.id))


def _public(change: object, run_id: UUID) -> LifeEvent:  # noqa: PLR0911 - a table
    match change:
        case Run.Created(snapshot=snapshot):
            return RunStarted(snapshot=snapshot)
        case Run.WaveBegun(wave=wave, size=size):
            return WaveStarted(run_id=run_id, wave=wave, subscriber_count=size)
        case Run.WaveClosed(wave=wave, notified=notified, failed=failed):
            return WaveEnded(run_id=run_id, wave=wave, notified=notified, failed=failed)
        case Run.Paused():
            return RunPaused(run_id=run_id)
        case Run.Resumed():
            return RunResumed(run_id=run_id)
        case Run.Stopping():
            return RunStopping(run_id=run_id)
        case Run.Ended(ending=ending):
            return RunEnded(run_id=run_id, ending=ending)
    msg = f"{change!r} is no event of a run"
    raise TypeError(msg)
