"""The compose project of the tests."""

import os
import resource
import socket
import subprocess
from pathlib import Path

from cato_runtime.access.nats_users import password_variable
from cato_runtime.access.permissions import BrokerUser
from tests.docker.engine import ROOT, run
from tests.support.live_system import free_port, free_sip_port

TOKEN = "token-of-the-test"
CLICKHOUSE_FILES = 262_144
PROMETHEUS = ROOT / "deploy/prometheus/compose.yml"
CONFIG = ROOT / "deploy/compose/config/cato.yaml"


class Project:
    """docker-compose.yml with own ports, own passwords, and a station at the port of the exchange."""

    def __init__(self, command: list[str], directory: Path, sip_port: int) -> None:
        config = directory / "config"
        config.mkdir()
        text = CONFIG.read_text().replace(":5070;", f":{sip_port};")
        # SIP traces are for administrators.
        text = text.replace("[read, write, run]", "[read, write, run, admin]")
        (config / "cato.yaml").write_text(text)
        ports = iter(lambda: free_port(socket.SOCK_STREAM), None)
        api, broker, console, tables, self.prometheus, alertmanager = (
            f"127.0.0.1:{next(ports)}" for _ in range(6)
        )
        monitoring = directory / "prometheus.yml"
        text = PROMETHEUS.read_text().replace("127.0.0.1:8080", api).replace("127.0.0.1:9093", alertmanager)
        monitoring.write_text(text.replace("15s", "1s"))
        self.exchange_port = free_sip_port()
        self.url = f"http://{api}"
        self.directory = directory
        self.command = [*command, "--project-name", f"cato-test-{os.getpid()}", "--env-file", os.devnull]
        self.environment = {
            **os.environ,
            "APP_TOKEN": TOKEN,
            **{password_variable(user): f"secret-of-{user}" for user in BrokerUser},
            "CLICKHOUSE_PASSWORD": "tables-secret",
            "CATO_CONFIG_DIRECTORY": str(config),
            "API_ADDRESS": api,
            "NATS_ADDRESS": broker,
            "CONSOLE_ADDRESS": console,
            "CLICKHOUSE_ADDRESS": tables,
            "GRAFANA_PASSWORD": "charts-secret",
            "PROMETHEUS_CONFIG": str(monitoring),
            "PROMETHEUS_ADDRESS": self.prometheus,
            "ALERTMANAGER_ADDRESS": alertmanager,
            "EXCHANGE_PORT": str(self.exchange_port),
            "VERSION": "0.1.0-test",
            "DOCKER_BUILDKIT": "0",
        }
        if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < CLICKHOUSE_FILES:
            print("LEFT OUT: this machine does not allow the open files that ClickHouse is given")
            lower = directory / "lower-limits.yml"
            lower.write_text("services: {clickhouse: {ulimits: !reset null}}\n")
            self.environment["COMPOSE_FILE"] = f"{ROOT}/docker-compose.yml:{lower}"

    def __call__(self, *arguments: str, timeout: float = 300) -> str:
        return run([*self.command, *arguments], cwd=ROOT, env=self.environment, timeout=timeout)

    def containers(self, service: str) -> list[str]:
        return self("ps", "--quiet", service).split()

    def keep_logs(self) -> None:
        """Write the logs of all containers to `compose.log`."""
        with (self.directory / "compose.log").open("w") as file:
            subprocess.run(
                [*self.command, "logs", "--no-color"],
                cwd=ROOT,
                env=self.environment,
                stdout=file,
                stderr=subprocess.STDOUT,
                check=False,
            )
