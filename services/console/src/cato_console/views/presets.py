"""The usual kinds of notification, in words for dispatchers; their rules are those of the client."""

from dataclasses import dataclass

from cato_client.models import SettingsFields
from cato_client.models.presets import PRESETS as RULES
from cato_console.language.languages import mark


@dataclass(frozen=True, slots=True)
class Preset:
    """A kind of notification, and the settings to begin with."""

    key: str
    name: str
    text: str

    @property
    def rules(self) -> SettingsFields:
        return RULES[self.key]


PRESETS = (
    Preset(
        "warning",
        mark("Warning"),
        mark("Danger: everybody has to confirm, at any time of day, five waves close together."),
    ),
    Preset(
        "announcement",
        mark("Announcement"),
        mark("An outage, a change: it is enough to hear the message, during the day, three waves."),
    ),
    Preset(
        "reminder",
        mark("Reminder"),
        mark("An appointment, a payment: a part of the message is enough, two waves, by day only."),
    ),
)


def preset_of(key: str) -> Preset:
    """Return the kind of that name, or else the first one."""
    return next((each for each in PRESETS if each.key == key), PRESETS[0])
