"""The built objects against the schemas of Kubernetes (`make deploy-tools` installs the tool)."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / "build/deploy-tools/bin/python"
VERSIONS = ("1.30", "1.31", "1.32", "1.33")
OTHERS = {"PodMonitor", "PrometheusRule", "ScaledObject", "HTTPRoute"}
"""Kinds of other projects, whose schemas the tool does not have."""
VALIDATE = """
import json, sys
import kubernetes_validate
objects = json.load(sys.stdin)
for version in sys.argv[1:]:
    for each in objects:
        try:
            kubernetes_validate.validate(each, version, strict=True)
        except Exception as error:
            print(version, each["kind"], each["metadata"]["name"], str(error)[:500])
"""

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="NOT TESTED: kubernetes-validate is not installed (make deploy-tools)"
)


@pytest.mark.timeout(120)
def test_objects_are_valid_for_four_versions_of_kubernetes(manifests):
    checked = [each for each in manifests.objects if each["kind"] not in OTHERS]
    assert len(checked) > 25
    done = subprocess.run(
        [PYTHON, "-c", VALIDATE, *VERSIONS],
        input=json.dumps(checked),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_strings_that_look_like_numbers_are_strings(manifests):
    for workload in manifests.workloads.values():
        for container in workload["spec"]["template"]["spec"]["containers"]:
            for each in container.get("env", ()):
                assert isinstance(each.get("value", ""), str), yaml.safe_dump(each)
