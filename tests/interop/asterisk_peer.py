"""Asterisk as the far end: an endpoint with digest authentication, and a dial plan.

The program is the installed one, or the one that `unpack_asterisk.sh` has unpacked.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.live_system import free_sip_port

USER, PASSWORD = "cato", "s3cret"
_UNPACKED = Path(__file__).parents[2] / "build" / "peers" / "asterisk"
_INSTALLED = shutil.which("asterisk")
_ROOT = Path("/") if _INSTALLED else _UNPACKED
PROGRAM = _INSTALLED or shutil.which("asterisk", path=str(_UNPACKED / "usr" / "sbin"))
_START_TIMEOUT_S = 30
_WAIT_S = 15

_MODULES = """\
app_playback app_record app_senddtmf bridge_simple chan_pjsip codec_alaw codec_ulaw format_pcm func_channel
func_env pbx_config res_pjproject res_pjsip res_pjsip_authenticator_digest res_pjsip_caller_id
res_pjsip_dtmf_info res_pjsip_endpoint_identifier_user res_pjsip_pubsub res_pjsip_registrar
res_pjsip_sdp_rtp res_pjsip_session res_rtp_asterisk res_sorcery_astdb res_sorcery_config res_sorcery_memory
res_timing_timerfd
"""

_DIRECTORIES = """\
[directories]
astetcdir => {directory}
astmoddir => {modules}
astvarlibdir => {directory}/lib
astdbdir => {directory}/lib
astkeydir => {directory}/lib
astdatadir => {root}/usr/share/asterisk
astagidir => {directory}/lib
astspooldir => {directory}/spool
astrundir => {directory}/run
astlogdir => {directory}/log
"""

_ENDPOINT = """\
[udp]
type=transport
protocol=udp
bind=127.0.0.1:{port}

[{user}]
type=auth
auth_type=userpass
username={user}
password={password}

[{user}]
type=aor
max_contacts=1
remove_existing=yes

[{user}]
type=endpoint
context=calls
auth={user}
aors={user}
disallow=all
allow=alaw
dtmf_mode=rfc4733
direct_media=no
timers=always
timers_min_se=90
timers_sess_expires=90
"""

_DIAL_PLAN = """\
[calls]
; answers, talks, and records what it hears
exten => _10X,1,Answer()
 same => n,Record({directory}/${{EXTEN}}.alaw,0,20,kqx)
; presses keys as RTP events, and by INFO
exten => _11X,1,Answer()
 same => n,Wait(0.3)
 same => n,SendDTMF(91,120,120)
 same => n,Wait(10)
exten => _12X,1,Set(PJSIP_DTMF_MODE()=info)
 same => n,Answer()
 same => n,Wait(0.3)
 same => n,SendDTMF(91,120,120)
 same => n,Wait(10)
; hangs up
exten => _13X,1,Answer()
 same => n,Wait(0.5)
 same => n,Hangup()
; early media, then an answer
exten => _14X,1,Progress()
 same => n,Playback({directory}/speech,noanswer)
 same => n,Answer()
 same => n,Record({directory}/${{EXTEN}}.alaw,0,20,kqx)
; talks while it is called
exten => _15X,1,Answer()
 same => n,Playback({directory}/speech)
 same => n,Playback({directory}/speech)
 same => n,Wait(10)
; busy, congestion, rings, rejects
exten => _20X,1,Busy(1)
exten => _21X,1,Congestion(1)
exten => _22X,1,Ringing()
 same => n,Wait(20)
exten => _23X,1,Hangup(21)
exten => h,1,Set(FILE({directory}/ended,,,al,u)=${{CHANNEL(exten)}} ${{HANGUPCAUSE}})
"""


@dataclass
class AsteriskPeer:
    """Asterisk that answers on a UDP port, and the recordings of what it has heard."""

    directory: Path
    port: int = field(default_factory=free_sip_port)
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        assert PROGRAM is not None
        self._configure()
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "-f", "-n", "-v", "-C", str(self.directory / "asterisk.conf")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                env=_environment(),
            )
        self.wait_until(lambda: "Asterisk Ready" in self.log or self._has_booted(), _START_TIMEOUT_S)

    def stop(self) -> None:
        """Stop Asterisk by its console; a signal would let it wait for its modules."""
        if self.process is None:
            return
        self.ask("core stop now")
        try:
            self.process.wait(_WAIT_S)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def ask(self, command: str) -> str:
        """Return what a command of the console prints."""
        assert PROGRAM is not None
        done = subprocess.run(
            [PROGRAM, "-C", str(self.directory / "asterisk.conf"), "-rx", command],
            capture_output=True,
            text=True,
            timeout=_WAIT_S,
            env=_environment(),
            check=False,
        )
        return done.stdout + done.stderr

    def recording(self, number: str) -> bytes:
        """Return the A-law audio that was received in the last call to the number."""
        return (self.directory / f"{number}.alaw").read_bytes()

    def wait_until(self, condition: Callable[[], bool], seconds: float = _WAIT_S) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.process is not None
            assert self.process.poll() is None, self.log[-4000:]
            assert time.monotonic() < deadline, self.log[-4000:]
            time.sleep(0.1)

    @property
    def _log(self) -> Path:
        return self.directory / "asterisk.log"

    def _has_booted(self) -> bool:
        return "System uptime" in self.ask("core show uptime")

    def _configure(self) -> None:
        for name in ("lib", "spool", "run", "log"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        values = {
            "directory": self.directory,
            "root": _ROOT,
            "modules": _ROOT / "usr" / "lib" / "asterisk" / "modules",
            "port": self.port,
            "user": USER,
            "password": PASSWORD,
        }
        modules = "".join(f"load={name}.so\n" for name in _MODULES.split())
        files = {
            "asterisk.conf": _DIRECTORIES.format(**values),
            "modules.conf": f"[modules]\nautoload=no\n{modules}",
            "logger.conf": "[general]\n[logfiles]\nconsole => notice,warning,error,verbose\n",
            "pjsip.conf": _ENDPOINT.format(**values),
            "extensions.conf": _DIAL_PLAN.format(**values),
        }
        for name, text in files.items():
            (self.directory / name).write_text(text)
        (self.directory / "speech.alaw").write_bytes(bytes(range(160)) * 50)


def _environment() -> dict[str, str]:
    if _INSTALLED:
        return dict(os.environ)
    libraries = (_UNPACKED / "usr" / "lib", *(_UNPACKED / "usr" / "lib").glob("*-linux-gnu"))
    return os.environ | {"LD_LIBRARY_PATH": ":".join(map(str, libraries))}
