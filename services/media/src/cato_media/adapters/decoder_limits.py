"""The limits of a decoder process, which reads untrusted files."""

import os
import resource
from collections.abc import Callable

from cato_runtime.process.child_process import die_with_parent

_MEMORY_BYTES = 768 * 1024 * 1024
"""Address space. ffmpeg uses about 35 MB of memory, but its threads reserve stacks and arenas."""

_FILES = 32


def confined(cpu_seconds: int) -> Callable[[], None]:
    """Return a `preexec_fn` that limits processor time, memory and files, and forbids writing to files."""
    limits = (
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _FILES),
        (resource.RLIMIT_CORE, 0),
    )

    def confine() -> None:
        die_with_parent()
        os.nice(5)
        for limit, value in limits:
            resource.setrlimit(limit, (value, value))

    return confine


ENVIRONMENT = {"LC_ALL": "C", "MALLOC_ARENA_MAX": "2"}
"""Without the environment of the service, which may contain secrets."""
