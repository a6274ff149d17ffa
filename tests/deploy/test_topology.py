"""The services of docker-compose.yml run as processes, with its commands, variables and configuration."""

import asyncio
import os
import re
import signal
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from cato_runtime.access.nats_users import nats_users
from cato_runtime.process.embedded_nats import EmbeddedNats

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PASSWORD = "of-the-test"
CONFIG = ROOT / "deploy/compose/config/cato.yaml"


def environment(service, nats_url, data):
    """Return the variables of a service with local addresses instead of those of the containers."""
    given = {key: value for key, value in service["environment"].items() if "${" not in value}
    user = re.match(r"nats://(\w+):", service["environment"].get("CATO_NATS_URL", ""))
    here = {
        "CATO_NATS_URL": nats_url.replace("://", f"://{user[1]}:{PASSWORD}@") if user else "",
        "CATO_CONFIG": str(CONFIG),
        "CATO_DATA_DIR": str(data),
        "APP_TOKEN": "a-token",
        "CATO_HEALTH_PORT": "0",
        "CATO_HEALTH_PORT_FILE": str(data / "port"),
        "CATO_SCRAPE_TARGETS": str(data / "targets"),
        **({"CATO_HOST": "0.0.0.0"} if "ports" in service else {}),
    }
    return {**os.environ, **given, **here}


@asynccontextmanager
async def running(command, variables, log):
    with log.open("w") as output:
        process = await asyncio.create_subprocess_exec(*command, env=variables, stderr=output)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def healthy(check, variables, process):
    """Return as soon as the health check of the container passes."""
    command = [sys.executable, *check[2:]]
    async with asyncio.timeout(60):
        while True:
            assert process.returncode is None
            probe = await asyncio.create_subprocess_exec(
                *command, env=variables, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
            )
            if await probe.wait() == 0:
                return
            await asyncio.sleep(0.2)


async def test_each_service_becomes_healthy_and_ends_on_sigterm(compose, tmp_path, free_port):
    services = {
        name: each
        for name, each in compose["services"].items()
        if each["image"].startswith("cato/") and "profiles" not in each
    }
    broker = EmbeddedNats(tmp_path / "nats", users=nats_users(PASSWORD))
    async with broker as nats, AsyncExitStack() as stack:
        started = {}
        for name, service in services.items():
            dockerfile = (ROOT / service["build"]["dockerfile"]).read_text()
            program = re.search(r'ENTRYPOINT \["([\w-]+)"\]', dockerfile)[1]
            data = tmp_path / name
            data.mkdir()
            variables = environment(service, nats.url, data) | {
                "CATO_PORT": str(free_port),
                "CATO_CONSOLE_PORT": "0",
            }
            command = [BIN / program, *service.get("command", ())]
            started[name] = (
                await stack.enter_async_context(running(command, variables, data / "log")),
                variables,
            )
        for name, (process, variables) in started.items():
            await healthy(services[name]["healthcheck"]["test"], variables, process)
        for process, _ in started.values():
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(40):
            codes = {name: await process.wait() for name, (process, _) in started.items()}
    assert codes == dict.fromkeys(services, 0)
    logs = [(tmp_path / name / "log").read_text() for name in services]
    assert not [log for log in logs if "broker refuses a subject" in log]
