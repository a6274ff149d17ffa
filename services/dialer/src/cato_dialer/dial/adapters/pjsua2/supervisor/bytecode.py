"""Compile the bindings of the library, 15,000 lines of Python, once for all workers.

Without stored bytecode (an installer that leaves it to the first import and a read-only directory, or
PYTHONDONTWRITEBYTECODE) compiling costs every worker a third of a second and 20 MB.
"""

import importlib.util
import os
from pathlib import Path
from tempfile import TemporaryDirectory

_UNWANTED = "PYTHONDONTWRITEBYTECODE"


class BytecodeCache:
    """A temporary directory for compiled modules, if one is needed."""

    def __init__(self) -> None:
        self._directory = None if _bindings_are_compiled() else TemporaryDirectory(prefix="cato-sip-")

    @property
    def options(self) -> tuple[str, ...]:
        """The options for the command line of the interpreter."""
        return () if self._directory is None else ("-X", f"pycache_prefix={self._directory.name}")

    @property
    def environment(self) -> dict[str, str]:
        return {
            name: value for name, value in os.environ.items() if self._directory is None or name != _UNWANTED
        }

    def close(self) -> None:
        if self._directory is not None:
            self._directory.cleanup()


def _bindings_are_compiled() -> bool:
    package = importlib.util.find_spec("pjsua2")
    if package is None or package.origin is None:
        return True
    bindings = Path(package.origin).with_name("pjsua2.py")
    return Path(importlib.util.cache_from_source(str(bindings))).exists()
