"""Facts about the machine on which the figures were measured."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from cato_runtime.configuration.config import DialingConfig

_PJSIP = "import pjsua2; e = pjsua2.Endpoint(); e.libCreate(); print('VERSION', e.libVersion().full)"


def facts() -> dict[str, str]:
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{os.cpu_count()} cores, {_processor()}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GB",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "PJSIP": f"{_pjsip()} (pjsua2-python {version('pjsua2-python')})",
        "calls per worker": str(DialingConfig().calls_per_worker),
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _pjsip() -> str:
    # In a separate process, because the library cannot be unloaded.
    done = subprocess.run(
        [sys.executable, "-c", _PJSIP], capture_output=True, text=True, timeout=20, check=False
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("VERSION ")]
    return lines[0].split()[1] if lines else "unknown"
