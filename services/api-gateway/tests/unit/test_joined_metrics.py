"""The metrics of several processes as one text."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from cato_gateway.http.serving.joined_metrics import joined_metrics
from cato_runtime.configuration.settings import ServiceSettings
from cato_runtime.health import Health, serve_health

OWN = b"# HELP cato_http_requests_in_progress Requests.\n# TYPE cato_http_requests_in_progress gauge\n"
OWN += b"cato_http_requests_in_progress 3.0\n"


def samples(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def names(text: bytes) -> list[str]:
    return [line.split()[2] for line in text.decode().splitlines() if line.startswith("# TYPE")]


async def test_the_metrics_of_every_service_have_its_name_as_a_label(tmp_path: Path):
    settings = ServiceSettings(
        health_port=0, data_dir=tmp_path, health_port_file=tmp_path / "health/reporting.port"
    )
    async with serve_health(Health("reporting"), settings):
        (tmp_path / "health/media.port").write_text("1\n")
        (tmp_path / "health/dialer.port").write_text("")
        text = await joined_metrics(OWN, name="api-gateway", directory=tmp_path / "health")
    found = samples(text)
    assert found["cato_http_requests_in_progress", (("service", "api-gateway"),)] == 3
    assert found["cato_ready", (("service", "reporting"),)] == 0
    ups = {dict(labels)["service"]: value for (name, labels), value in found.items() if name == "cato_up"}
    assert ups == {"api-gateway": 1, "reporting": 1, "media": 0, "dialer": 0}
    assert len(names(text)) == len(set(names(text)))


async def test_counters_and_histograms_of_two_processes_stay_apart(tmp_path: Path):
    texts = []
    for amount in (1, 2):
        registry = CollectorRegistry()
        Counter("work", "Work done.", ("kind",), registry=registry).labels('a"b\\\n').inc(amount)
        Histogram("seconds", "Time.", registry=registry, buckets=(1, 5)).observe(amount)
        texts.append(generate_latest(registry))
    server = await asyncio.start_server(_answering(texts[1]), "127.0.0.1", 0)
    async with server:
        (tmp_path / "b.port").write_text(str(server.sockets[0].getsockname()[1]))
        found = samples(await joined_metrics(texts[0], name="a", directory=tmp_path))
    for service, amount in (("a", 1), ("b", 2)):
        assert found["work_total", (("kind", 'a"b\\\n'), ("service", service))] == amount
        assert found["seconds_sum", (("service", service),)] == amount
        assert found["seconds_bucket", (("le", "1.0"), ("service", service))] == (amount <= 1)


@pytest.mark.parametrize("directory", ["none", "."])
async def test_without_other_services_there_are_the_own_metrics(directory, tmp_path: Path):
    found = samples(await joined_metrics(OWN, name="api-gateway", directory=tmp_path / directory))
    assert found["cato_up", (("service", "api-gateway"),)] == 1


def _answering(text: bytes):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\ncontent-length: %d\r\n\r\n" % len(text) + text)
        await writer.drain()
        writer.close()

    return answer
