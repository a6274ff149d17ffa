"""Session timers (RFC 4028): end a call whose far end no longer exists."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cato_dialer.dial.adapters.dense.sip.messages.header_values import parameter
from cato_dialer.dial.adapters.dense.sip.messages.message import Received

SHORTEST_S = 90
_MARGIN_S = 32


@dataclass(frozen=True, slots=True)
class SessionTimer:
    """The session timer that we request. `mode`: `off`, `optional` or `required`; times in seconds."""

    mode: str
    interval_s: int
    min_s: int = SHORTEST_S

    def headers(self) -> list[tuple[str, str]]:
        """Return the headers of an INVITE or a refresh."""
        if self.mode == "off":
            return []
        return [("Session-Expires", str(max(self.interval_s, self.min_s))), ("Min-SE", str(self.min_s))]

    def options(self) -> Sequence[str]:
        return () if self.mode == "off" else ("timer",)

    def raised(self, response: Received) -> "SessionTimer | None":
        """Return the session timer that a 422 demands; None if we cannot comply."""
        wanted = response.number("Min-SE")
        if self.mode == "off" or wanted is None or wanted <= self.min_s:
            return None
        return replace(self, interval_s=max(self.interval_s, wanted), min_s=wanted)

    def agreed(self, response: Received) -> "Refresh | None":
        """Return the refresh that a 2xx agrees to; None if the call is not refreshed."""
        value = response.header("Session-Expires")
        match = re.match(r"\s*(\d{1,9})", value or "")
        if self.mode == "off" or value is None or match is None:
            # The timer is required but the far end does not support it: only we refresh (RFC 4028, 7.2).
            return Refresh(self.interval_s, ours=True) if self.mode == "required" else None
        return Refresh(max(int(match[1]), SHORTEST_S), ours=_refresher(value) == "uac")

    def asked(self, request: Received) -> "Refresh | None":
        """Return the refresh that the far end's re-INVITE or UPDATE requests. `uac` is the far end there."""
        value = request.header("Session-Expires")
        match = re.match(r"\s*(\d{1,9})", value or "")
        if self.mode == "off" or value is None or match is None:
            return None
        return Refresh(max(int(match[1]), SHORTEST_S), ours=_refresher(value) == "uas")


@dataclass(frozen=True, slots=True)
class Refresh:
    """The agreed interval, and whether we are the ones to refresh."""

    interval_s: int
    ours: bool

    @property
    def due_s(self) -> float:
        """The time until we refresh, or until we hang up a call that was not refreshed."""
        if self.ours:
            return self.interval_s / 2
        return self.interval_s - min(_MARGIN_S, self.interval_s / 3)

    def header(self) -> tuple[str, str]:
        """Return the Session-Expires header of our response to the far end's refresh."""
        return ("Session-Expires", f"{self.interval_s};refresher={'uas' if self.ours else 'uac'}")


def _refresher(value: str) -> str:
    return (parameter(value, "refresher") or "uac").lower()
