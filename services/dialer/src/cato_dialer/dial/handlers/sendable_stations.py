"""The stations that could not send an order of a subscriber: they are passed over."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from cato_dialer.dial.domain.subscriber.next_attempt import Dial


class SendableStations:
    """Remembers for one job which number could not be asked for at which station."""

    def __init__(self, phone_count: int) -> None:
        self._phone_count = phone_count
        self._unsendable: set[tuple[int, UUID]] = set()

    def pass_over(self, phone_index: int, station_id: UUID) -> None:
        self._unsendable.add((phone_index, station_id))

    def step(self, step: Dial, stations: Sequence[UUID]) -> Dial | None:
        """Return the step without the stations that are passed over for its number.

        If none is left, that is the first call of the next number, through `stations`; None without another
        number.
        """
        candidates: Sequence[UUID] = step.stations
        for phone_index in range(step.phone_index, self._phone_count):
            left = tuple(one for one in candidates if (phone_index, one) not in self._unsendable)
            if left:
                return replace(step, phone_index=phone_index, stations=left)
            candidates = stations
        return None
