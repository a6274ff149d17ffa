"""A SIP worker that is killed as soon as its first INVITE has left: before it can say anything more."""

import os
import signal
import sys
from typing import Any

from cato_dialer.dial.adapters.pjsua2.worker import main

_move_output_away = main._move_output_away


def _die(*_: Any) -> None:
    # The library calls this when the transaction of the INVITE has sent its request.
    os.kill(os.getpid(), signal.SIGKILL)


def _prepare(*, sip_log: bool) -> None:
    _move_output_away(sip_log=sip_log)
    # The library prints as soon as it is loaded.
    from cato_dialer.dial.adapters.pjsua2.worker.sip.library_call import LibraryCall  # noqa: PLC0415

    LibraryCall.onCallTsxState = _die  # type: ignore[method-assign]


main._move_output_away = _prepare

if __name__ == "__main__":
    sys.exit(main.main(int(sys.argv[1])))
