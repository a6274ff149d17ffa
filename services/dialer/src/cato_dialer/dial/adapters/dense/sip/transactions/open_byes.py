"""The BYE requests that have no final response yet, by call."""

import asyncio
from collections import Counter
from collections.abc import Callable

from cato_dialer.dial.adapters.dense.sip.messages.message import Received

OnResponse = Callable[[Received], None]
OnFailure = Callable[[str], None]

_FINAL = 200


class OpenByes:
    """Tells when the far end of a call has answered its BYE, or the transaction has timed out."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._waiting: dict[str, asyncio.Future[None]] = {}

    def watch(
        self, call_id: str, on_response: OnResponse, on_failure: OnFailure
    ) -> tuple[OnResponse, OnFailure]:
        """Count a BYE that is about to be sent; return the callbacks for its transaction."""
        self._open[call_id] += 1

        def answered(response: Received) -> None:
            on_response(response)  # it may send another BYE, with credentials
            if (response.code or 0) >= _FINAL:
                self._over(call_id)

        def failed(why: str) -> None:
            on_failure(why)
            self._over(call_id)

        return answered, failed

    async def none_open(self, call_id: str) -> None:
        """Return once no BYE of the call is open."""
        if self._open[call_id]:
            if call_id not in self._waiting:
                self._waiting[call_id] = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._waiting[call_id])

    def close(self) -> None:
        """End the waiting: no response comes any more."""
        for call_id in list(self._waiting):
            self._wake(call_id)
        self._open.clear()

    def _over(self, call_id: str) -> None:
        self._open[call_id] -= 1
        if self._open[call_id] <= 0:
            del self._open[call_id]
            self._wake(call_id)

    def _wake(self, call_id: str) -> None:
        waiting = self._waiting.pop(call_id, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
