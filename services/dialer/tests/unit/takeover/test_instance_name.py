"""The name of a dial process in its data directory."""

import subprocess
import sys
from pathlib import Path

from cato_dialer.dial.adapters.instance_name import take_name

_PROCESS = """
import sys
from pathlib import Path
from cato_dialer.dial.adapters.instance_name import take_name
print(take_name(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def start(directory: Path) -> tuple["subprocess.Popen[str]", str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _PROCESS, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()


def test_killed_process_has_its_name_again_after_its_restart(tmp_path: Path) -> None:
    first, name = start(tmp_path)
    end(first)
    second, again = start(tmp_path)
    end(second)
    assert again == name != ""


def test_two_processes_of_one_data_directory_have_different_names(tmp_path: Path) -> None:
    first, name = start(tmp_path)
    second, other = start(tmp_path)
    end(first)
    end(second)
    assert name != other


def test_name_that_was_written_incompletely_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "0").write_text("2f6c")
    assert len(take_name(tmp_path)) == len("2f6cb5d4-7d9a-4d5c-8f3e-0a1b2c3d4e5f")
