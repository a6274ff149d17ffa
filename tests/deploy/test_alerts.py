"""The alert rules, with the tool of Prometheus."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

RULES = Path(__file__).parents[2] / "deploy/prometheus"
PROMTOOL = shutil.which("promtool")

pytestmark = pytest.mark.skipif(
    PROMTOOL is None, reason="NOT TESTED: promtool is not installed (Debian package prometheus), the alerts"
)


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
        cwd=RULES,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_has_a_test_that_it_fires_and_one_that_it_does_not():
    rules = yaml.safe_load((RULES / "cato-rules.yml").read_text())["groups"]
    tests = yaml.safe_load((RULES / "cato-rules.test.yml").read_text())["tests"]
    alerts = [rule["alert"] for group in rules for rule in group["rules"]]
    assert [test["name"] for test in tests] == [
        f"{alert} {what}" for alert in alerts for what in ("fires", "does not fire")
    ]
    for test in tests:
        (expected,) = test["alert_rule_test"]
        assert bool(expected["exp_alerts"]) is test["name"].endswith(" fires")
        assert test["name"].startswith(f"{expected['alertname']} ")
