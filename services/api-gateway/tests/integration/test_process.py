"""The gateway as a process of its own, on a real broker."""

import asyncio
import signal

import pytest

from tests.contract.manual_examples import follow_manual

API = "/api/v1"
OCTETS = {"Content-Type": "application/octet-stream"}
SETTINGS = {"name": "s", "attemptCount": 1, "successCondition": "PICKUP_PHONE"}


async def test_the_manual_can_be_followed_and_sigterm_ends_it_cleanly(services, gateway, connected):
    async with gateway() as process:
        async with connected(process) as client:
            answers = await follow_manual(client, audio=b"\xff\xfb" + bytes(200_000))
            assert {answer.status_code for answer in answers.values()} == {200}
            content = await client.get(answers["3.1"].json()["url"], params={"format": "alaw"})
            assert content.content == b"\xff\xfb" + bytes(200_000)
            assert (await client.get("/readyz")).json()["services"]["dialer"] == "ready"
            measures = (await client.get("/metrics")).text
            route = 'method="PUT",route="/api/v1/audio-files/add/{filename:path}",status="200"'
            assert f"cato_http_requests_total{{{route}}} 1.0" in measures
        process.process.send_signal(signal.SIGTERM)
        assert await process.ended() == (0, b"")


async def test_two_gateways_share_idempotency_keys(services, gateway, connected):
    headers = {"Idempotency-Key": "k"}
    async with gateway() as one, gateway() as two, connected(one) as first, connected(two) as second:
        path = f"{API}/notification-settings"
        answer = await first.post(path, json=SETTINGS, headers=headers)
        again = await second.post(path, json=SETTINGS, headers=headers)
        assert again.content == answer.content
        other = await second.post(path, json={**SETTINGS, "name": "o"}, headers=headers)
        assert other.status_code == 409
    assert len(services.settings) == 1


async def test_services_that_do_not_answer_give_503(nats, gateway, connected):
    async with gateway(CATO_GATEWAY_ANSWER_TIMEOUT="PT0.2S") as process, connected(process) as client:
        assert (await client.get("/healthz")).status_code == 200
        ready = await client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["services"] == dict.fromkeys(("media", "dialer", "reporting"), "no answer")
        answer = await client.get(f"{API}/tasks")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert "dialer" in answer.json()["message"]


async def test_a_body_announced_as_too_large_is_rejected_before_it_arrives(services, gateway, connected):
    async with gateway() as process, connected(process) as client:
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(
            b"PUT /api/v1/audio-files/add/huge HTTP/1.1\r\nHost: cato\r\n"
            b"Authorization: Bearer plain:default\r\n"
            b"Content-Type: application/octet-stream\r\nContent-Length: 5000000000\r\n\r\n"
        )
        async with asyncio.timeout(5):
            assert b"413" in await reader.readline()
        writer.close()


async def send_without_end(writer: asyncio.StreamWriter) -> None:
    async with asyncio.timeout(20):
        while True:
            writer.write(b"10000\r\n" + bytes(65_536) + b"\r\n")
            await writer.drain()


async def test_an_endless_body_is_rejected_at_the_limit_and_the_connection_closed(
    services, gateway, connected
):
    async with gateway() as process, connected(process) as client:
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(
            b"PUT /api/v1/audio-files/add/endless HTTP/1.1\r\nHost: cato\r\n"
            b"Authorization: Bearer plain:default\r\n"
            b"Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        status = asyncio.create_task(reader.readline())
        with pytest.raises(ConnectionError):
            await send_without_end(writer)
        assert b"413" in await status
        writer.close()


async def test_bytes_that_are_not_http_get_the_common_error_form(nats, gateway, connected):
    async with gateway() as process, connected(process) as client:
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(b"\x16\x03\x01 nonsense\r\n\r\n")
        async with asyncio.timeout(5):
            answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b'"error": "Bad Request"' in answer


async def test_sigterm_lets_requests_finish(services, gateway, connected):
    async with gateway() as process, connected(process) as client:
        half, whole = asyncio.Event(), asyncio.Event()

        async def slow():
            yield b"RIFF"
            half.set()
            await whole.wait()
            yield b"rest"

        upload = asyncio.create_task(
            client.put(f"{API}/audio-files/add/slow", content=slow(), headers=OCTETS)
        )
        await half.wait()
        process.process.send_signal(signal.SIGTERM)
        await process.logged("draining")
        whole.set()
        answer = await upload
        assert answer.status_code == 200
        assert answer.json()["sizeBytes"] == 8
        assert (await process.ended())[0] == 0


async def test_while_draining_it_is_not_ready(services, gateway, connected):
    delay = {"CATO_GATEWAY_DRAIN_DELAY": "PT30S", "CATO_DRAIN_SECONDS": "60"}
    async with gateway(**delay) as process, connected(process) as client:
        assert (await client.get("/readyz")).status_code == 200
        process.process.send_signal(signal.SIGTERM)
        await process.logged("draining")
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get(f"{API}/tasks")).status_code == 200


async def test_tokens_are_read_again_on_sighup(services, gateway, connected, tmp_path):
    config = tmp_path / "cato.yaml"
    config.write_text("tokens: [{token: one, user: user}]")
    async with gateway(CATO_CONFIG=str(config)) as process, connected(process, "two") as client:
        assert (await client.get(f"{API}/tasks")).status_code == 401
        config.write_text("tokens: [{token: two, user: user}]")
        process.process.send_signal(signal.SIGHUP)
        await process.logged("tokens replaced")
        assert (await client.get(f"{API}/tasks")).status_code == 200
        config.write_text("tokens: nonsense")
        process.process.send_signal(signal.SIGHUP)
        await process.logged("configuration not taken over")
        assert (await client.get(f"{API}/tasks")).status_code == 200


async def test_the_well_known_token_on_a_public_address_stops_the_start(gateway):
    async with gateway(CATO_HOST="0.0.0.0") as process:
        assert "allowDefaultToken" in (await process.logged("cannot start"))["reason"]
        assert (await process.ended())[0] == 78


async def test_a_drain_delay_as_long_as_the_drain_stops_the_start(gateway):
    async with gateway(CATO_GATEWAY_DRAIN_DELAY="PT30S", CATO_DRAIN_SECONDS="30") as process:
        assert "CATO_GATEWAY_DRAIN_DELAY" in (await process.logged("cannot start"))["reason"]
        assert (await process.ended())[0] == 78


async def test_a_bad_setting_stops_the_start(gateway):
    async with gateway(CATO_PORT="99999") as process:
        assert "CATO_PORT" in (await process.logged("cannot start"))["reason"]
        assert (await process.ended())[0] == 78


async def test_half_sent_requests_leave_the_api_and_health_reachable_r0(nats, gateway, connected):
    # Without a bound, 560 connections take all of 512 descriptors.
    async with gateway(CATO_HEALTH_PORT="0", CATO_DATA_DIR=str(nats.store_dir), descriptors=512) as process:
        health = (await process.logged("health endpoint"))["port"]
        async with connected(process) as client:
            address = (client.base_url.host, client.base_url.port)
            half = [await asyncio.open_connection(*address) for _ in range(560)]
            for _, writer in half:
                writer.write(b"GET /api/v1/tasks HTTP/1.1\r\nHost: cato\r\n")
            assert (await client.get("/healthz")).status_code == 200
            assert (await client.get(f"http://127.0.0.1:{health}/healthz")).status_code == 200
            for _, writer in half:
                writer.close()
