import asyncio
import os
import socket
import sys

import httpx
import pytest

from cato_contracts.errors import ConfigurationError
from cato_runtime.configuration.settings import ServiceSettings
from cato_runtime.health import Health, Phase, serve_health


@pytest.fixture
def health():
    health = Health("media")
    health.broker_connected = lambda: True
    return health


@pytest.fixture
def settings(tmp_path):
    return ServiceSettings(health_port=0, data_dir=tmp_path)


async def asked(port, path):
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:
        return await client.get(path)


async def test_without_a_port_nothing_listens(health):
    async with serve_health(health, ServiceSettings()) as port:
        assert port is None


async def test_a_process_that_starts_is_alive_and_not_ready(health, settings):
    async with serve_health(health, settings) as port:
        assert (await asked(port, "/healthz")).status_code == 200
        answer = await asked(port, "/readyz")
        assert (answer.status_code, answer.json()["status"]) == (503, "starting")


async def test_s1_service_is_not_ready_while_the_broker_stores_nothing(health, settings):
    async with serve_health(health, settings) as port:
        health.phase = Phase.READY
        health.storage_fault = lambda: "the broker stores no messages"
        answer = await asked(port, "/readyz")
        assert (answer.status_code, answer.json()["storageFault"]) == (503, "the broker stores no messages")
        assert 'cato_broker_storing{service="media"} 0.0' in (await asked(port, "/metrics")).text


async def test_details_of_the_service_are_shown_and_do_not_decide_s3(health, settings):
    async with serve_health(health, settings) as port:
        health.phase = Phase.READY
        health.detail = lambda: {"stationsDown": ["main"]}
        answer = await asked(port, "/readyz")
        assert answer.status_code == 200
        assert answer.json() == {"status": "ready", "broker": True, "stationsDown": ["main"]}


async def test_readiness_follows_the_phase(health, settings):
    async with serve_health(health, settings) as port:
        health.phase = Phase.READY
        assert (await asked(port, "/readyz")).status_code == 200
        health.phase = Phase.DRAINING
        answer = await asked(port, "/readyz")
        assert (answer.status_code, answer.json()) == (503, {"status": "draining", "broker": True})


async def test_without_the_broker_a_process_is_alive_and_not_ready(health, settings):
    health.phase = Phase.READY
    health.broker_connected = lambda: False
    async with serve_health(health, settings) as port:
        assert (await asked(port, "/readyz")).status_code == 503
        assert (await asked(port, "/healthz")).status_code == 200


async def test_with_a_closed_broker_client_a_process_is_not_alive(health, settings):
    health.phase = Phase.READY
    health.broker_connected, health.broker_closed = (lambda: False), (lambda: True)
    async with serve_health(health, settings) as port:
        assert (await asked(port, "/healthz")).status_code == 503
        assert (await asked(port, "/readyz")).status_code == 503


async def test_metrics_tell_the_state_and_the_process(health, settings):
    health.phase = Phase.READY
    health.broker_reconnects = lambda: 3
    async with serve_health(health, settings) as port:
        answer = await asked(port, "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'cato_ready{service="media"} 1.0' in answer.text
    assert 'cato_broker_connected{service="media"} 1.0' in answer.text
    assert 'cato_broker_reconnects_total{service="media"} 3.0' in answer.text
    assert "process_resident_memory_bytes" in answer.text


async def test_the_endpoint_can_be_served_again_after_its_end(health, settings):
    for _ in range(2):
        async with serve_health(health, settings) as port:
            assert (await asked(port, "/healthz")).status_code == 200
    with pytest.raises(httpx.ConnectError):
        await asked(port, "/healthz")


async def test_an_address_in_use_is_a_mistake_in_the_configuration(health, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = ServiceSettings(health_port=taken.getsockname()[1], data_dir=tmp_path)
        with pytest.raises(ConfigurationError, match="cannot listen"):
            async with serve_health(health, settings):
                pass


async def probe(path, environment):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cato_runtime.probe", path), env=os.environ | environment
    )
    async with asyncio.timeout(20):
        return await process.wait()


async def test_the_probe_says_by_its_exit_code_what_the_endpoint_says(health, settings, tmp_path):
    async with serve_health(health, settings) as port:
        # Port 0: the probe finds the endpoint through the data directory.
        chosen = {"CATO_HEALTH_PORT": "0", "CATO_DATA_DIR": str(tmp_path)}
        assert await probe("/healthz", chosen) == 0
        assert await probe("/readyz", chosen) == 1
        health.phase = Phase.READY
        fixed = {"CATO_HEALTH_PORT": str(port), "CATO_HEALTH_HOST": "0.0.0.0"}
        assert await probe("/readyz", fixed) == 0
    assert await probe("/healthz", fixed) == 1
