"""The metrics of all processes of a machine at one address, with the label `service`.

Under `cato up` each service writes the port of its metrics to a file, which the gateway reads for a scrape.
"""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

log = structlog.get_logger()

_ANSWER_S = 2.0
_LABEL = "service"


async def joined_metrics(own: bytes, *, name: str, directory: Path) -> bytes:
    """Return the gateway's own metrics together with those of the services in `directory` (`<service>.port`).

    `cato_up` is 0 for a service that does not answer; its metrics are missing then.
    """
    ports = await asyncio.to_thread(_ports, directory)
    texts = await asyncio.gather(*(asyncio.to_thread(_scraped, service, port) for service, port in ports))
    found = {service: text for (service, _), text in zip(ports, texts, strict=True)}
    return await asyncio.to_thread(_joined, {name: own.decode(), **found})


def _ports(directory: Path) -> list[tuple[str, int | None]]:
    ports: list[tuple[str, int | None]] = []
    for file in sorted(directory.glob("*.port")):
        try:
            ports.append((file.stem, int(file.read_text())))
        except (OSError, ValueError):
            ports.append((file.stem, None))  # it is being written, or its service is ending
    return ports


def _scraped(service: str, port: int | None) -> str | None:
    if port is None:
        return None
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=_ANSWER_S) as answer:
            text: str = answer.read().decode()
            return text
    except (URLError, OSError, UnicodeDecodeError) as error:
        log.info("metrics of a service not available", service=service, reason=repr(error))
        return None


def _joined(texts: dict[str, str | None]) -> bytes:
    up = GaugeMetricFamily("cato_up", "1 if the service answers with its metrics.", labels=[_LABEL])
    families: dict[str, Metric] = {}
    for service, text in texts.items():
        up.add_metric([service], text is not None)
        for family in text_string_to_metric_families(text or ""):
            joined = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            for sample in family.samples:
                # The library's samples are named tuples without a way to add a label.
                joined.samples.append(sample._replace(labels={_LABEL: service, **sample.labels}))
    registry = CollectorRegistry()
    registry.register(_Families([up, *families.values()]))
    return generate_latest(registry)


class _Families(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families
