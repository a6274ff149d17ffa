"""The release that a process belongs to."""

import os
from importlib.metadata import version


def release() -> str:
    """Return the version that the image was built as (`CATO_VERSION`), else that of the installed package."""
    return os.environ.get("CATO_VERSION") or version("cato-runtime")
