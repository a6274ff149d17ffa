"""The profiles of docker-compose.yml beside the running system: the simulated exchange, and monitoring."""

import httpx
import pytest

from cato_exchange.probe import probe
from tests.docker.engine import docker
from tests.docker.runs import wait_until

pytestmark = pytest.mark.timeout(1800)

PROCESSES = 4
"""Media, campaign, reporting and the gateway, by their health ports; the dialers are beside them."""
API = 1
"""The figures of the requests have an address of their own."""


def test_exchange_of_its_profile_answers(project):
    project("--profile", "exchange", "build", "exchange", timeout=900)
    project("--profile", "exchange", "up", "--detach", "--wait", "exchange")
    assert probe(project.exchange_port) == 0
    project("--profile", "exchange", "rm", "--stop", "--force", "exchange")


def test_prometheus_of_its_profile_finds_each_replica_of_the_dialers(project):
    images = docker("image", "ls", "--format", "{{.Repository}}").split()
    programs = [each for each in ("prometheus", "alertmanager") if f"prom/{each}" in images]
    if "prometheus" not in programs:
        pytest.skip("NOT TESTED: there is no image of Prometheus, nor Debian's program")
    print("LEFT OUT: Grafana, of which there is no program here")
    project("--profile", "monitoring", "up", "--detach", "--wait", *programs)

    def value(query):
        answer = httpx.get(f"http://{project.prometheus}/api/v1/query", params={"query": query})
        found = answer.json()["data"]["result"]
        return float(found[0]["value"][1]) if found else 0

    def answering(dialers):
        processes = PROCESSES + API + dialers
        return value("count(up == 1)") == processes == value("count(up)")

    project("up", "--detach", "--wait", "--no-recreate", "--scale", "dialer-dial=3")
    wait_until(lambda: answering(3), "Prometheus has not found three dialers")
    wait_until(lambda: value("sum(cato_channels{state='configured'})") == 3 * 30, "channels of three dialers")
    project("up", "--detach", "--wait", "--no-recreate", "--scale", "dialer-dial=1")
    wait_until(lambda: answering(1), "Prometheus has not forgotten two dialers")
    project("--profile", "monitoring", "rm", "--stop", "--force", *programs)
