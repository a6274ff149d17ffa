"""Configuration of hypothesis for all tests."""

import os

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
