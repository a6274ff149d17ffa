"""Configuration of hypothesis, of the logs and of the garbage collector for all tests."""

import gc
import logging
import os

import pytest
import structlog
from hypothesis import HealthCheck, settings

# Examples have no deadline, because a busy machine is no failure. In CI the same
# examples run each time; elsewhere new ones.
settings.register_profile(
    "cato",
    deadline=None,
    print_blob=True,
    derandomize=os.environ.get("CI") == "true",
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("cato")

# What the imports make stays: until all tests are collected there is no garbage worth looking for.
gc.disable()

# The level of production: in virtual time, lines of the level DEBUG took half of the processor time. The
# renderer's own tracebacks show all local variables, which takes seconds for an error of the gateway.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ],
    wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Have the collector leave out what all imports have made, and run less often: a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()
