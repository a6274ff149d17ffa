"""What was chosen in the steps so far: it is in the address, so that the browser's way back works."""

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from cato_console.http.visits import Visit
from cato_console.pages.ids import id_of

STEPS = ("message", "people", "rules", "check")


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts of a new notification; None: not chosen yet."""

    audio: UUID | None = None
    group: UUID | None = None
    settings: UUID | None = None
    task: UUID | None = None
    """The task that was made of them, for the check."""

    def address(self, step: str, **more: object) -> str:
        """Return the address of a step with what was chosen."""
        chosen = {
            "audio": self.audio,
            "group": self.group,
            "settings": self.settings,
            "task": self.task,
            **more,
        }
        query = urlencode({name: str(value) for name, value in chosen.items() if value is not None})
        return f"/new/{step}?{query}" if query else f"/new/{step}"


def plan_of(visit: Visit) -> Plan:
    """Return what the address says; what is no id counts as not chosen."""
    return Plan(
        id_of(visit.query("audio")),
        id_of(visit.query("group")),
        id_of(visit.query("settings")),
        id_of(visit.query("task")),
    )
