"""Session timers (RFC 4028), the callee's side."""

from sipmessage import Request

from cato_exchange.calls.call import Call
from cato_exchange.clock import Timer
from cato_exchange.plan import Answer, CancelCrossing, EarlyMedia


def interval(invite: Request) -> int | None:
    """Return the session interval that an INVITE requests, in seconds."""
    seconds = (invite.headers.get("Session-Expires") or "").partition(";")[0].strip()
    return int(seconds) if seconds.isdecimal() else None


class SessionTimer:
    """Refreshes the session or waits for the caller's refresh.

    The caller refreshes if it supports session timers; otherwise the exchange does at half of the interval.
    The plan can override both.
    """

    def __init__(self, call: Call, seconds: int, plan: Answer | EarlyMedia | CancelCrossing) -> None:
        self._call = call
        self._seconds = seconds
        self._plan = plan
        self._timer: Timer | None = None
        self._caller_supports = "timer" in call.invite.request.supported
        planned = plan.refresher
        self._caller_refreshes = self._caller_supports if planned is None else planned == "caller"
        call.refreshed = self.start

    def headers(self) -> dict[str, str]:
        """Return the headers for the 200 to the INVITE."""
        refresher = "uac" if self._caller_refreshes else "uas"
        headers = {"Session-Expires": f"{self._seconds};refresher={refresher}"}
        if self._caller_supports:
            headers["Require"] = "timer"
        return headers

    def start(self) -> None:
        """Restart the interval: the call was answered or refreshed."""
        if self._timer is not None:
            self._timer.cancel()
        if self._caller_refreshes:
            # RFC 4028 10: BYE a little before the session expires.
            delay = self._seconds - min(32.0, self._seconds / 3)
            self._timer = self._call.after(delay, self._call.hang_up)
        elif not self._plan.no_refresh:
            planned = self._plan.refresh_after_s
            self._timer = self._call.after(self._seconds / 2 if planned is None else planned, self._refresh)

    def _refresh(self) -> None:
        headers = {"Session-Expires": f"{self._seconds};refresher=uac", "Supported": "timer"}
        if self._plan.refresh_by == "UPDATE":
            self._call.in_dialog.update(self._refreshed, headers)
        else:
            self._call.in_dialog.reinvite(self._call.media.repeat(), self._refreshed, headers)

    def _refreshed(self, agreed: bool) -> None:
        if agreed:
            self._call.record.session_refreshes += 1
            self.start()
        else:
            self._call.hang_up()
