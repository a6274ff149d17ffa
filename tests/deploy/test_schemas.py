"""The built objects against the schemas of Kubernetes, KEDA and the Prometheus operator.

`make deploy-tools` installs the tools. The models of other projects' objects are made from their schemas.
They ignore unknown fields, so an object must also be the same after it was read into its model.
"""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / "build/deploy-tools/bin/python"
VERSIONS = ("1.30", "1.31", "1.32", "1.33")
OTHERS = {
    "keda.sh": "cloudcoil.models.keda",
    "monitoring.coreos.com": "cloudcoil.models.prometheus_operator",
}
"""The groups of other projects' objects, and the models of them."""
UNCHECKED = "gateway.networking.k8s.io"
"""No package has the schema of this group."""
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
READ = """
import importlib, json, sys
models = json.loads(sys.argv[1])
for each in json.load(sys.stdin):
    group, version = each["apiVersion"].split("/")
    model = getattr(importlib.import_module(f"{models[group]}.{version}"), each["kind"])
    try:
        read = model.model_validate(each).model_dump(mode="json", by_alias=True, exclude_unset=True)
    except Exception as error:
        print(each["kind"], each["metadata"]["name"], str(error)[:500])
    else:
        if read != each:
            print(each["kind"], each["metadata"]["name"], "has fields that its schema has not")
"""

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="NOT TESTED: kubernetes-validate is not installed (make deploy-tools)"
)


def printed(program, objects, *arguments):
    """What the program prints about the objects: nothing is well."""
    done = subprocess.run(
        [PYTHON, "-c", program, *arguments],
        input=json.dumps(objects),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def group(each):
    return each["apiVersion"].partition("/")[0]


@pytest.mark.timeout(120)
def test_objects_are_valid_for_four_versions_of_kubernetes(manifests):
    checked = [each for each in manifests.objects if group(each) not in {*OTHERS, UNCHECKED}]
    assert len(checked) > 25
    assert not printed(VALIDATE, checked, *VERSIONS)


@pytest.mark.timeout(120)
def test_objects_of_keda_and_the_prometheus_operator_are_valid(manifests):
    checked = [each for each in manifests.objects if group(each) in OTHERS]
    if manifests.overlay == "production":
        assert {each["kind"] for each in checked} >= {"ScaledObject", "PodMonitor", "PrometheusRule"}
    assert not printed(READ, checked, json.dumps(OTHERS))


@pytest.mark.parametrize("manifests", ["production"], indirect=True)
@pytest.mark.parametrize(
    "change",
    [
        lambda spec: spec["triggers"][0].pop("type"),
        lambda spec: spec.update(maxReplicas=3),
        lambda spec: spec.update(pollingInterval="often"),
    ],
)
def test_a_faulty_object_of_keda_is_found(manifests, change):
    (target,) = manifests.of("ScaledObject").values()
    target = json.loads(json.dumps(target))
    change(target["spec"])
    assert "ScaledObject dialer-dial" in printed(READ, [target], json.dumps(OTHERS))


def test_strings_that_look_like_numbers_are_strings(manifests):
    for workload in manifests.workloads.values():
        for container in workload["spec"]["template"]["spec"]["containers"]:
            for each in container.get("env", ()):
                assert isinstance(each.get("value", ""), str), yaml.safe_dump(each)
