"""A service process from outside: its signals, its endpoint, its exit."""

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager

import httpx
import pytest

from cato_runtime.process.embedded_nats import EmbeddedNats

SERVICE = """
import asyncio, sys
from cato_contracts.errors import ConfigurationError
from cato_runtime.requests import RequestTable
from cato_runtime.service import run_service

class Plain:
    requests = RequestTable()
    def __init__(self, runtime):
        self.data = runtime.settings.data_dir
    async def start(self):
        print("started", flush=True)
    async def drain(self):
        print("draining", flush=True)
        while not (self.data / "finished").exists():
            await asyncio.sleep(0.01)
    async def stop(self):
        print("let go", flush=True)

class Hurried(Plain):
    def hurry(self):
        print("hurried", flush=True)
        (self.data / "finished").touch()

class Reloading(Plain):
    async def reload(self, config):
        if config.license.max_channels == 13:
            raise ConfigurationError("thirteen is refused")
        if config.license.max_channels == 14:
            raise KeyError("a fault")
        print("channels", config.license.max_channels, flush=True)

async def build(runtime):
    return {"plain": Plain, "hurried": Hurried, "reloading": Reloading}[sys.argv[1]](runtime)

run_service("media", build)
"""


class Process:
    def __init__(self, process, data):
        self.process = process
        self.data = data

    async def says(self, text, stream="stdout"):
        async with asyncio.timeout(60):
            while line := await getattr(self.process, stream).readline():
                if text in line.decode():
                    return
        pytest.fail(f"{text!r} was never said")

    async def logs(self, text):
        await self.says(text, "stderr")

    async def asked(self, path):
        port = int((self.data / "health.port").read_text())
        async with httpx.AsyncClient(timeout=5) as client:
            return await client.get(f"http://127.0.0.1:{port}{path}")


@pytest.fixture
async def nats(tmp_path):
    async with EmbeddedNats(tmp_path / "nats") as server:
        yield server


@asynccontextmanager
async def running(kind, tmp_path, nats_url):
    script = tmp_path / "service.py"
    script.write_text(SERVICE)
    environment = {
        **os.environ,
        "CATO_NATS_URL": nats_url,
        "CATO_DATA_DIR": str(tmp_path),
        "CATO_CONFIG": str(tmp_path / "cato.yaml"),
        "CATO_HEALTH_PORT": "0",
    }
    (tmp_path / "cato.yaml").write_text("license: {maxChannels: 1}\n")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(script), kind),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Process(process, tmp_path)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_process_is_ready_after_its_start_and_not_while_it_drains(nats, tmp_path):
    async with running("plain", tmp_path, nats.url) as service:
        await service.logs('"ready"')
        assert (await service.asked("/readyz")).status_code == 200
        service.process.send_signal(signal.SIGTERM)
        await service.says("draining")
        answer = await service.asked("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (503, "draining")
        assert (await service.asked("/healthz")).status_code == 200
        (tmp_path / "finished").touch()
        await service.says("let go")
        async with asyncio.timeout(60):
            assert await service.process.wait() == 0


@pytest.mark.parametrize("kind", ["plain", "hurried"])
async def test_a_second_signal_ends_the_drain(nats, tmp_path, kind):
    async with running(kind, tmp_path, nats.url) as service:
        await service.logs('"ready"')
        service.process.send_signal(signal.SIGINT)
        await service.says("draining")
        service.process.send_signal(signal.SIGINT)
        if kind == "hurried":
            await service.says("hurried")
        await service.says("let go")
        async with asyncio.timeout(60):
            assert await service.process.wait() == 0
        warnings = [
            line for line in (await service.process.stderr.read()).decode().splitlines() if "warning" in line
        ]
        assert warnings == []


@pytest.mark.parametrize("name", ["Данные с пробелом", 'quoted "name" \\ back', "данные, другие"])
async def test_s6_the_broker_starts_in_any_directory(tmp_path, name):
    async with EmbeddedNats(tmp_path / name) as server:
        assert server.process.returncode is None
        assert (tmp_path / name / "nats-server.log").exists()


async def test_a_process_is_alive_and_not_ready_while_it_waits_for_the_broker(tmp_path):
    async with running("plain", tmp_path, "nats://127.0.0.1:1") as service:
        await service.logs("broker connection failed")
        assert (await service.asked("/healthz")).status_code == 200
        answer = await service.asked("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"status": "starting", "broker": False})


async def test_a_process_that_loses_the_broker_is_not_ready_until_it_is_back(nats, tmp_path):
    async with running("plain", tmp_path, nats.url) as service:
        await service.logs('"ready"')
        await nats.kill()
        await service.logs("connection lost")
        assert (await service.asked("/readyz")).json() == {"status": "ready", "broker": False}
        await nats.restart()
        await service.logs("connection restored")
        assert (await service.asked("/readyz")).status_code == 200


async def test_sighup_hands_a_changed_file_to_a_service_that_can_take_it(nats, tmp_path):
    file = tmp_path / "cato.yaml"
    async with running("reloading", tmp_path, nats.url) as service:
        await service.logs('"ready"')
        for refused in ("license: {maxChannels: 13}", "license: {maxChannels: 14}", "licence: {}", "{"):
            file.write_text(refused)
            service.process.send_signal(signal.SIGHUP)
            await service.logs("configuration not taken over")
        file.write_text("license: {maxChannels: 7}\n")
        service.process.send_signal(signal.SIGHUP)
        await service.says("channels 7")
        assert (await service.asked("/readyz")).status_code == 200


async def test_sighup_does_not_end_a_service_that_reads_its_configuration_once(nats, tmp_path):
    async with running("plain", tmp_path, nats.url) as service:
        await service.logs('"ready"')
        service.process.send_signal(signal.SIGHUP)
        await service.logs("at its start only")
        assert (await service.asked("/readyz")).status_code == 200
