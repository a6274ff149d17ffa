"""Setting up with `make`: the Python, the virtual environment, the place of the tree."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(shutil.which("make") is None, reason="there is no make"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A directory with blanks and Cyrillic letters in its name, with the Makefile."""
    directory = tmp_path / "Каталог с пробелами"
    directory.mkdir()
    shutil.copy(ROOT / "Makefile", directory)
    return directory


def make(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    left_out = {"MAKEFLAGS", "MAKELEVEL", "PYTHON", "UV_SYSTEM_CERTS"}
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    return subprocess.run(
        ["make", *arguments], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def has_pip(tree: Path) -> bool:
    command = [tree / ".venv/bin/python", "-m", "pip", "--version"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_s4_an_environment_without_pip_is_made_again(tree: Path):
    # What `python3 -m venv` leaves behind where the package with ensurepip is missing.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tree / ".venv"], check=True)
    assert not has_pip(tree)
    made = make(tree, "venv", f"PYTHON={sys.executable}")
    assert made.returncode == 0, made.stderr
    assert has_pip(tree)
    kept = (tree / ".venv/pyvenv.cfg").stat().st_ino
    assert make(tree, "venv", f"PYTHON={sys.executable}").returncode == 0
    assert (tree / ".venv/pyvenv.cfg").stat().st_ino == kept


def test_s4_a_failed_environment_leaves_nothing_and_is_explained(tree: Path):
    program(
        tree / "python", f'case "$1" in -m) mkdir -p .venv/bin; exit 1;; esac\nexec "{sys.executable}" "$@"'
    )
    made = make(tree, "venv", "PYTHON=./python")
    assert made.returncode != 0
    assert "python3-venv" in made.stderr
    assert not (tree / ".venv").exists()


@pytest.mark.parametrize("version", ["3.10.13", "3.13.0"])
def test_s6_another_python_is_refused_with_a_clear_word(tree: Path, version: str):
    program(tree / "python", f'case "$1" in --version) echo Python {version};; *) exit 1;; esac')
    made = make(tree, "venv", "PYTHON=./python")
    assert made.returncode != 0
    assert f"CATO needs Python 3.11 or 3.12, and './python' is Python {version}" in made.stderr
    assert not (tree / ".venv").exists()


def test_s5_uv_uses_the_certificates_of_the_system(tree: Path):
    printed = make(tree, "--print-data-base", "--question", "venv")
    assert "UV_SYSTEM_CERTS = true" in printed.stdout.splitlines()


def test_s6_the_packages_name_the_pythons_that_the_makefile_takes():
    packages = [*ROOT.glob("*/pyproject.toml"), *ROOT.glob("*/*/pyproject.toml"), ROOT / "pyproject.toml"]
    assert len(packages) > 8
    for package in packages:
        assert 'requires-python = ">=3.11,<3.13"' in package.read_text(), package
