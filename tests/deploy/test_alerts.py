"""The alert rules, the compose profile `monitoring`, and how Prometheus finds each process."""

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import httpx
import pytest
import yaml

from cato_runtime.scrape_targets import scrape_target
from tests.support.live_system import begin, end

ROOT = Path(__file__).parents[2]
FILES = ROOT / "deploy/prometheus"
GRAFANA = ROOT / "deploy/grafana"
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
PATIENCE_S = 60
PROMTOOL = shutil.which("promtool")

needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="NOT TESTED: promtool is not installed (Debian package prometheus), the alerts"
)


def mounts(name):
    """Return the files and volumes of a service by their place in the container."""
    found = {}
    for volume in SERVICES[name]["volumes"]:
        source, place = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", volume).split(":")[:2]
        found[place] = source
    return found


def test_prometheus_reads_the_targets_that_the_services_write():
    config = yaml.safe_load((FILES / "compose.yml").read_text())
    (job,) = config["scrape_configs"]
    (files,) = job["file_sd_configs"][0]["files"]
    places = mounts("prometheus")
    directory = str(Path(files).parent)
    for name in ("media", "dialer-campaign", "dialer-dial", "reporting", "api-gateway"):
        assert SERVICES[name]["environment"]["CATO_SCRAPE_TARGETS"] == directory
        volumes = SERVICES[name]["volumes"]
        assert f"{places[directory]}:{directory}" in volumes, name
    assert {f"/etc/prometheus/{each}" for each in config["rule_files"]} <= set(places)


@pytest.mark.parametrize(
    ("program", "arguments", "files"),
    [
        ("promtool", ["check", "config"], ["compose.yml", "cato-rules.yml"]),
        ("promtool", ["check", "config"], ["prometheus.yml", "cato-rules.yml"]),
        ("amtool", ["check-config"], ["alertmanager.yml"]),
    ],
)
def test_configuration_is_accepted(program, arguments, files, tmp_path):
    if shutil.which(program) is None:
        pytest.skip(f"NOT TESTED: {program} (Debian packages prometheus, prometheus-alertmanager) is missing")
    for each in files:
        shutil.copy(FILES / each, tmp_path)
    command = [program, *arguments, str(tmp_path / files[0])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_grafana_gets_its_sources_and_our_dashboards():
    places = mounts("grafana")
    provisioning = ROOT / places["/etc/grafana/provisioning"]
    (provider,) = yaml.safe_load((provisioning / "dashboards/cato.yml").read_text())["providers"]
    directory = ROOT / places[provider["options"]["path"]]
    sources = yaml.safe_load((provisioning / "datasources/cato.yml").read_text())["datasources"]
    kinds = {each["type"] for each in sources}
    dashboards = [json.loads(each.read_text()) for each in directory.glob("*.json")]
    assert {each["uid"] for each in dashboards} == {"cato-operations", "cato-business"}
    # Each dashboard takes the only source of the kind that it asks for.
    for dashboard in dashboards:
        wanted = {each["query"] for each in dashboard["templating"]["list"] if each["type"] == "datasource"}
        assert wanted
        assert wanted <= kinds
    assert len(kinds) == len(sources)
    used = set(re.findall(r"\$(\w+)", (provisioning / "datasources/cato.yml").read_text()))
    assert used <= set(SERVICES["grafana"]["environment"])


@pytest.mark.skipif(
    shutil.which("prometheus") is None,
    reason="NOT TESTED: Prometheus (Debian package prometheus) is missing: discovery",
)
def test_prometheus_finds_each_replica_while_it_runs(tmp_path, free_port):
    targets = tmp_path / "targets"
    text = (FILES / "compose.yml").read_text().replace("/run/cato-targets", str(targets))
    shutil.copy(FILES / "cato-rules.yml", tmp_path)
    (tmp_path / "prometheus.yml").write_text(text.replace("refresh_interval: 15s", "refresh_interval: 1s"))
    command = ["prometheus", f"--config.file={tmp_path}/prometheus.yml"]
    command += [f"--storage.tsdb.path={tmp_path}/data", f"--web.listen-address=127.0.0.1:{free_port}"]
    with (tmp_path / "log").open("w") as log:
        process = begin(command, stdout=subprocess.DEVNULL, stderr=log)
        try:
            with scrape_target(targets, "dialer-dial", "127.0.0.1", 1):
                with scrape_target(targets, "media", "127.0.0.1", 2):
                    await_targets(free_port, {"dialer-dial 127.0.0.1:1", "media 127.0.0.1:2"})
                await_targets(free_port, {"dialer-dial 127.0.0.1:1"})
        finally:
            end(process)


def await_targets(port, wanted):
    """Return when Prometheus has these targets, besides the API."""
    deadline = time.monotonic() + PATIENCE_S
    found = None
    while found != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
        try:
            answer = httpx.get(f"http://127.0.0.1:{port}/api/v1/targets")
        except httpx.TransportError:
            continue
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            continue  # it listens before it is ready
        labels = [each["discoveredLabels"] for each in answer.json()["data"]["activeTargets"]]
        found = {f"{each['service']} {each['__address__']}" for each in labels} - {
            "api-gateway 127.0.0.1:8080"
        }


@needs_promtool
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("command", "file"),
    [(["check", "rules"], "cato-rules.yml"), (["test", "rules"], "cato-rules.test.yml")],
)
def test_rules_are_valid_and_each_alert_fires_and_does_not_fire(command, file):
    # A larger heap, so that the program looks for garbage less often.
    environment = {**os.environ, "GOGC": "400"}
    done = subprocess.run(
        [PROMTOOL, *command, file],
        cwd=FILES,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_has_a_test_that_it_fires_and_one_that_it_does_not():
    rules = yaml.safe_load((FILES / "cato-rules.yml").read_text())["groups"]
    tests = yaml.safe_load((FILES / "cato-rules.test.yml").read_text())["tests"]
    alerts = [rule["alert"] for group in rules for rule in group["rules"]]
    assert [test["name"] for test in tests] == [
        f"{alert} {what}" for alert in alerts for what in ("fires", "does not fire")
    ]
    for test in tests:
        (expected,) = test["alert_rule_test"]
        assert bool(expected["exp_alerts"]) is test["name"].endswith(" fires")
        assert test["name"].startswith(f"{expected['alertname']} ")
