"""The process that programs of tests are forked from: it has imported their modules.

It takes requests from a socket, each with the descriptors of the standard streams and of a pipe. To this pipe
it writes the process id and, later, the exit code. It has one thread, so forking it is safe. It ends with the
connection, and its processes end with it.

It is run as `python -m tests.support.preloaded.server DESCRIPTOR`.
"""

import gc
import importlib
import json
import os
import select
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cato_runtime.process.child_process import die_with_parent

MOST_BYTES = 150_000
STREAMS = 3


@dataclass(frozen=True, slots=True)
class Program:
    """What a forked process runs."""

    entry: str
    "`module:function`."
    arguments: list[str]
    environment: dict[str, str]
    directory: str

    def run(self) -> None:
        """Become the program: its process group, directory, environment, command line and function."""
        os.setpgrp()
        os.chdir(self.directory)
        os.environ.clear()
        os.environ.update(self.environment)
        sys.argv = self.arguments
        Path("/proc/self/comm").write_text(Path(self.arguments[0]).name[:15])
        module, function = self.entry.split(":")
        sys.exit(getattr(importlib.import_module(module), function)())


class Server:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._pipes: dict[int, tuple[int, int]] = {}
        "By the descriptor of a process: its id, and the pipe to its starter."

    def serve(self) -> Program | None:
        """Return in each forked process with its program, and in this one with None at the end."""
        while True:
            ready = self._ready()
            for handle in ready & self._pipes.keys():
                self._report_end(handle)
            if self._connection.fileno() in ready:
                data, descriptors, _, _ = socket.recv_fds(self._connection, MOST_BYTES, STREAMS + 1)
                if not data:
                    return None
                program = self._start(json.loads(data), descriptors)
                if program is not None:
                    return program

    def _ready(self) -> set[int]:
        poll = select.poll()
        for descriptor in (self._connection.fileno(), *self._pipes):
            poll.register(descriptor, select.POLLIN)
        return {descriptor for descriptor, _ in poll.poll()}

    def _start(self, request: dict[str, Any], descriptors: list[int]) -> Program | None:
        importlib.import_module(request["entry"].split(":")[0])
        if len(list(Path("/proc/self/task").iterdir())) > 1:
            raise RuntimeError(f"{request['entry']} cannot be preloaded: its modules start threads")
        gc.collect()
        gc.freeze()  # without the collector's marks their memory stays shared
        *streams, pipe = descriptors
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            die_with_parent()
            if os.getppid() != server:
                os._exit(1)
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
            self._close(descriptors)
            return Program(**request)
        for stream in streams:
            os.close(stream)
        os.write(pipe, f"{pid}\n".encode())
        self._pipes[os.pidfd_open(pid)] = pid, pipe
        return None

    def _close(self, descriptors: list[int]) -> None:
        """Close what the server has open: nothing else may keep a pipe open whose end is awaited."""
        self._connection.close()
        for handle, (_, pipe) in self._pipes.items():
            os.close(handle)
            os.close(pipe)
        for descriptor in descriptors:
            os.close(descriptor)

    def _report_end(self, handle: int) -> None:
        pid, pipe = self._pipes.pop(handle)
        _, status = os.waitpid(pid, 0)
        os.close(handle)
        with suppress(BrokenPipeError):  # its starter is not interested any more
            os.write(pipe, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os.close(pipe)


def main() -> None:
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    program = Server(connection).serve()
    if program is not None:
        program.run()


if __name__ == "__main__":
    main()
