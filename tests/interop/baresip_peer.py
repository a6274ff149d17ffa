"""baresip as the far end: a softphone with one account per number, its events and recordings."""

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.live_system import end, free_port, free_sip_port

PROGRAM = shutil.which("baresip")
MODULES = Path("/usr/lib/baresip/modules")
"Where Debian has them."
_START_TIMEOUT_S = 15
_WAIT_S = 10
_WAV_HEADER = 44
"Bytes before the samples. The last four have the length of the samples, written at the end."

# Without a jitter buffer, and recorded after the decoder: the recording has every received packet.
_CONFIGURATION = """\
sip_listen 127.0.0.1:{port}
ctrl_tcp_listen 127.0.0.1:{control_port}
snd_path {directory}
module_path {modules}
module g711.so
module sndfile.so
module aufile.so
module aubridge.so
module srtp.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
audio_player aubridge,nowhere
audio_source aufile,{directory}/silence.wav
audio_alert aubridge,nowhere
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
jitter_buffer_delay 0-0
"""

Event = dict[str, Any]
Action = tuple[float, str, str]
"Seconds after the last one, a command of baresip's menu, and its parameters."


def _is_closed(recording: Path) -> bool:
    """Return whether baresip has written the last sample: then the header has the length."""
    data = recording.read_bytes()
    samples = len(data) - _WAV_HEADER
    return samples > 0 and int.from_bytes(data[_WAV_HEADER - 4 : _WAV_HEADER], "little") == samples


@dataclass
class BaresipPeer:
    """`answering` maps answering numbers to their actions, `ringing` has the numbers that do not answer."""

    directory: Path
    answering: dict[str, list[Action]]
    ringing: list[str]
    media_encryption: str = ""
    "`srtp` (if the caller does) or `srtp-mand`; nothing: RTP as it is."
    port: int = field(default_factory=free_sip_port)
    events: list[Event] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        assert PROGRAM is not None
        control_port = free_port(socket.SOCK_STREAM)
        self._configure(control_port)
        command = [PROGRAM, "-4", "-n", "127.0.0.1", "-f", str(self.directory)]
        with (self.directory / "baresip.log").open("w") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, text=True
            )
        self._control = self._connect(control_port)
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def stop(self) -> None:
        assert self.process is not None
        end(self.process)
        self._listener.join(_WAIT_S)
        self._control.close()

    def events_of(self, kind: str) -> list[str]:
        """Return the numbers of the events of this kind, in order."""
        found = (event for event in self.events if event.get("type") == kind)
        return [event["accountaor"].removeprefix("sip:").partition("@")[0] for event in found]

    def recordings(self, count: int) -> list[bytes]:
        """Return the recordings of the answered calls, oldest first, as 16-bit samples."""
        files: list[Path] = []

        def closed() -> bool:
            files[:] = sorted(self.directory.glob("dump-*-dec.wav"))
            return len(files) == count and all(_is_closed(file) for file in files)

        self.wait_until(closed)
        return [file.read_bytes()[_WAV_HEADER:] for file in files]

    @property
    def log(self) -> str:
        return (self.directory / "baresip.log").read_text()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _WAIT_S
        while not condition():
            assert time.monotonic() < deadline, self.log[-4000:]
            time.sleep(0.05)

    def _configure(self, control_port: int) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        configuration = _CONFIGURATION.format(
            port=self.port, control_port=control_port, directory=self.directory, modules=MODULES
        )
        (self.directory / "config").write_text(configuration)
        modes = dict.fromkeys(self.answering, "auto") | dict.fromkeys(self.ringing, "manual")
        encryption = f";mediaenc={self.media_encryption}" if self.media_encryption else ""
        accounts = [
            f"<sip:{number}@127.0.0.1:{self.port}>;regint=0;answermode={mode};audio_codecs=pcma{encryption}\n"
            for number, mode in modes.items()
        ]
        (self.directory / "accounts").write_text("".join(accounts))
        write_silence(self.directory / "silence.wav")

    def _connect(self, port: int) -> socket.socket:
        assert self.process is not None
        deadline = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                connection = socket.create_connection(("127.0.0.1", port))
            except ConnectionRefusedError:
                log = self.log[-4000:]
                assert self.process.poll() is None, log
                assert time.monotonic() < deadline, log
                time.sleep(0.05)
            else:
                return connection

    def _listen(self) -> None:
        """Read netstrings of JSON until baresip ends."""
        with self._control.makefile("rb") as stream:
            while True:
                size = b""
                while (byte := stream.read(1)) not in {b":", b""}:
                    size += byte
                if not byte:
                    return
                event = json.loads(stream.read(int(size)))
                stream.read(1)
                self.events.append(event)
                if event.get("type") == "CALL_ESTABLISHED":
                    threading.Thread(target=self._act, args=(self.events_of("CALL_ESTABLISHED")[-1],)).start()

    def _act(self, number: str) -> None:
        if self.answering[number]:
            # Commands apply to the current account.
            self._command("uafind", f"sip:{number}@127.0.0.1:{self.port}")
        for delay_s, command, parameters in self.answering[number]:
            time.sleep(delay_s)
            self._command(command, parameters)

    def _command(self, command: str, parameters: str) -> None:
        message = json.dumps({"command": command, "params": parameters}).encode()
        self._control.sendall(b"%d:%s," % (len(message), message))


def write_silence(path: Path) -> None:
    """Write a long audio file for the softphone to send."""
    samples = bytes(2 * 8000 * 30)
    size = len(samples).to_bytes(4, "little")
    form = bytes.fromhex("10000000 0100 0100 401f0000 803e0000 0200 1000")
    header = b"RIFF" + (36 + len(samples)).to_bytes(4, "little") + b"WAVEfmt " + form
    path.write_bytes(header + b"data" + size + samples)
