"""The limits of a call and its success condition. All durations are in ms."""

from dataclasses import dataclass
from typing import Self

from cato_contracts.api.resources import SettingsSpec, SuccessCondition

CONFIRMATION_MS = 10_000
"""The time to key the code after the end of the prompt; then we hang up."""

RELEASE_MS = 40_000
"""The time for the release of a line after we hang up: a little over timer F of RFC 3261 (32 s)."""


@dataclass(frozen=True, slots=True)
class CallRules:
    """`needed_ms` of the prompt must be heard for a success; None if that does not matter."""

    condition: SuccessCondition
    prompt_ms: int
    needed_ms: int | None
    confirm_code: str
    setup_ms: int
    answer_ms: int
    duration_ms: int
    opt_out_key: str | None = None
    announces: bool = False
    """A prompt is played after `opt_out_key`."""
    repeat_key: str | None = None

    @classmethod
    def of(
        cls,
        settings: SettingsSpec,
        prompt_ms: int,
        *,
        station_setup_s: int,
        station_answer_s: int,
        announces: bool = False,
    ) -> Self:
        """Combine the settings of the run with the limits of the station."""
        needed: dict[SuccessCondition, int] = {
            SuccessCondition.PICKUP_AND_LISTEN_SOME: min(
                settings.success_playback_duration_s * 1000, prompt_ms
            ),
            SuccessCondition.PICKUP_AND_LISTEN_FULL: prompt_ms,
        }
        return cls(
            condition=settings.success_condition,
            prompt_ms=prompt_ms,
            needed_ms=needed.get(settings.success_condition),
            confirm_code=settings.confirm_code,
            setup_ms=station_setup_s * 1000,
            answer_ms=(settings.max_answer_delay_s or station_answer_s) * 1000,
            duration_ms=settings.max_call_duration_s * 1000,
            opt_out_key=settings.opt_out_key,
            announces=announces,
            repeat_key=settings.repeat_key,
        )

    @property
    def longest_ms(self) -> int:
        """The time from the INVITE to the release of the line at the latest."""
        return self.setup_ms + self.answer_ms + self.duration_ms + RELEASE_MS

    @property
    def report_heard_at_ms(self) -> int | None:
        """The threshold that the line must report; None at the first and last packets, reported anyway."""
        if self.needed_ms is None or not 0 < self.needed_ms < self.prompt_ms:
            return None
        return self.needed_ms
