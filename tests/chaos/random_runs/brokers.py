"""The brokers of a random run: one, kept running as `cato up` keeps it, or a cluster of three."""

import asyncio
import contextlib
import os
import signal
from functools import partial
from pathlib import Path

import nats
import nats.errors
import nats.js.errors

from cato_contracts.subjects import RUNS
from cato_runtime.access.nats_users import nats_users
from cato_runtime.process.embedded_nats import EmbeddedNats
from cato_stack.broker_keeper import BrokerKeeper
from tests.chaos.small_disk import fill, mount, unmount
from tests.chaos.tcp_proxy import TcpProxy
from tests.support.nats_server import NatsCluster, lasting_ports

_DISK = "96m"
_PASSWORD = "of-the-tests"
_UNLIMITED = "tests"
_LEADER_S, _ASK_S, _ASK_AGAIN_S = 60.0, 3.0, 0.2


async def _ignore(_: Exception) -> None:
    """Do nothing: the server that was asked has been killed."""


class OneBroker:
    """A server on a file system of its own, if there is one, and its keeper.

    Each service has its user, with the permissions of production.
    """

    replicas = 1

    def __init__(self, directory: Path, *, small_disk: bool) -> None:
        directory.mkdir(parents=True)
        self._directory = directory
        self._mounted = small_disk
        if small_disk:
            mount(directory, _DISK)
        users = nats_users(_PASSWORD, unlimited=_UNLIMITED)
        self._server = EmbeddedNats(directory, port=lasting_ports(1)[0], users=users)
        self._keeper = BrokerKeeper(self._server)

    @property
    def url(self) -> str:
        return self.url_of(_UNLIMITED)

    def url_of(self, user: str) -> str:
        return self._server.url.replace("://", f"://{user}:{_PASSWORD}@")

    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    async def start(self) -> None:
        await self._keeper.start()

    async def stop(self) -> None:
        await self._keeper.stop()
        if self._mounted:
            await asyncio.to_thread(unmount, self._directory)

    async def kill(self, number: int) -> None:
        self._server.process.kill()

    async def end(self, number: int) -> None:
        self._server.process.terminate()

    async def restart(self, number: int) -> None:
        """The keeper does it."""

    def send(self, number: int, what: signal.Signals) -> None:
        if self._server.process.returncode is None:
            os.kill(self._server.process.pid, what)

    async def fill_disk(self) -> None:
        await asyncio.to_thread(fill, self._directory)

    def free_disk(self) -> None:
        (self._directory / "ballast").unlink()


class ThreeBrokers:
    """A cluster. With `partitioned`, each route between two servers goes through a proxy."""

    replicas = 3

    def __init__(self, directory: Path, *, partitioned: bool) -> None:
        self._directory = directory
        self._partitioned = partitioned
        self._proxies: dict[tuple[int, int], TcpProxy] = {}
        self._cluster: NatsCluster | None = None

    @property
    def cluster(self) -> NatsCluster:
        assert self._cluster is not None
        return self._cluster

    @property
    def url(self) -> str:
        return ",".join(self.cluster.url(number) for number in range(3))

    def url_of(self, _user: str) -> str:
        """The servers of a cluster have one user."""
        return self.url

    def port(self) -> int:
        return int(self.cluster.url(0).rsplit(":", 1)[1])

    async def start(self) -> None:
        way = self._way if self._partitioned else None
        self._cluster = await asyncio.to_thread(
            partial(NatsCluster, self._directory, advertise=False, way=way)
        )

    async def stop(self) -> None:
        await asyncio.to_thread(self.cluster.stop)
        for proxy in self._proxies.values():
            await asyncio.to_thread(proxy.__exit__, None, None, None)

    async def leader(self) -> int:
        """Return the number of the server that leads the stream of the runs, once there is one."""
        async with asyncio.timeout(_LEADER_S):
            while True:
                with contextlib.suppress(nats.errors.Error, nats.js.errors.Error, OSError):
                    if (leader := await self._leader_now()) is not None:
                        return leader
                await asyncio.sleep(_ASK_AGAIN_S)

    async def _leader_now(self) -> int | None:
        client = await nats.connect(self.url.split(","), allow_reconnect=False, error_cb=_ignore)
        try:
            info = await client.jetstream(timeout=_ASK_S).stream_info(RUNS.name)
        finally:
            await client.close()
        leader = info.cluster.leader if info.cluster is not None else None
        return None if leader is None else int(leader.removeprefix("n"))

    def cut(self, number: int) -> None:
        """Cut a server off from the two others; its clients still reach it."""
        for ends, proxy in self._proxies.items():
            if number in ends:
                proxy.cut()

    def heal(self, number: int) -> None:
        for ends, proxy in self._proxies.items():
            if number in ends:
                proxy.heal()

    async def kill(self, number: int) -> None:
        await asyncio.to_thread(self.cluster.servers[number].kill)

    async def end(self, number: int) -> None:
        await asyncio.to_thread(self.cluster.servers[number].stop)

    async def restart(self, number: int) -> None:
        await asyncio.to_thread(self.cluster.servers[number].restart)

    def send(self, number: int, what: signal.Signals) -> None:
        self.cluster.servers[number].send(what)

    def _way(self, number: int, other: int, port: int) -> int:
        proxy = self._proxies[number, other] = TcpProxy(port)
        proxy.__enter__()
        return proxy.port
