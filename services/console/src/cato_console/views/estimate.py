"""How long a notification takes, roughly: for the last look before the start."""

from dataclasses import dataclass

_SET_UP_S = 4.0
_RINGING_S = 12.0
_BETWEEN_S = 2.0
_ANSWERED = 0.6
"""The part of the calls that are answered, where nothing better is known."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The duration of the first wave, and the longest one with all waves, in seconds."""

    first_wave_s: float
    at_most_s: float


def estimate(
    *, people: int, channels: int, message_s: float, ringing_s: float, waves: int, delay_s: float
) -> Estimate | None:
    """Return an estimate; None without channels.

    In a wave a person takes a channel for set-up, ringing, and the message if the call is answered.
    """
    if channels <= 0:
        return None
    call_s = _SET_UP_S + _BETWEEN_S + min(_RINGING_S, ringing_s) + _ANSWERED * message_s
    wave_s = max(people * call_s / channels, call_s)
    longest_call_s = _SET_UP_S + _BETWEEN_S + ringing_s + message_s
    worst_wave_s = max(people * longest_call_s / channels, longest_call_s)
    return Estimate(wave_s, worst_wave_s * waves + delay_s * (waves - 1))
