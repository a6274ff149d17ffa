"""Everything that a process writes to standard error has one form."""

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import logging, sys, warnings
import structlog
from cato_runtime.configuration.settings import ServiceSettings
from cato_runtime.logs import configure_logging

configure_logging("media", ServiceSettings())
structlog.get_logger().info("ours", pii_number="+73437200041", seconds=1.5)
logging.getLogger("library").warning("of a %s", "library")
warnings.warn("a warning", stacklevel=1)
raise KeyError("the end")
"""


@pytest.mark.timeout(60)
def test_s7_logs_of_libraries_warnings_and_failures_have_the_form_of_ours():
    ended = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["level"] for line in lines] == ["info", "warning", "warning", "critical"]
    assert {line["service"] for line in lines} == {"media"}
    assert lines[0]["pii_number"] == "**********41"
    assert lines[1]["event"] == "of a library"
    assert "a warning" in lines[2]["event"]
    assert lines[3]["event"] == "process failed"
    assert "KeyError: 'the end'" in lines[3]["exception"]


LOCALS = """
from cato_runtime.configuration.settings import ServiceSettings
from cato_runtime.logs import configure_logging

def call(number):
    raise KeyError("the end")

configure_logging("media", ServiceSettings())
call("+7343" + "7200041")
"""


@pytest.mark.timeout(60)
def test_tracebacks_for_people_show_no_local_variables():
    environment = os.environ | {"CATO_LOG_FORMAT": "console"}
    ended = subprocess.run(
        [sys.executable, "-c", LOCALS], capture_output=True, text=True, check=False, env=environment
    )
    assert "KeyError: 'the end'" in ended.stderr
    assert "73437200041" not in ended.stderr
