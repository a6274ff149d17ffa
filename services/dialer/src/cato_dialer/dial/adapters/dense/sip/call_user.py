"""The callbacks of a call to its user, and the phases of a call."""

from enum import Enum, auto
from typing import Protocol

from cato_dialer.dial.adapters.dense.sip.messages.sdp import Session
from cato_dialer.dial.adapters.dense.sip.transactions.transport import Remote


class CallUser(Protocol):
    """The callbacks of a call. `released` is called once, as the last one."""

    def trying(self) -> None: ...
    def ringing(self, code: int, phrase: str) -> None: ...
    def progress(self) -> None: ...
    def answered(self, session: Session) -> None: ...
    def session_changed(self, session: Session) -> None: ...
    def key(self, key: str) -> None: ...
    def reason_given(self, text: str) -> None:
        """Take what the far end says about the end of the call, which follows."""
        ...

    def pause_asked(self, seconds: int) -> None:
        """The final response has a Retry-After; the rejection follows."""
        ...

    def rejected(self, code: int, phrase: str) -> None: ...
    def no_response(self, why: str) -> None: ...
    def stale(self) -> None:
        """The process stood still, and no INVITE may be sent for the call any more."""
        ...

    def no_media(self, why: str) -> None: ...
    def remote_hangup(self) -> None: ...
    def session_expired(self) -> None: ...
    def hung_up(self) -> None: ...
    def farewell(self, data: bytes, remote: Remote, then: bytes = b"") -> None:
        """Keep the request that ends the call, and the one after it, for the case that this process dies."""
        ...


class Phase(Enum):
    NEW = auto()
    CALLING = auto()
    """The INVITE has been sent; no response yet."""
    PROCEEDING = auto()
    UP = auto()
    ENDED = auto()
    """The end has been reported to the user; transactions may continue for a while."""


class _Gone:
    """The user of a call that has ended: it takes no events."""

    def _ignore(self, *_: object) -> None:
        """Do nothing."""

    trying = ringing = progress = answered = session_changed = key = rejected = no_response = _ignore
    reason_given = no_media = remote_hangup = session_expired = hung_up = farewell = _ignore
    pause_asked = stale = _ignore


GONE: CallUser = _Gone()
