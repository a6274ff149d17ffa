"""A real Prometheus scrapes a run: what rules and dashboards ask for is there, with the right values."""

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.support.live_system import PROMPT, LiveExchange, LiveStack, begin, end, free_port

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy/prometheus"

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None,
    reason="NOT TESTED: Prometheus (Debian package prometheus) is missing: the metrics",
)

PEOPLE = ["1001", "1002", "2001", "2101", "2201"]
"""Two listen, one is busy, one does not answer, one number does not exist."""
VALUES = {
    'up{job="cato"}': 1,
    "min(cato_ready)": 1,
    "max(cato_draining)": 0,
    "min(cato_broker_connected)": 1,
    "min(cato_broker_storing)": 1,
    "count(count by (version) (cato_build_info))": 1,
    "sum(cato_calls_started_total)": 5,
    'sum(cato_calls_ended_total{success="true"})': 2,
    'sum(cato_calls_ended_total{reason="busy"})': 1,
    'sum(cato_calls_ended_total{reason="no-answer"})': 1,
    'sum(cato_sip_responses_total{code="486"})': 1,
    'sum(cato_sip_responses_total{code="404"})': 1,
    'sum(cato_subscriber_results_total{notified="true"})': 2,
    "sum(cato_call_answer_seconds_count)": 2,
    "sum(cato_call_talk_seconds_count)": 2,
    "sum(cato_calls_in_progress)": 0,
    "sum(cato_jobs_in_hand)": 0,
    "max(cato_runs_in_progress)": 0,
    'max(cato_stream_messages{stream="DIAL"})': 0,
    'max(cato_stream_messages{stream="DEAD"})': 0,
    'sum(cato_channels{state="configured"})': 20,
    'sum(cato_channels{state="in-use"})': 0,
    'max(cato_license_channels{state="configured"})': 100,
    "min(cato_station_up)": 1,
    "max(cato_station_registered)": 1,
    'sum(cato_registrations_total{outcome="succeeded"})': 1,
    "sum(cato_sip_worker_deaths_total)": 0,
    "min(cato_reporting_read_model_up)": 1,
    "sum(cato_reporting_dead_letters_total)": 0,
    'sum(cato_http_requests_total{route="/api/v1/tasks/{id}/start",status="200"})': 1,
    # Rules that are firing have series, others have none.
    'count(ALERTS{alertstate="firing"}) or vector(0)': 0,
}
"""What holds after the run, which is the first one of the system."""


def names_asked_for() -> set[str]:
    """Return the metrics in the expressions of rules and dashboards."""
    expressions: list[str] = []

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            expressions.extend(
                value for key, value in part.items() if key == "expr" and isinstance(value, str)
            )
        for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            walk(inner)

    walk(yaml.safe_load((PROMETHEUS / "cato-rules.yml").read_text()))
    for file in sorted((ROOT / "deploy/grafana").glob("*.json")):
        walk(json.loads(file.read_text()))
    return {name for text in expressions for name in re.findall(r"\b(?:(?:cato|process)_\w+|up)\b", text)}


class Prometheus:
    """The program with our files; it scrapes the system once a second."""

    def __init__(self, directory: Path, target: str) -> None:
        shutil.copy(PROMETHEUS / "cato-rules.yml", directory)
        text = (PROMETHEUS / "prometheus.yml").read_text().replace("127.0.0.1:8080", target)
        (directory / "prometheus.yml").write_text(text.replace("15s", "1s"))
        address = f"127.0.0.1:{free_port(socket.SOCK_STREAM)}"
        command = ["prometheus", f"--config.file={directory}/prometheus.yml"]
        command += [f"--storage.tsdb.path={directory}/data", f"--web.listen-address={address}"]
        self._log = (directory / "prometheus.log").open("w")
        self._process = begin(command, stdout=subprocess.DEVNULL, stderr=self._log)
        self._http = httpx.Client(base_url=f"http://{address}/api/v1", timeout=10)

    def value(self, query: str) -> float | None:
        """Return the only value of a query; None: it has none yet."""
        try:
            answer = self._http.get("/query", params={"query": query})
        except httpx.TransportError:
            return None
        assert answer.is_success, (query, answer.text)
        found = answer.json()["data"]["result"]
        assert len(found) <= 1, (query, found)
        return float(found[0]["value"][1]) if found else None

    def stop(self) -> None:
        self._http.close()
        end(self._process)
        self._log.close()


@pytest.fixture
def system(tmp_path: Path) -> Iterator[LiveStack]:
    plan = yaml.safe_load((ROOT / "tests/support/number_plan.yaml").read_text())
    plan["registration"] = {"username": "cato", "password": "secret"}
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan))
    (tmp_path / "password").write_text("secret")
    exchange = LiveExchange(tmp_path / "exchange", plan=tmp_path / "plan.yaml")
    exchange.start()
    login = {"username": "cato", "passwordFile": str(tmp_path / "password")}
    station = {
        "name": "exchange",
        "uri": f"sip:127.0.0.1:{exchange.port};transport=udp",
        "channels": 20,
        "auth": login,
        "register": True,
    }
    stack = LiveStack(tmp_path / "stack", exchange.port, config={"stations": [station]})
    stack.start()
    yield stack
    stack.stop()
    exchange.stop()


@pytest.mark.timeout(240)
def test_metrics_of_rules_and_dashboards_have_the_right_values_after_a_run(system, tmp_path):
    prometheus = Prometheus(tmp_path, system.url.removeprefix("http://"))
    try:
        client = system.client()
        prompt = client.add_prompt("prompt", PROMPT.read_bytes())
        people = [{"fullName": f"Person {number}", "phones": [number], "emails": ""} for number in PEOPLE]
        task = client.make_task(people, files=[prompt["id"]])
        report = client.finished(client.start(task))["report"]
        client.http.close()
        assert report["subscriberNotified"] == 2, report
        missing, wrong = names_asked_for(), dict(VALUES)
        assert len(missing) > 50
        deadline = time.monotonic() + 60
        while (missing or wrong) and time.monotonic() < deadline:
            missing = {name for name in missing if prometheus.value(f"count({name})") is None}
            seen = {query: prometheus.value(query) for query in wrong}
            wrong = {query: value for query, value in seen.items() if value != VALUES[query]}
            time.sleep(0.5)
        assert (missing, wrong) == (set(), {})
    finally:
        prometheus.stop()
