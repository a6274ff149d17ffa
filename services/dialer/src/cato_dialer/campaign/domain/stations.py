"""Fold what the dial replicas see of the stations into one view of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cato_contracts.api.stations import StationFailure, StationState, StationView
from cato_contracts.messages.stations import StationSight


@dataclass(frozen=True, slots=True)
class ConfiguredStation:
    """A station as the configuration has it."""

    id: UUID
    name: str
    engine: str
    channels: int
    caller_ids: tuple[str, ...] = ()


def station_views(
    configured: Iterable[ConfiguredStation], sights: Iterable[StationSight]
) -> tuple[StationView, ...]:
    """Return every configured station, as all dialers see it together."""
    of_station: dict[UUID, list[StationSight]] = {}
    for sight in sights:
        of_station.setdefault(sight.station_id, []).append(sight)
    return tuple(_view(station, of_station.get(station.id, ())) for station in configured)


def no_station(stations: Iterable[StationView]) -> bool | None:
    """Return whether no station with channels responds; None if the dialers do not know."""
    states = {station.state for station in stations if station.channels}
    if states & {StationState.UP, StationState.RESTING}:
        return False
    return True if states == {StationState.DOWN} else None


def _view(station: ConfiguredStation, sights: Sequence[StationSight]) -> StationView:
    state = _state(sights)
    agreeing = [sight for sight in sights if sight.state is state]
    registrations = [sight.registered for sight in sights if sight.registered is not None]
    return StationView(
        id=station.id,
        name=sights[0].name if sights else station.name,
        engine=station.engine,
        state=state,
        since=_since(state, agreeing),
        resting_until=max(
            (sight.resting_until for sight in agreeing if sight.resting_until is not None), default=None
        ),
        last_failure=_latest(sight.last_failure for sight in sights),
        # One dialer registers for all of them.
        registered=any(registrations) if registrations else None,
        channels=station.channels,
        channels_in_use=sum(sight.channels_in_use for sight in sights),
        caller_ids=list(station.caller_ids),
        dialers=len(sights),
    )


def _state(sights: Sequence[StationSight]) -> StationState:
    """Return the best of the states: a station that one dialer can use is of use."""
    seen = {sight.state for sight in sights}
    # A dialer that has just started does not know that the station is down.
    order = (StationState.UP, StationState.RESTING, StationState.DOWN)
    return next((state for state in order if state in seen), StationState.UNKNOWN)


def _since(state: StationState, agreeing: Sequence[StationSight]) -> datetime | None:
    times = [sight.since for sight in agreeing if sight.since is not None]
    # It is up since the first dialer reached it, and down since the last one did not.
    return (min if state is StationState.UP else max)(times, default=None)


def _latest(failures: Iterable[StationFailure | None]) -> StationFailure | None:
    return max(
        (failure for failure in failures if failure is not None),
        key=lambda failure: failure.at,
        default=None,
    )
