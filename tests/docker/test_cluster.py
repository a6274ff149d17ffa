"""The production overlay as containers: three brokers, two of each service, restarts during calls."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from cato_runtime.access.permissions import BrokerUser
from tests.deploy.conftest import kustomize_command
from tests.docker.cluster import Cluster
from tests.docker.engine import ROOT, SERVICES, docker, run
from tests.docker.pods import Objects
from tests.docker.runs import Exchange, Run, client_of

pytestmark = pytest.mark.timeout(1800)

TOKEN = "token-of-the-test"
SECRETS = {
    "app-token": TOKEN,
    "operations-token": "token-of-operations",
    "station-password": "station-secret",
    "spare-station-password": "spare-secret",
    **{f"nats-password-{user}": f"secret-of-{user}" for user in BrokerUser},
    "nats-route-password": "route-secret",
    "clickhouse-password": "tables-secret",
}
STATIONS = ("sip.example.org", "sip.example.net")
"""The stations of the overlay; the exchange takes the place of both."""
CHANNELS = {"channels: 30": "channels: 6", "channels: 10": "channels: 2"}
"""Fewer than in the overlay, so that the calls outlast the restarts."""


def filled_in(directory: Path) -> list[dict]:
    """Render the overlay with what docs/operations.md says to fill in: images, secrets, stations."""
    directory.mkdir()
    text = (ROOT / "deploy/k8s/base/config/cato.yaml").read_text()
    for given, wanted in CHANNELS.items():
        text = text.replace(given, wanted)
    (directory / "cato.yaml").write_text(text)
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "cato-secrets"},
        "stringData": SECRETS,
    }
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "cato",
        "resources": [os.path.relpath(ROOT / "deploy/k8s/overlays/production", directory)],
        "configMapGenerator": [{"name": "cato-config", "behavior": "replace", "files": ["cato.yaml"]}],
        "patches": [{"patch": json.dumps(secret)}],
        "images": [{"name": f"cato/{service}", "newTag": "latest"} for service in SERVICES],
    }
    (directory / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    command = kustomize_command()
    assert command is not None, "neither kustomize nor kubectl is installed"
    environment = {**os.environ, "KUBECONFIG": os.devnull}
    return list(yaml.safe_load_all(run([*command, str(directory)], env=environment)))


@pytest.fixture
def cluster(docker_engine, tmp_path):
    for service in SERVICES:
        docker(
            "build",
            "--quiet",
            "-f",
            f"services/{service}/Dockerfile",
            "-t",
            f"cato/{service}",
            str(ROOT),
            timeout=1500,
        )
    objects = Objects(filled_in(tmp_path / "overlay"))
    made = Cluster(
        objects, tmp_path, f"cato-test-{os.getpid()}", entry="api-gateway", hosts=STATIONS, replicas=2
    )
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def exchange(cluster, tmp_path):
    made = Exchange(tmp_path / "exchange")
    made.start_at(cluster.address, 5060, [])
    yield made
    made.stop()


def test_rolling_restart_of_every_workload_loses_no_call(cluster, exchange):
    started = time.monotonic()
    cluster.start()
    print(f"{sum(map(len, cluster.pods.values()))} pods were ready after {time.monotonic() - started:.0f} s")
    counts = {name: len(pods) for name, pods in cluster.pods.items()}
    assert counts == {
        "nats": 3,
        "clickhouse": 1,
        "media": 2,
        "dialer-campaign": 2,
        "dialer-dial": 2,
        "reporting": 1,
        "api-gateway": 2,
        "console": 1,
    }
    client = client_of(f"http://{cluster.address}", TOKEN)
    called = Run(client, 90, first=100)
    called.await_calls(client, reached=4)
    started = time.monotonic()
    with ThreadPoolExecutor(len(counts)) as threads:
        list(threads.map(cluster.restart, counts))
    print(f"every workload was restarted in {time.monotonic() - started:.0f} s")
    reached = client.report(called.id)["subscriberNotified"]
    called.assert_each_was_called_once(client, exchange)
    assert reached < 90, "the calls had ended before the restarts"
    ours = {
        name: code for name, code in cluster.exit_codes.items() if not name.startswith(("nats", "clickhouse"))
    }
    assert ours == dict.fromkeys(ours, 0), "a service did not end by itself"
    client.http.close()
