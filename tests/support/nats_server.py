"""Real nats-servers for tests, to be killed and restarted at will: one, or a cluster of three.

All of them listen on free ports of the loopback address. They are started without an event loop, unlike the
server of the embedded stack, because one server serves many tests, each of which has its own loop.
"""

import contextlib
import json
import random
import re
import signal
import socket
import subprocess
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from nats.aio.client import Client

from cato_runtime.process.embedded_nats import server_program

# The ports file comes after the last of these lines, so waiting for it means polling.
_LISTENING = re.compile(r"Listening for client connections on 127\.0\.0\.1:(\d+)")
_READY = "Server is ready"
_STOP_S = 60.0
_LOWEST_PORT = 10_000
_NOWHERE = 9
"""A port that no server listens on."""


class NatsServer:
    """Starts in the constructor. A restarted server has the same port and the same store.

    `configuration` is a configuration file; without one it is a single server with its store in `directory`.
    """

    def __init__(self, directory: Path, configuration: Path | None = None) -> None:
        self._port = -1
        self._directory = directory
        self._configuration = configuration
        self.output: deque[str] = deque(maxlen=200)
        self._start()

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self._port}"

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """As kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        self._start()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, as SIGSTOP and SIGCONT."""
        self._process.send_signal(number)

    def _start(self) -> None:
        arguments = ["-js", "-sd", str(self._directory / "store"), "-a", "127.0.0.1", "-p", str(self._port)]
        if self._configuration is not None:
            arguments = ["-c", str(self._configuration)]
        self._process = subprocess.Popen(
            [server_program(), *arguments],
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


class NatsCluster:
    """Three servers with JetStream and authentication, of clients and of routes.

    With `advertise` they tell clients each other's addresses; without, clients stay with those that they were
    given, such as a proxy's. `way` returns the port by which a server (the first number) reaches the routes
    of another one, which listen on the given port; with it servers do not tell each other their addresses.
    """

    USER, PASSWORD = "cato", "secret-1"

    def __init__(
        self, directory: Path, *, advertise: bool = True, way: Callable[[int, int, int], int] | None = None
    ) -> None:
        ports = lasting_ports(6)
        self._clients, routes = ports[:3], ports[3:]
        self.servers: list[NatsServer] = []
        for number in range(3):
            home = directory / f"n{number}"
            home.mkdir(parents=True)
            configuration = home / "nats.conf"
            configuration.write_text(
                _CLUSTER.format(
                    number=number,
                    port=self._clients[number],
                    store=json.dumps(str(home / "store")),
                    route=routes[number],
                    routes=", ".join(
                        f"nats://route:secret-2@127.0.0.1:{port if way is None else way(number, other, port)}"
                        for other, port in enumerate(routes)
                        if way is None or other != number
                    ),
                    told="" if way is None else f'advertise: "127.0.0.1:{_NOWHERE}"',
                    user=self.USER,
                    password=self.PASSWORD,
                    no_advertise=json.dumps(not advertise),
                )
            )
            self.servers.append(NatsServer(home, configuration))

    def url(self, number: int) -> str:
        """Return the URL of one server, with the credentials."""
        return f"nats://{self.USER}:{self.PASSWORD}@127.0.0.1:{self._clients[number]}"

    def server_at(self, port: int) -> NatsServer:
        return self.servers[self._clients.index(port)]

    def server_named(self, name: str) -> NatsServer:
        return self.servers[int(name.removeprefix("n"))]

    def restart_missing(self) -> None:
        for server in self.servers:
            if not server.running:
                server.restart()

    def stop(self) -> None:
        for server in self.servers:
            if server.running:
                server.kill()


_CLUSTER = """\
server_name: n{number}
host: "127.0.0.1"
port: {port}
jetstream {{ store_dir: {store} }}
authorization {{ user: {user}, password: {password} }}
cluster {{
  no_advertise: {no_advertise}
  name: test
  {told}
  host: "127.0.0.1"
  port: {route}
  authorization {{ user: route, password: secret-2 }}
  routes: [{routes}]
}}
"""


def lasting_ports(count: int) -> list[int]:
    """Return free TCP ports that stay free while nobody listens on them, for servers that are started again.

    The kernel gives connections and port 0 those of its own range, also in the middle of a test.
    """
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    chosen: list[int] = []
    for port in random.SystemRandom().sample(range(_LOWEST_PORT, lowest), lowest - _LOWEST_PORT):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            chosen.append(port)
        if len(chosen) == count:
            return chosen
    raise RuntimeError(f"there are no {count} free ports from {_LOWEST_PORT} to {lowest}")


async def until_read(client: Client) -> None:
    """Wait until the server has read all that the client was told to send.

    The PING of a first `flush` may overtake commands that the client has not written yet.
    """
    await client.flush()
    await client.flush()
