"""The process that all services are forked from, so that they share what they all import.

It imports the common modules once and then waits for requests on a socket, one JSON object per line: which
function to run, with which environment. It answers with the process id, and later with the exit code. It has
a single thread and no event loop, so forking it is safe.

It is run as `python -m cato_stack.fork_server DESCRIPTOR MODULE...`. It ends with the connection, and the
processes end with it.
"""

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cato_runtime.process.child_process import die_with_parent

_READ_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Job:
    """What a forked process runs."""

    entry: str
    """`module:function`."""

    program: str
    environment: dict[str, str]
    log_file: str | None

    def run(self) -> None:
        """Become the program: its session, its streams, its environment, and its function."""
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        if self.log_file is not None:
            os.dup2(os.open(self.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), 2)
        os.environ.clear()
        os.environ.update(self.environment)
        sys.argv = [self.program]
        _set_name(self.program)
        module, function = self.entry.split(":")
        getattr(importlib.import_module(module), function)()


def _set_name(program: str) -> None:
    """Set the name that `ps -e` and `top` show."""
    name = Path("/proc/self/comm")
    if name.exists():
        name.write_text(program[:15])


class ForkServer:
    """Forks a process for every request on `connection`."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = b""
        self._ended, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def serve(self) -> Job | None:
        """Return in each forked process with its job, and in this one with None when the connection ends."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        while True:
            connection = self._connection.fileno()
            ready, _, _ = select.select([connection, self._ended], [], [])
            if self._ended in ready:
                self._report_ended()
            if connection in ready:
                data = self._connection.recv(_READ_BYTES)
                if not data:
                    return None
                *lines, self._received = (self._received + data).split(b"\n")
                for line in lines:
                    job = self._fork(json.loads(line))
                    if job is not None:
                        return job

    def _fork(self, request: dict[str, Any]) -> Job | None:
        number = request.pop("number")
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            die_with_parent()
            if os.getppid() != server:  # it has ended already
                sys.exit(1)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for fd in (self._ended, self._wake):
                os.close(fd)
            self._connection.close()
            return Job(**request)
        self._send({"started": number, "pid": pid})
        return None

    def _report_ended(self) -> None:
        os.read(self._ended, _READ_BYTES)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._send({"ended": pid, "code": os.waitstatus_to_exitcode(status)})

    def _send(self, message: dict[str, int]) -> None:
        self._connection.sendall(json.dumps(message).encode() + b"\n")


def main() -> None:
    """Import the modules of the command line, then serve the socket of the command line."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    for module in sys.argv[2:]:
        importlib.import_module(module)
    # Without the collector's marks the memory of these modules stays shared.
    gc.collect()
    gc.freeze()
    job = ForkServer(connection).serve()
    if job is not None:
        job.run()


if __name__ == "__main__":
    main()
