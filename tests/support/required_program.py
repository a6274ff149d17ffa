"""Programs that some tests need and that pip does not install."""

import os

import pytest


def require_program(program: str | None, name: str, package: str) -> None:
    """Skip the test with a warning if the program is missing; in CI the test fails instead."""
    if program is None:
        reason = f"NOT TESTED: {name} (Debian package {package}) is missing"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
