"""Configuration of hypothesis and of the logs for all tests."""

import logging
import os

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

# The level of production. In virtual time, lines of the level DEBUG took half of the processor time.
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
