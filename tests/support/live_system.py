"""The whole system as processes, an exchange, and a REST client with readable failures."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from cato_runtime.process.child_process import die_with_parent
from tests.support.preloaded.process import PreloadedProcess

HERE = Path(__file__).parent
PROMPT = HERE.parents[1] / "assets" / "flood_warning.mp3"
START_TIMEOUT_S = 60
RETRY_LATER = 503
"The gateway's answer if a service did not answer in time; it has Retry-After."
TRIES = 5
AUTH = {"Authorization": "Bearer plain:default"}

Process = subprocess.Popen[str] | PreloadedProcess


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def free_sip_port() -> int:
    """Return a port that is free for UDP and TCP: a SIP peer listens on both."""
    while True:
        port = free_port(socket.SOCK_DGRAM)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def begin(command: list[str], **options: Any) -> subprocess.Popen[str]:
    """Start a process that is killed when this one ends."""
    return subprocess.Popen(command, text=True, preexec_fn=die_with_parent, **options)  # noqa: PLW1509


def wait_for_line(process: Process, start: str) -> str:
    """Return the first line of the process that begins with `start`; lines before it are dropped."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(start):
            return line.strip()
    raise AssertionError(f"{process.args} ended without printing {start!r}")


def end(process: Process) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=60)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


@dataclass
class LiveExchange:
    """The simulated exchange as a process, and its records."""

    directory: Path
    plan: Path = HERE / "number_plan.yaml"
    port: int = field(default_factory=lambda: free_port(socket.SOCK_DGRAM))
    process: Process | None = None

    @property
    def records_dir(self) -> Path:
        return self.directory / "calls"

    def start(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        command = ["cato-exchange", "--port", str(self.port)]
        command += ["--plan", str(self.plan), "--record", str(self.records_dir)]
        self.process = PreloadedProcess("cato_exchange.cli:main", command, stdout=subprocess.PIPE)
        wait_for_line(self.process, "ready")

    def stop(self) -> None:
        if self.process is not None:
            end(self.process)

    def records(self, numbers: set[str]) -> list[dict[str, Any]]:
        """Return the finished calls to these numbers, oldest first."""
        files = [file for file in self.records_dir.glob("*.json") if file.name != "summary.json"]
        found = [json.loads(file.read_text()) for file in files]
        return sorted(
            (record for record in found if record["number"] in numbers),
            key=lambda record: record["invite_ms"],
        )

    def audio(self, record: dict[str, Any]) -> bytes:
        return (self.records_dir / record["audio_file"]).read_bytes()


def configuration(sip_port: int, channels: int, **station: Any) -> dict[str, Any]:
    """Return a configuration with one local station; `station` has additional keys."""
    station = {
        "name": "exchange",
        "uri": f"sip:127.0.0.1:{sip_port};transport=udp",
        "channels": channels,
        "callerId": "776400",
        "optionsIntervalS": 0,  # a SIPp that answers counts each one as a call that failed
        **station,
    }
    return {"stations": [station], "dialing": {"bindAddress": "127.0.0.1"}}


@dataclass
class LiveStack:
    """`cato up` as a process."""

    directory: Path
    sip_port: int
    channels: int = 20
    config: dict[str, Any] = field(default_factory=dict)
    engine: str = "auto"
    port: int = field(default_factory=lambda: free_port(socket.SOCK_STREAM))
    console_port: int | None = None
    preloaded: bool = True
    "Otherwise it is started as a user starts it, and its processes import what they need."
    process: Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.directory / "stack.log"

    def start(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        config = {**configuration(self.sip_port, self.channels, engine=self.engine), **self.config}
        file = self.directory / "cato.yaml"
        file.write_text(yaml.safe_dump(config))
        command = ["cato", "up", "--config", str(file)]
        command += ["--data", str(self.directory / "data"), "--port", str(self.port)]
        if self.console_port is None:
            command += ["--no-console"]
        else:
            command += ["--console-port", str(self.console_port)]
        with self.log.open("a") as log:
            self.process = self._begin(command, log)
        try:
            assert wait_for_line(self.process, "ready") == f"ready {self.url}"
        except AssertionError as error:
            error.add_note(self.log.read_text()[-4000:])
            raise

    def _begin(self, command: list[str], log: IO[str]) -> Process:
        if not self.preloaded:
            program = Path(sys.executable).with_name(command[0])
            return begin([str(program), *command[1:]], stdout=subprocess.PIPE, stderr=log)
        entry = "tests.support.preloaded.up:main"
        return PreloadedProcess(entry, command, stdout=subprocess.PIPE, stderr=log)

    def stop(self) -> None:
        if self.process is not None:
            end(self.process)

    def pid(self, service: str) -> int:
        return int((self.directory / "data" / "pids" / f"{service}.pid").read_text())

    def kill(self, service: str) -> int:
        """Kill one service by SIGKILL; return its process id."""
        pid = self.pid(service)
        os.kill(pid, signal.SIGKILL)
        return pid

    @property
    def broker_url(self) -> str:
        return (self.directory / "data" / "broker.url").read_text().strip()

    def client(self) -> "Client":
        return Client(httpx.Client(base_url=f"{self.url}/api/v1", headers=AUTH, timeout=30))


@dataclass
class LiveDialer:
    """An additional dial replica of a stack."""

    directory: Path
    broker_url: str
    config: dict[str, Any]
    health_port: int = field(default_factory=lambda: free_port(socket.SOCK_STREAM))
    process: Process | None = None

    def start(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Start the replica and wait until it is ready."""
        self.directory.mkdir(parents=True, exist_ok=True)
        file = self.directory / "cato.yaml"
        file.write_text(yaml.safe_dump(self.config))
        environment = {
            **os.environ,
            "CATO_NATS_URL": self.broker_url,
            "CATO_CONFIG": str(file),
            "CATO_DATA_DIR": str(self.directory / "data"),
            "CATO_HEALTH_PORT": str(self.health_port),
        }
        with (self.directory / "dialer.log").open("a") as log:
            self.process = PreloadedProcess(
                "cato_dialer.entrypoints.main:main",
                ["cato-dialer", "--roles", "dial"],
                env=environment,
                stderr=log,
            )
        deadline = time.monotonic() + timeout_s
        while not self._ready():
            assert self.process.poll() is None, (self.directory / "dialer.log").read_text()[-4000:]
            assert time.monotonic() < deadline, "the replica is not ready"
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            end(self.process)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def metrics(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """Return its metrics by name and labels."""
        text = httpx.get(f"http://127.0.0.1:{self.health_port}/metrics", timeout=5).raise_for_status().text
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def _ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.health_port}/readyz", timeout=5).is_success
        except httpx.TransportError:
            return False


@dataclass
class Client:
    """A client of the REST API that reports unexpected answers."""

    http: httpx.Client

    def call(self, method: str, path: str, expected: int = 200, **options: Any) -> Any:
        answer = self.http.request(method, path, **options)
        tries = 1
        while method == "GET" and answer.status_code == RETRY_LATER != expected and tries < TRIES:
            time.sleep(int(answer.headers["Retry-After"]))
            answer = self.http.request(method, path, **options)
            tries += 1
        assert answer.status_code == expected, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def add_prompt(self, name: str, content: bytes) -> dict[str, Any]:
        headers = {"Content-Type": "application/octet-stream"}
        return self.call("PUT", f"/audio-files/add/{name}", content=content, headers=headers)

    def make_task(self, people: list[dict[str, Any]], *, files: list[str], **settings: Any) -> str:
        group = self.call("PUT", "/subscriber-groups/add/people", json=people)
        profile = {
            "name": "profile",
            "attemptCount": 1,
            "successCondition": "PICKUP_AND_LISTEN_FULL",
            "maxAnswerDelayS": 2,
            **settings,
        }
        stored = self.call("POST", "/notification-settings/", json=profile)
        task = {"name": "task", "settings": stored["id"], "files": files, "groups": [group["id"]]}
        return self.call("POST", "/tasks/", json=task)["id"]

    def start(self, task: str) -> str:
        answer = self.call("PUT", f"/tasks/{task}/start")
        assert answer["result"] == "SUCCESS"
        return answer["taskExecId"]

    def report(self, run: str) -> dict[str, Any]:
        return self.call("GET", f"/task-execs/{run}", params={"subscribers": "none"})["report"]

    def finished(self, run: str, timeout_s: float = 90) -> dict[str, Any]:
        """Return the whole document once the run has ended; every report on the way must be consistent."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            report = self.report(run)
            assert_consistent(report)
            if not report["activePhase"]:
                return self.call("GET", f"/task-execs/{run}")
            time.sleep(0.1)
        raise AssertionError(f"the run has not ended after {timeout_s} s: {report}")


def assert_consistent(report: dict[str, Any]) -> None:
    """Check the sums that hold in every report."""
    total = report["callsSucceeded"] + report["callsFailed"] + report["callsInProgress"]
    assert report["callsTotal"] == total, report
    assert report["callsInProgress"] == report["callsRinging"] + report["callsTalking"], report
    subscribers = (
        report["subscriberNotified"] + report["subscriberFailed"] + report["subscriberNotYetNotified"]
    )
    assert report["subscriberCount"] == subscribers, report
