"""How many calls at once are licensed, and how many of them are kept for urgent runs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Licence:
    """Calls of runs with a priority below `urgent_from` leave `reserved` channels free."""

    max_channels: int
    reserved: int = 0
    urgent_from: int = 1

    def is_ordinary(self, priority: int) -> bool:
        """Tell whether calls of a run with this priority leave the reserved channels free."""
        return self.reserved > 0 and priority < self.urgent_from
