"""Children that do not outlive their parent, and their end."""

import asyncio.subprocess
import contextlib
import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: between fork and exec nothing may be imported.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent() -> None:
    """Have the kernel end this process when its parent dies (Linux only); for use as a `preexec_fn`."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


async def kill(process: asyncio.subprocess.Process) -> int:
    """Kill a process, unless it has ended, and return its exit code.

    `Process.wait` also waits for the end of the pipes. The pipe of an output that nobody reads any more may
    be paused, and then it never ends. So the rest of the output is read, too. Nothing else may read it now.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    if process.stdout is not None:
        await process.stdout.read()
    return await process.wait()
