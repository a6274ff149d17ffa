"""The compose project of the tests."""

import os
import resource
import socket
import subprocess
from pathlib import Path

from tests.docker.engine import ROOT, run
from tests.support.live_system import free_port

TOKEN = "token-of-the-test"
CLICKHOUSE_FILES = 262_144
CONFIG = ROOT / "deploy/compose/config/cato.yaml"


class Project:
    """docker-compose.yml with own ports, own passwords, and a station at the port of the exchange."""

    def __init__(self, command: list[str], directory: Path, sip_port: int) -> None:
        config = directory / "config"
        config.mkdir()
        (config / "cato.yaml").write_text(CONFIG.read_text().replace(":5070;", f":{sip_port};"))
        api, broker, console = (f"127.0.0.1:{free_port(socket.SOCK_STREAM)}" for _ in range(3))
        self.url = f"http://{api}"
        self.directory = directory
        self.command = [*command, "--project-name", f"cato-test-{os.getpid()}", "--env-file", os.devnull]
        self.environment = {
            **os.environ,
            "APP_TOKEN": TOKEN,
            "NATS_PASSWORD": "broker-secret",
            "CLICKHOUSE_PASSWORD": "tables-secret",
            "CATO_CONFIG_DIRECTORY": str(config),
            "API_ADDRESS": api,
            "NATS_ADDRESS": broker,
            "CONSOLE_ADDRESS": console,
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
