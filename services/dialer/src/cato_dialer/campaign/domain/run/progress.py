"""Which subscribers of a run are notified and which have a result, folded from the results in any order."""

from array import array
from collections.abc import Iterator

from cato_dialer.campaign.domain.run.households import Households

_MOST_WAVES = 0xFFFF


class Progress:
    """The results of a run of `count` subscribers.

    For each subscriber the latest wave with a result counts, and a subscriber once notified stays notified.
    So neither the order nor the repetition of results matters. `wave` is the wave being counted (0: none).

    Further members of `households` have no jobs and no results of their own: they are `notified` with the
    first one, and are neither `outstanding` nor `unsettled`.
    """

    def __init__(self, count: int, households: Households | None = None) -> None:
        self._count = count
        self.households = households or Households(count)
        self._notified = bytearray(count)
        self._decided = array("H", bytes(2 * count))
        self._heads = array("Q", bytes(8 * count))
        self.notified = 0
        self.wave = 0
        self.outstanding = 0

    def record(self, no: int, wave: int, *, notified: bool, sequence: int) -> None:
        """Add a result; `sequence` is its sequence in the log.

        Raises:
            ValueError: if there is no such subscriber or wave.

        """
        if not 0 <= no < self._count or not 0 < wave <= _MOST_WAVES:
            msg = f"there is no subscriber {no} among {self._count}, or no wave {wave}"
            raise ValueError(msg)
        was_settled = self.is_settled(no)
        self._decided[no] = max(self._decided[no], wave)
        self._heads[no] = max(self._heads[no], sequence)
        if notified and not self._notified[no]:
            self._notified[no] = 1
            self.notified += 1
        if self.wave and not was_settled and self.is_settled(no) and self.households.is_called(no):
            self.outstanding -= 1

    def turn_to(self, wave: int) -> None:
        """Count the subscribers of this wave from now on."""
        if wave != self.wave:
            self.wave = wave
            self.outstanding = sum(1 for _ in self.unsettled())

    def is_settled(self, no: int) -> bool:
        """Return whether the subscriber is notified or has a result in this wave."""
        return bool(self._notified[no]) or self._decided[no] >= self.wave

    def unsettled(self) -> Iterator[int]:
        """Yield the subscribers without a result in this wave, in the order of the list."""
        is_called = self.households.is_called
        return (no for no in range(self._count) if not self.is_settled(no) and is_called(no))

    def head(self, no: int) -> int:
        """Return the sequence of the subscriber's last result, 0 if there is none."""
        return self._heads[no]

    @property
    def not_notified(self) -> int:
        return self._count - self.notified
