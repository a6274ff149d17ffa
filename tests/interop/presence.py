"""What these tests need from the system, and what happens where it is missing."""

import os

import pytest


def needed(program: str | None, name: str, package: str) -> None:
    """Leave a test out loudly without the program; where everything is to be tested, it fails."""
    if program is None:
        reason = f"NOT TESTED: {name} (Debian package {package}) is missing"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
