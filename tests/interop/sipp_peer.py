"""SIPp as the far end, and its statistics."""

import csv
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.interop.keyed_digits import write_capture
from tests.support.live_system import free_port

PROGRAM = shutil.which("sipp")
SCENARIO = Path(__file__).with_name("answering_end.xml")
EVENT_PAYLOAD_TYPES = (101, 120)
"The payload types for telephone events that a caller may offer; the scenario has a capture for each."
_START_TIMEOUT_S = 15
_ANSWER_TIMEOUT_S = 0.2
_STOP_TIMEOUT_S = 40


@dataclass
class SippPeer:
    """SIPp that answers on a UDP port by the scenario `answering_end.xml`."""

    directory: Path
    port: int = field(default_factory=lambda: free_port(socket.SOCK_DGRAM))
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert PROGRAM is not None
        self.directory.mkdir(parents=True, exist_ok=True)
        shutil.copy(SCENARIO, self.directory)
        for payload_type in EVENT_PAYLOAD_TYPES:
            write_capture(self.directory / f"keys-1-as-{payload_type}.pcap", 1, payload_type)
        command = [PROGRAM, "-sf", SCENARIO.name, "-nostdin"]
        command += ["-i", "127.0.0.1", "-p", str(self.port)]
        command += ["-mi", "127.0.0.1", "-mp", str(free_port(socket.SOCK_DGRAM))]
        command += ["-trace_stat", "-stf", "statistics.csv", "-fd", "1"]
        command += ["-trace_err", "-error_file", "errors.log"]
        with (self.directory / "screen.log").open("wb") as screen:
            self.process = subprocess.Popen(
                command, cwd=self.directory, stdout=screen, stderr=subprocess.STDOUT
            )
        self._wait_until_it_answers()

    def stop(self) -> None:
        """Stop SIPp by the signal that lets calls in progress end."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGUSR1)
        try:
            self.process.wait(_STOP_TIMEOUT_S)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()

    def statistics(self) -> Counter[str]:
        """Return SIPp's current statistics, which it writes every second."""
        complete, _, _ = (self.directory / "statistics.csv").read_text().rpartition("\n")
        *_, last = csv.DictReader(complete.splitlines(), delimiter=";")
        return Counter(
            {name.removesuffix("(C)"): int(value) for name, value in last.items() if _counts(name, value)}
        )

    def wait_for_calls(self, count: int) -> Counter[str]:
        """Return the statistics once `count` calls, without probes, were created and have ended."""
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        while True:
            found = self.statistics()
            if found["TotalCallCreated"] - found["options"] >= count and not found["CurrentCall"]:
                return found
            assert time.monotonic() < deadline, f"{count} calls expected: {found}"
            time.sleep(0.1)

    @property
    def complaints(self) -> str:
        log = self.directory / "errors.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def _wait_until_it_answers(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + _START_TIMEOUT_S
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(_ANSWER_TIMEOUT_S)
            probe.connect(("127.0.0.1", self.port))
            here = f"127.0.0.1:{probe.getsockname()[1]}"
            while time.monotonic() < deadline and self.process.poll() is None:
                name = uuid.uuid4().hex
                request = (
                    f"OPTIONS sip:127.0.0.1:{self.port} SIP/2.0\r\n"
                    f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{name}\r\n"
                    f"From: <sip:probe@{here}>;tag={name}\r\nTo: <sip:127.0.0.1:{self.port}>\r\n"
                    f"Call-ID: {name}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
                )
                try:
                    probe.send(request.encode())
                    if probe.recv(4096).startswith(b"SIP/2.0 200"):
                        return
                except (TimeoutError, ConnectionRefusedError):
                    continue
        screen = (self.directory / "screen.log").read_text(errors="replace")
        raise AssertionError(f"SIPp does not answer: {screen[-2000:]}{self.complaints}")


def _counts(name: str | None, value: str | None) -> bool:
    return bool(name and value and value.isdigit() and not name.endswith("(P)"))


def may_replay_captures() -> bool:
    """Return whether SIPp may open the raw socket that it replays captures through."""
    return os.geteuid() == 0
