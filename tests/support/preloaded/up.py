"""`cato up` with the modules of all services already imported: its fork server is a copy of itself."""

import importlib
import os
import socket
import sys

from cato_cli.main import main as cato
from cato_stack import forked_process
from cato_stack.fork_server import ForkServer

# Without ClickHouse's engine, which a process cannot use after a fork.
for _module in (
    *("cato_stack.cli", "cato_stack.up", *forked_process.PRELOADED),
    *(f"cato_{service}.entrypoints.main" for service in ("dialer", "gateway", "media", "reporting")),
):
    importlib.import_module(_module)


class _Child:
    """The fork server as a child, with what its owner asks of a `Popen`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def wait(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class PreloadedForkServer(forked_process.ForkServerProcess):
    """Forks its first server, while there is no other thread; later ones are started as usual."""

    _forked = False

    def _launch(self) -> None:
        if self._forked:
            super()._launch()
            return
        self._forked = True
        self._connection, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            self._connection.close()
            os.setsid()
            job = ForkServer(theirs).serve()
            if job is not None:
                job.run()
            sys.exit()
        theirs.close()
        self._server = _Child(pid)


def main() -> None:
    forked_process.ForkServerProcess = PreloadedForkServer
    cato()
