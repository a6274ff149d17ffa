"""A real nats-server for tests: on a free port of the loopback, to be killed and restarted at will."""

import re
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path

# The ports file comes after the last of these lines, so waiting for it means polling.
_LISTENING = re.compile(r"Listening for client connections on 127\.0\.0\.1:(\d+)")
_READY = "Server is ready"
_STOP_S = 10.0


class NatsServer:
    """Starts in the constructor. A restarted server has the same port and the same store."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = -1
        self.output: deque[str] = deque(maxlen=200)
        self._start()

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self._port}"

    def kill(self) -> None:
        """As kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        self._start()

    def _start(self) -> None:
        binary = Path(sys.executable).with_name("nats-server")
        arguments = ["-js", "-sd", str(self._directory / "store"), "-a", "127.0.0.1", "-p", str(self._port)]
        self._process = subprocess.Popen(  # noqa: S603 - our own arguments
            [str(binary), *arguments],
            stderr=subprocess.PIPE,
            text=True,
        )
        ready = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(self._process, ready), daemon=True)
        self._reader.start()
        if not ready.wait(_STOP_S) or self._process.poll() is not None:
            self.kill()
            raise RuntimeError("nats-server did not start:\n" + "".join(self.output))

    def _read(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        if process.stderr is None:
            raise RuntimeError("started without a pipe")
        with process.stderr:
            for line in process.stderr:
                self.output.append(line)
                if listening := _LISTENING.search(line):
                    self._port = int(listening[1])
                if _READY in line:
                    ready.set()
        ready.set()

    def _end(self, number: signal.Signals) -> None:
        self._process.send_signal(number)
        self._process.wait(_STOP_S)
        self._reader.join(_STOP_S)
