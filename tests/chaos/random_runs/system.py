"""The system of a random run: real processes, an exchange in this process, and what can break."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from cato_exchange.exchange import Exchange
from cato_exchange.plan import Plan, Reject, Rule
from cato_runtime.access.permissions import BrokerUser
from cato_stack.forked_process import ForkServerProcess
from tests.chaos.random_runs.brokers import OneBroker, ThreeBrokers
from tests.chaos.random_runs.processes import Node
from tests.chaos.random_runs.scenario import (
    BUSY,
    CAMPAIGNS,
    LEADER,
    OTHERS,
    Fault,
    Kind,
    Scenario,
    caller_id,
)
from tests.chaos.tcp_proxy import TcpProxy
from tests.support.live_system import HERE, configuration
from tests.support.nats_server import lasting_ports
from tests.support.servers import ChdbOverHttp

_ENTRIES = {
    "api-gateway": "cato_gateway.entrypoints.main:main",
    "media": "cato_media.entrypoints.main:main",
    "reporting": "cato_reporting.entrypoints.main:main",
    "campaign": "tests.chaos.random_runs.programs:campaign",
    "dial": "tests.chaos.random_runs.programs:dial",
}
_USERS = {"api-gateway": BrokerUser.GATEWAY, "media": BrokerUser.MEDIA, "reporting": BrokerUser.REPORTING}
"""The users of the broker; the dialers have names like `dial-0` after theirs."""
_CATCH_UP_S = 3.0
"""A server of a cluster is restarted only when the one before has caught up."""
_CALL_WITHIN_S = 240.0
"""A partition in the middle of a call waits so long for one."""
_REFUSES = Plan(default=Rule(does=Reject(code=503)))


class NotStartedError(Exception):
    """The system did not start in time, so nothing was tried."""


class System:
    """Two campaign, three dial replicas, the other services, the brokers, ClickHouse and the exchange."""

    def __init__(self, scenario: Scenario, directory: Path, forks: ForkServerProcess) -> None:
        self._scenario = scenario
        self._directory = directory
        self._forks = forks
        self._plan = Plan.load(HERE / "number_plan.yaml")
        self.exchange = Exchange(self._plan)
        self.brokers: OneBroker | ThreeBrokers
        if scenario.brokers == 1:
            small = any(fault.kind is Kind.DISK_FULL for fault in scenario.faults)
            self.brokers = OneBroker(directory / "nats", small_disk=small)
        else:
            partitioned = any(fault.kind is Kind.BROKER_PARTITION for fault in scenario.faults)
            self.brokers = ThreeBrokers(directory / "nats", partitioned=partitioned)
        self.clickhouse = ChdbOverHttp(directory / "clickhouse") if scenario.clickhouse_server else None
        self.port = lasting_ports(1)[0]
        self.nodes: dict[str, Node] = {}
        self.silences_ms: list[tuple[float, float]] = []
        self.cuts_ms: list[tuple[str, float]] = []
        self._proxies: dict[str, TcpProxy] = {}
        self._cut: set[str] = set()
        self._breaks: dict[Kind, Callable[[Fault], Awaitable[None]]] = {
            Kind.KILL: self._kill,
            Kind.FREEZE: self._freeze,
            Kind.KILL_WORKER: self._kill_worker,
            Kind.FREEZE_WORKER: self._freeze_worker,
            Kind.CUT_OFF: self._cut_off,
            Kind.BROKER_KILL: self._kill_broker,
            Kind.BROKER_RESTART: self._restart_broker,
            Kind.BROKER_FREEZE: self._freeze_broker,
            Kind.BROKER_PARTITION: self._partition_broker,
            Kind.BROKER_ROLL: self._roll_brokers,
            Kind.DISK_FULL: self._fill_disk,
            Kind.CLICKHOUSE_KILL: self._kill_clickhouse,
            Kind.CLICKHOUSE_FREEZE: self._freeze_clickhouse,
            Kind.STATION_SILENT: self._silence,
            Kind.STATION_REFUSES: self._refuse,
            Kind.ROLL: self._roll,
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except TimeoutError as error:
            await self.stop()
            raise NotStartedError("the processes are not ready: this machine is too busy") from error
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        await asyncio.gather(*(node.stop() for node in self.nodes.values()))
        for proxy in self._proxies.values():
            await asyncio.to_thread(proxy.__exit__, None, None, None)
        if self.clickhouse is not None:
            await asyncio.to_thread(self.clickhouse.stop)
        await self.brokers.stop()
        await self.exchange.stop()

    async def apply(self, fault: Fault) -> None:
        """Break something, and mend it after `fault.lasts_s`."""
        await self._breaks[fault.kind](fault)

    def cut(self, dialer: str) -> None:
        """Cut a dialer off from the broker; its connections stay open, and nothing comes through."""
        self.cuts_ms.append((dialer, time.time() * 1000))
        self._cut.add(dialer)
        self._proxies[dialer].cut()

    def heal(self, dialer: str) -> None:
        self._cut.discard(dialer)
        self._proxies[dialer].heal()

    async def _start(self) -> None:
        await self.exchange.start()
        await self.brokers.start()
        if self.clickhouse is not None:
            await asyncio.to_thread(self.clickhouse.start)
        for name in self._scenario.cut_off:
            proxy = self._proxies[name] = TcpProxy(self.brokers.port())
            await asyncio.to_thread(proxy.__enter__)
        for name in (*OTHERS, *CAMPAIGNS, *self._scenario.dialers):
            kind = name.rsplit("-", 1)[0] if name not in OTHERS else name
            environment = self._environment(name)
            self.nodes[name] = Node(name, _ENTRIES[kind], environment, self._directory, self._forks)
        for node in self.nodes.values():
            await node.start()
        await asyncio.gather(*(node.until_ready() for node in self.nodes.values()))

    def _environment(self, name: str) -> dict[str, str]:
        config = configuration(
            self.exchange.port,
            self._scenario.channels,
            engine=self._scenario.engine,
            minCallIntervalMs=self._scenario.interval_ms,
            optionsIntervalS=self._scenario.options_interval_s,
            callerId=caller_id(name),
            callerIds=list(self._scenario.caller_ids),
        )
        file = self._directory / f"{name}.yaml"
        file.write_text(yaml.safe_dump(config))
        environment = {
            **os.environ,
            "CATO_NATS_URL": self._url_of(name),
            "CATO_NATS_REPLICAS": str(self.brokers.replicas),
            "CATO_CONFIG": str(file),
            "CATO_HOST": "127.0.0.1",
            "CATO_PORT": str(self.port),
            "CATO_LOG_FORMAT": "json",
        }
        if self.clickhouse is not None:
            environment["CATO_CLICKHOUSE_DSN"] = self.clickhouse.dsn
        return environment

    def refused_subjects(self) -> list[str]:
        """Return what the services have logged of subjects that the broker refuses to them."""
        lines = [line for node in self.nodes.values() for line in node.log_file.read_text().splitlines()]
        return [line for line in lines if "broker refuses a subject" in line]

    def _url_of(self, name: str) -> str:
        url = self.brokers.url_of(_USERS.get(name, name.rsplit("-", 1)[0]))
        if name not in self._proxies:
            return url
        first = url.split(",", maxsplit=1)[0]
        return first.rsplit(":", 1)[0] + f":{self._proxies[name].port}"

    async def _kill(self, fault: Fault) -> None:
        node = self.nodes[fault.target]
        node.kill(fault.lasts_s)
        await asyncio.sleep(fault.lasts_s)

    async def _freeze(self, fault: Fault) -> None:
        node = self.nodes[fault.target]
        node.freeze()
        await asyncio.sleep(fault.lasts_s)
        node.thaw()

    async def _kill_worker(self, fault: Fault) -> None:
        for pid in self.nodes[fault.target].workers()[:1]:
            os.kill(pid, signal.SIGKILL)

    async def _freeze_worker(self, fault: Fault) -> None:
        pids = self.nodes[fault.target].workers()[:1]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(fault.lasts_s)
        for pid in pids:
            if pid in self.nodes[fault.target].workers():
                os.kill(pid, signal.SIGCONT)

    async def _cut_off(self, fault: Fault) -> None:
        dialer = fault.target
        if dialer == BUSY:
            try:
                dialer = await self._busy_dialer()
            except TimeoutError:
                return  # a truth counts the partitions that were to begin in calls
        self.cut(dialer)
        await asyncio.sleep(fault.lasts_s)
        self.heal(dialer)

    async def _busy_dialer(self) -> str:
        """Wait for a dialer with an answered call that reaches the broker, and return its name."""
        async with asyncio.timeout(_CALL_WITHIN_S):
            while not (busy := self._busy()):
                await self.exchange.wait_until(lambda: bool(self._busy()), _CALL_WITHIN_S)
        return busy[0]

    def _busy(self) -> list[str]:
        """Return the dialers that have answered calls and reach the broker, the longest call first."""
        reaching = [name for name in self._proxies if name not in self._cut]
        talking = [(call.answer_ms, name) for name in reaching for call in self.calls_up(name)]
        return [name for _, name in sorted(talking)]

    def calls_up(self, dialer: str) -> list[Any]:
        """Return the answered calls of a dialer that have not ended at the exchange."""
        return [
            call
            for call in self.exchange.calls
            if call.from_number == caller_id(dialer) and call.answer_ms is not None and not call.ended
        ]

    async def _kill_broker(self, fault: Fault) -> None:
        number = await self._broker(fault.target)
        await self.brokers.kill(number)
        await asyncio.sleep(fault.lasts_s)
        await self.brokers.restart(number)

    async def _restart_broker(self, fault: Fault) -> None:
        number = int(fault.target)
        await self.brokers.end(number)
        await asyncio.sleep(fault.lasts_s)
        await self.brokers.restart(number)

    async def _freeze_broker(self, fault: Fault) -> None:
        number = int(fault.target)
        self.brokers.send(number, signal.SIGSTOP)
        await asyncio.sleep(fault.lasts_s)
        self.brokers.send(number, signal.SIGCONT)

    async def _partition_broker(self, fault: Fault) -> None:
        assert isinstance(self.brokers, ThreeBrokers)
        number = await self._broker(fault.target)
        self.brokers.cut(number)
        await asyncio.sleep(fault.lasts_s)
        self.brokers.heal(number)

    async def _broker(self, target: str) -> int:
        if target != LEADER:
            return int(target)
        assert isinstance(self.brokers, ThreeBrokers)
        return await self.brokers.leader()

    async def _fill_disk(self, fault: Fault) -> None:
        assert isinstance(self.brokers, OneBroker)
        await self.brokers.fill_disk()
        await asyncio.sleep(fault.lasts_s)
        self.brokers.free_disk()

    async def _kill_clickhouse(self, fault: Fault) -> None:
        assert self.clickhouse is not None
        await asyncio.to_thread(self.clickhouse.kill)
        await asyncio.sleep(fault.lasts_s)
        await asyncio.to_thread(self.clickhouse.start)

    async def _freeze_clickhouse(self, fault: Fault) -> None:
        assert self.clickhouse is not None
        self.clickhouse.hang()
        await asyncio.sleep(fault.lasts_s)
        self.clickhouse.resume()

    async def _silence(self, fault: Fault) -> None:
        since = time.time() * 1000
        self.exchange.silent = True
        await asyncio.sleep(fault.lasts_s)
        self.exchange.silent = False
        self.silences_ms.append((since, time.time() * 1000))

    async def _roll(self, fault: Fault) -> None:
        if self.brokers.replicas > 1:
            await self._roll_brokers(fault)
        for node in self.nodes.values():
            await node.replace()

    async def _roll_brokers(self, fault: Fault) -> None:
        for number in range(self.brokers.replicas):
            await self.brokers.end(number)
            await self.brokers.restart(number)
            await asyncio.sleep(_CATCH_UP_S)

    async def _refuse(self, fault: Fault) -> None:
        self.exchange.plan = _REFUSES
        await asyncio.sleep(fault.lasts_s)
        self.exchange.plan = self._plan
