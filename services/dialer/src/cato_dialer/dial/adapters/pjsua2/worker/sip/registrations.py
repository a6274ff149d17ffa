"""Register with stations (RFC 3261, 10): the library sends REGISTER, answers challenges and renews."""

from collections.abc import Callable
from typing import Any

import pjsua2 as pj

from cato_dialer.dial.adapters.pjsua2 import protocol
from cato_dialer.dial.adapters.pjsua2.worker.sip.accounts import Accounts
from cato_dialer.dial.adapters.pjsua2.worker.sip.library_call import received_text

_BUSY = 171_001
"The library's PJSIP_EBUSY: a REGISTER waits for its answer, and a registration has one at a time."


class _Registration(pj.Account):  # type: ignore[misc]
    """The account of a registration; it emits each outcome."""

    def __init__(self, station: str, emit: Callable[[protocol.FromWorker], None]) -> None:
        super().__init__()
        self._station = station
        self._emit = emit
        self._end_follows = False
        self._ending = False
        self.ended = False

    def finish(self) -> None:
        """Send the REGISTER that ends the registration, after the answer to one that is under way."""
        try:
            self.setRegistration(False)
            self._ending = True
        except pj.Error as error:
            # Otherwise it was not registered.
            self._end_follows = error.status == _BUSY
            self.ended = not self._end_follows

    def onRegState(self, prm: Any) -> None:  # noqa: N802 - the library's name
        if self._end_follows:
            self._end_follows = False
            self.finish()
            return
        # Any answer to the last REGISTER ends the registration.
        self.ended = self._ending
        self._emit(protocol.Registered(self._station, prm.code, received_text(prm.reason), prm.expiration))


class Registrations:
    """The registrations of one worker, by station."""

    def __init__(self, accounts: Accounts, emit: Callable[[protocol.FromWorker], None]) -> None:
        self._accounts = accounts
        self._emit = emit
        self._known: dict[str, _Registration] = {}

    @property
    def ended(self) -> bool:
        """Tell whether all have ended, after `end_all`."""
        return all(known.ended for known in self._known.values())

    def register(self, order: protocol.Register) -> None:
        """Register with a station, or register again."""
        try:
            known = self._known.get(order.station)
            if known is not None:
                known.setRegistration(True)
                return
            config = self._accounts.config(order.identity)
            config.regConfig.registrarUri = order.registrar
            config.regConfig.timeoutSec = order.expires_s
            # The supervisor tries again after every failure.
            config.regConfig.retryIntervalSec = 0
            account = _Registration(order.station, self._emit)
            account.create(config)
            self._known[order.station] = account
        except pj.Error as error:
            if error.status == _BUSY:
                return
            self._emit(protocol.Registered(order.station, 0, f"{error.title}: {error.reason}", 0))

    def end(self, station: str) -> None:
        """End the registration with a station."""
        account = self._known.pop(station, None)
        if account is not None:
            account.shutdown()  # sends the last REGISTER without waiting for its answer

    def end_all(self) -> None:
        """End every registration."""
        for account in self._known.values():
            account.finish()
