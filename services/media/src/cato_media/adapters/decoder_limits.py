"""What a decoder process may take: it reads what strangers send."""

import os
import resource
from collections.abc import Callable

from cato_runtime.child_process import die_with_parent

_MEMORY_BYTES = 768 * 1024 * 1024
"""Address space, not memory: ffmpeg uses about 35 MB, but its threads reserve stacks and arenas."""

_FILES = 32


def confined(cpu_seconds: int) -> Callable[[], None]:
    """Return a `preexec_fn` that bounds processor time, memory and files, and forbids writing files."""
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
"""Nothing of the service's own environment, which may hold secrets."""
