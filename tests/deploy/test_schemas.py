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
PROGRAM = """
import functools, importlib, json, sys
import kubernetes_validate

# Otherwise the definitions of a version are parsed for each object.
kubernetes_validate.utils.schema_contents = functools.cache(kubernetes_validate.utils.schema_contents)

def validate(objects, versions):
    for version in versions:
        for each in objects:
            try:
                kubernetes_validate.validate(each, version, strict=True)
            except Exception as error:
                yield f"{version} {each['kind']} {each['metadata']['name']} {str(error)[:500]}"

def read(objects, models):
    for each in objects:
        group, version = each["apiVersion"].split("/")
        model = getattr(importlib.import_module(f"{models[group]}.{version}"), each["kind"])
        try:
            read = model.model_validate(each).model_dump(mode="json", by_alias=True, exclude_unset=True)
        except Exception as error:
            yield f"{each['kind']} {each['metadata']['name']} {str(error)[:500]}"
        else:
            if read != each:
                yield f"{each['kind']} {each['metadata']['name']} has fields that its schema has not"

for line in sys.stdin:
    check, objects, argument = json.loads(line)
    print(json.dumps(list({"validate": validate, "read": read}[check](objects, argument))), flush=True)
"""

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="NOT TESTED: kubernetes-validate is not installed (make deploy-tools)"
)


@pytest.fixture(scope="module")
def faults():
    """Return the faults that a check finds in objects.

    One process checks all of them, because loading the models takes seconds.
    """
    with subprocess.Popen(
        [PYTHON, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as checker:

        def found(check, objects, argument):
            print(json.dumps([check, objects, argument]), file=checker.stdin, flush=True)
            return json.loads(checker.stdout.readline())

        yield found
        checker.stdin.close()
        assert checker.wait(30) == 0


def group(each):
    return each["apiVersion"].partition("/")[0]


@pytest.mark.timeout(120)
def test_objects_are_valid_for_four_versions_of_kubernetes(manifests, faults):
    checked = [each for each in manifests.objects if group(each) not in {*OTHERS, UNCHECKED}]
    assert len(checked) > 25
    assert faults("validate", checked, VERSIONS) == []


@pytest.mark.timeout(120)
def test_objects_of_keda_and_the_prometheus_operator_are_valid(manifests, faults):
    checked = [each for each in manifests.objects if group(each) in OTHERS]
    if manifests.overlay == "production":
        assert {each["kind"] for each in checked} >= {"ScaledObject", "PodMonitor", "PrometheusRule"}
    assert faults("read", checked, OTHERS) == []


@pytest.mark.parametrize("manifests", ["production"], indirect=True)
@pytest.mark.parametrize(
    "change",
    [
        lambda spec: spec["triggers"][0].pop("type"),
        lambda spec: spec.update(maxReplicas=3),
        lambda spec: spec.update(pollingInterval="often"),
    ],
)
def test_a_faulty_object_of_keda_is_found(manifests, faults, change):
    (target,) = manifests.of("ScaledObject").values()
    target = json.loads(json.dumps(target))
    change(target["spec"])
    (found,) = faults("read", [target], OTHERS)
    assert found.startswith("ScaledObject dialer-dial ")


def test_strings_that_look_like_numbers_are_strings(manifests):
    for workload in manifests.workloads.values():
        for container in workload["spec"]["template"]["spec"]["containers"]:
            for each in container.get("env", ()):
                assert isinstance(each.get("value", ""), str), yaml.safe_dump(each)
