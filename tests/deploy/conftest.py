"""The deployment as data: manifests built by kustomize, and other files as written."""

import importlib
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
import yaml
from pydantic_settings import BaseSettings

from cato_runtime.configuration.reference import variables

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def known_variables():
    """All CATO_* variables of the settings classes of all services."""
    names = set()
    files = [*ROOT.glob("libs/runtime/src/**/settings.py"), *ROOT.glob("services/*/src/*/settings.py")]
    for file in files:
        parts = file.with_suffix("").parts
        module = importlib.import_module(".".join(parts[parts.index("src") + 1 :]))
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, BaseSettings) and value is not BaseSettings:
                names |= {name for name, _ in variables(value)}
    return names


@pytest.fixture(scope="session")
def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def kustomize_command():
    for program, command in (("kustomize", ["build"]), ("kubectl", ["kustomize"])):
        if found := shutil.which(program):
            return [found, *command]
    return None


@pytest.fixture(scope="session", params=["dev", "production", "pinned", "plain"])
def manifests(request, tmp_path_factory):
    """The objects of an overlay, built without access to a cluster."""
    command = kustomize_command()
    if command is None:
        pytest.skip(
            "NOT TESTED: neither kustomize nor kubectl is installed, the built manifests are not checked"
        )
    environment = {**os.environ, "KUBECONFIG": os.devnull, "HOME": str(tmp_path_factory.mktemp("home"))}
    built = subprocess.run(
        [*command, str(ROOT / "deploy/k8s/overlays" / request.param)],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return Manifests(request.param, list(yaml.safe_load_all(built.stdout)))


class Manifests:
    def __init__(self, overlay, objects):
        self.overlay = overlay
        self.objects = objects

    def of(self, kind):
        return {each["metadata"]["name"]: each for each in self.objects if each["kind"] == kind}

    @property
    def workloads(self):
        return self.of("Deployment") | self.of("StatefulSet")

    @property
    def services(self):
        """Return the pod specifications of the services, by name."""
        return {name: each["spec"]["template"]["spec"] for name, each in self.of("Deployment").items()}

    def data(self, prefix):
        (found,) = [each["data"] for name, each in self.of("ConfigMap").items() if name.startswith(prefix)]
        return found


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
