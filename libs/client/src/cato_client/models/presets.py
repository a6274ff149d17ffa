"""Settings for the usual kinds of notification, to begin with: the same in the console and the command."""

from collections.abc import Mapping
from types import MappingProxyType

from cato_client.models.settings import SettingsFields, TimeRestrictions

PRESETS: Mapping[str, SettingsFields] = MappingProxyType(
    {
        "warning": SettingsFields(
            attempt_count=5,
            attempt_delay_s=120,
            success_condition="PICKUP_AND_CONFIRM",
            confirm_code="1",
            max_answer_delay_s=40,
            repeat_count=2,
        ),
        "announcement": SettingsFields(
            attempt_count=3,
            attempt_delay_s=900,
            success_condition="PICKUP_AND_LISTEN_FULL",
            max_answer_delay_s=30,
            time_restrictions=TimeRestrictions(from_hour=8, till_hour=21),
        ),
        "reminder": SettingsFields(
            attempt_count=2,
            attempt_delay_s=3600,
            success_condition="PICKUP_AND_LISTEN_SOME",
            success_playback_duration_s=5,
            max_answer_delay_s=25,
            time_restrictions=TimeRestrictions(from_hour=9, till_hour=20),
        ),
    }
)
"""A warning is confirmed with a key, at any time of day; an announcement is heard to the end, and a reminder
for some seconds, both by day."""
