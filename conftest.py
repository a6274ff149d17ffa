"""What all tests share: how hypothesis works."""

import os

from hypothesis import HealthCheck, settings

# A busy machine is no failure: examples have no deadline, and slow generation is none either. In CI the same
# examples are tried at every run; elsewhere new ones are.
settings.register_profile(
    "cato",
    deadline=None,
    print_blob=True,
    derandomize=os.environ.get("CI") == "true",
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("cato")
