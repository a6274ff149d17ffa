import pytest

from services.dialer.tests.support.dial_world import Kit


@pytest.fixture(scope="session")
def kit() -> Kit:
    return Kit()
