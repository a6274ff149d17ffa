"""Metrics under `cato up`: those of all services at the address of the API."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

SERVICES = {"api-gateway", "dialer", "media", "reporting"}


def test_one_address_has_the_metrics_of_every_service(stack):
    text = httpx.get(f"{stack.url}/metrics", timeout=10).raise_for_status().text
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.labels["service"], set()).add(sample.name)
    assert set(found) == SERVICES
    assert all("cato_up" in names and "process_cpu_seconds_total" in names for names in found.values())
    assert "cato_http_requests_total" in found["api-gateway"]
    assert any(name.startswith("cato_reporting_") for name in found["reporting"])
    assert text.count("# TYPE process_cpu_seconds_total ") == 1
