"""The kustomization files: they list existing files, and list all of them."""

from pathlib import Path

import pytest
import yaml

K8S = Path(__file__).parents[2] / "deploy/k8s"
KUSTOMIZATIONS = sorted(K8S.rglob("kustomization.yaml"))


def loaded(path):
    return yaml.safe_load(path.read_text())


def named_paths(kustomization):
    yield from kustomization.get("resources", ())
    yield from kustomization.get("components", ())
    for patch in kustomization.get("patches", ()):
        if "path" in patch:
            yield patch["path"]
    for generator in kustomization.get("configMapGenerator", ()):
        yield from generator.get("files", ())


@pytest.mark.parametrize("path", sorted(K8S.rglob("*.yaml")), ids=lambda path: str(path.relative_to(K8S)))
def test_each_file_is_yaml(path):
    assert all(isinstance(each, dict) for each in yaml.safe_load_all(path.read_text()))


@pytest.mark.parametrize("path", KUSTOMIZATIONS, ids=lambda path: str(path.parent.relative_to(K8S)))
def test_files_listed_in_a_kustomization_exist(path):
    missing = [name for name in named_paths(loaded(path)) if not (path.parent / name).exists()]
    assert missing == []


@pytest.mark.parametrize("path", KUSTOMIZATIONS, ids=lambda path: str(path.parent.relative_to(K8S)))
def test_each_file_is_listed_in_a_kustomization(path):
    named = {(path.parent / name).resolve() for name in named_paths(loaded(path))}
    there = {file.resolve() for file in path.parent.rglob("*") if file.is_file() and file != path}
    assert there <= named
