"""The run of a task: its decisions, published by the commits on the subject `run.<id>.life`."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from cato_contracts.envelope import Envelope
from cato_contracts.errors import ConflictError, NotFoundError
from cato_contracts.messages.runs import (
    LifeEvent,
    RunApprovalExpired,
    RunApproved,
    RunEnded,
    RunEnding,
    RunPaused,
    RunRejected,
    RunResumed,
    RunSnapshot,
    RunStarted,
    RunStationsDown,
    RunStationsUp,
    RunStopping,
    WaveEnded,
    WaveStarted,
)
from cato_contracts.requests import Actor
from cato_dialer.campaign.domain.run.transitions import Mode, Phase, transition


class Run(Aggregate):
    """The decisions of a run. The results of its subscribers are separate messages of the log.

    `wave` is the last wave that began (0: none), `wave_size` its number of subscribers; a wave is open until
    every subscriber in it has a result. `ending` is set as soon as no call may be started any more.
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

    class Approved(Aggregate.Event):
        TOPIC = "run-approved"
        by: str
        comment: str | None

    class Rejected(Aggregate.Event):
        TOPIC = "run-rejected"
        by: str
        comment: str | None

    class ApprovalExpired(Aggregate.Event):
        TOPIC = "run-approval-expired"

    class Paused(Aggregate.Event):
        TOPIC = "run-paused"
        hangup: bool

    class Resumed(Aggregate.Event):
        TOPIC = "run-resumed"

    class StationsDown(Aggregate.Event):
        TOPIC = "run-stations-down"

    class StationsUp(Aggregate.Event):
        TOPIC = "run-stations-up"

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
        self.approved = False
        self.decided_at: datetime | None = None

    @classmethod
    def begin(cls, snapshot: RunSnapshot, *, timestamp: datetime) -> Self:
        return cls._create(cls.Created, id=snapshot.run_id, snapshot=snapshot, timestamp=timestamp)

    @property
    def phase(self) -> Phase:
        if self.ended:
            return Phase.ENDED
        if self.wave_open:
            return Phase.CALLING
        if self.wave:
            return Phase.BETWEEN_WAVES
        return Phase.AWAITING_APPROVAL if self.unapproved else Phase.WAITING

    @property
    def mode(self) -> Mode:
        match self.ending:
            case RunEnding.STOPPED:
                return Mode.STOPPED
            case RunEnding.EXPIRED:
                return Mode.EXPIRED
            case RunEnding.STATION_DOWN:
                return Mode.GIVEN_UP
            case RunEnding.REJECTED | RunEnding.APPROVAL_EXPIRED:
                return Mode.NOT_APPROVED
        if self.paused:
            return Mode.PAUSED
        return Mode.RUNNING if self.awaits_station_since is None else Mode.NO_STATION

    @property
    def unapproved(self) -> bool:
        """Whether the run needs an approval that no user has given."""
        # Runs that earlier versions have stored need none, and do not have the second attribute.
        return self.snapshot.approval is not None and not self.approved

    @property
    def awaits_station_since(self) -> datetime | None:
        """Since when the run waits for a station to respond; None: it does not."""
        # Runs that earlier versions have stored do not have the attribute.
        return getattr(self, "station_wait_began", None)

    def check_visible(self, actor: Actor) -> None:
        """Raise NotFoundError if there is no such run for this actor."""
        if not actor.may_see(self.snapshot.user_id):
            raise NotFoundError(f"there is no task execution {self.id}", resource_id=str(self.id))

    def approve(self, *, by: str, comment: str | None, timestamp: datetime) -> None:
        """Let calls begin."""
        self._check("approve", self._why_not_decidable())
        if self.snapshot.approval is not None and timestamp >= self.snapshot.approval.until:
            raise self._conflict("the time for an approval of the taskExec has passed")
        self._approve(by=by, comment=comment, timestamp=timestamp)

    def _why_not_decidable(self) -> str:
        if self.snapshot.approval is None:
            return "the taskExec needs no approval"
        if self.approved:
            return "the taskExec is approved already"
        return "the taskExec has ended" if self.ended else "the taskExec is being ended"

    @event(Approved)
    def _approve(self, *, by: str, comment: str | None, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.approved = True
        self.decided_at = timestamp

    def reject(self, *, by: str, comment: str | None, timestamp: datetime) -> None:
        """Begin to end the run: no call begins."""
        self._check("reject", self._why_not_decidable())
        self._reject(by=by, comment=comment, timestamp=timestamp)

    @event(Rejected)
    def _reject(self, *, by: str, comment: str | None, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.ending = RunEnding.REJECTED
        self.paused = False
        self.decided_at = timestamp

    def expire_approval(self, *, timestamp: datetime) -> None:
        """Begin to end the run: no user has decided about it in time."""
        self._check("expire_approval", self._why_not_decidable())
        self._expire_approval(timestamp=timestamp)

    @event(ApprovalExpired)
    def _expire_approval(self, *, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.ending = RunEnding.APPROVAL_EXPIRED
        self.paused = False

    def begin_wave(self, wave: int, size: int, *, timestamp: datetime) -> None:
        refusal = f"wave {wave} cannot begin now"
        self._check("begin_wave", refusal)
        if wave != self.wave + 1:
            raise self._conflict(refusal)
        self._begin_wave(wave=wave, size=size, timestamp=timestamp)

    @event(WaveBegun)
    def _begin_wave(self, *, wave: int, size: int, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.wave = wave
        self.wave_size = size
        self.wave_open = True

    def close_wave(self, wave: int, notified: int, failed: int, *, timestamp: datetime) -> None:
        refusal = f"wave {wave} is not open"
        self._check("close_wave", refusal)
        if wave != self.wave:
            raise self._conflict(refusal)
        self._close_wave(wave=wave, notified=notified, failed=failed, timestamp=timestamp)

    @event(WaveClosed)
    def _close_wave(self, *, wave: int, notified: int, failed: int, timestamp: datetime) -> None:  # noqa: ARG002
        self.wave_open = False
        self.wave_ended_at = timestamp
        self.station_wait_began: datetime | None = None

    def pause(self, *, hangup: bool, timestamp: datetime) -> None:
        """Start no call until the run is resumed. A paused run can still be ordered to hang up, once."""
        refusal = self._why_not_pausable()
        self._check("pause_and_hang_up" if hangup else "pause", refusal)
        if self.hangup:
            raise self._conflict(refusal)
        self._pause(hangup=hangup, timestamp=timestamp)

    def _why_not_pausable(self) -> str:
        if self.ended:
            return "the taskExec has ended"
        return "the taskExec is being stopped" if self.ending else "the taskExec is paused already"

    @event(Paused)
    def _pause(self, *, hangup: bool, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.paused = True
        self.hangup = hangup
        self.station_wait_began = None

    def resume(self, *, timestamp: datetime) -> None:
        self._check("resume", "the taskExec is not paused")
        self._resume(timestamp=timestamp)

    @event(Resumed)
    def _resume(self, *, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.paused = False
        self.hangup = False

    def await_station(self, *, timestamp: datetime) -> None:
        """Wait until a station responds."""
        self._check("await_station", "the taskExec cannot wait for a station now")
        self._await_station(timestamp=timestamp)

    @event(StationsDown)
    def _await_station(self, *, timestamp: datetime) -> None:
        self.station_wait_began = timestamp

    def go_on(self, *, timestamp: datetime) -> None:
        """Wait no longer for a station."""
        self._check("go_on", "the taskExec does not wait for a station")
        self._go_on(timestamp=timestamp)

    @event(StationsUp)
    def _go_on(self, *, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.station_wait_began = None

    def give_up(self, *, timestamp: datetime) -> None:
        """Begin to end the run: no station has responded for too long."""
        self._check("give_up", "the taskExec does not wait for a station")
        self._stop(ending=RunEnding.STATION_DOWN, hangup=False, timestamp=timestamp)

    def stop(self, *, hangup: bool, timestamp: datetime) -> None:
        """Begin to end the run. A run that is ending can still be ordered to hang up, once."""
        refusal = "the taskExec has ended" if self.ended else "the taskExec is being stopped already"
        self._check("stop_and_hang_up" if hangup else "stop", refusal)
        if self.ending is not None and self.hangup:
            raise self._conflict(refusal)
        self._stop(ending=self.ending or RunEnding.STOPPED, hangup=hangup, timestamp=timestamp)

    def expire(self, *, timestamp: datetime) -> None:
        self._check("expire", "the taskExec is ending already")
        self._stop(ending=RunEnding.EXPIRED, hangup=False, timestamp=timestamp)

    @event(Stopping)
    def _stop(self, *, ending: RunEnding, hangup: bool, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.ending = ending
        self.paused = False
        self.station_wait_began = None
        self.hangup = hangup

    def end(self, ending: RunEnding, *, timestamp: datetime) -> None:
        refusal = "the taskExec has ended" if self.ended else "the taskExec cannot end now"
        self._check("end_as_decided" if self.ending else "end_finished", refusal)
        self._end(ending=self.ending or ending, timestamp=timestamp)

    @event(Ended)
    def _end(self, *, ending: RunEnding, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.ending = ending
        self.ended = True

    def unpublished(self) -> list[dict[str, Any]]:
        """Return the pending events as envelopes for other services; equal ones when repeated."""
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

    def _check(self, by: str, refusal: str) -> None:
        """Raise ConflictError unless `TRANSITIONS` lists the decision in this state."""
        if transition(by, self.phase, self.mode) is None:
            raise self._conflict(refusal)

    def _conflict(self, reason: str) -> ConflictError:
        return ConflictError(reason, resource_id=str(self.id))


def _public(change: object, run_id: UUID) -> LifeEvent:  # noqa: C901, PLR0911 - a table
    match change:
        case Run.Created(snapshot=snapshot):
            return RunStarted(snapshot=snapshot)
        case Run.WaveBegun(wave=wave, size=size):
            return WaveStarted(run_id=run_id, wave=wave, subscriber_count=size)
        case Run.WaveClosed(wave=wave, notified=notified, failed=failed):
            return WaveEnded(run_id=run_id, wave=wave, notified=notified, failed=failed)
        case Run.Approved(by=by, comment=comment):
            return RunApproved(run_id=run_id, by=by, comment=comment)
        case Run.Rejected(by=by, comment=comment):
            return RunRejected(run_id=run_id, by=by, comment=comment)
        case Run.ApprovalExpired():
            return RunApprovalExpired(run_id=run_id)
        case Run.Paused():
            return RunPaused(run_id=run_id)
        case Run.Resumed():
            return RunResumed(run_id=run_id)
        case Run.StationsDown():
            return RunStationsDown(run_id=run_id)
        case Run.StationsUp():
            return RunStationsUp(run_id=run_id)
        case Run.Stopping():
            return RunStopping(run_id=run_id)
        case Run.Ended(ending=ending):
            return RunEnded(run_id=run_id, ending=ending)
    msg = f"not an event of a run: {change!r}"
    raise TypeError(msg)
