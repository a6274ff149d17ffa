"""Values that schemathesis generates for our formats: existing time zones, valid ids.

The event stream is requested only of an ended execution: that of one in progress would never end. The stream
of all executions is ended by a parameter.
"""

import os
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

import schemathesis
from hypothesis import strategies as st

# Ids of existing resources, separated by commas: random ids alone would all be unknown. The last one is an
# execution that has ended.
KNOWN_IDS = os.environ["CATO_FUZZING_IDS"].split(",")
STREAM = "GET /api/v1/task-execs/{id}/stream"
STREAM_OF_ALL = "GET /api/v1/stream"
EXECUTION_VERSION = 7

schemathesis.openapi.format("iana-time-zone", st.sampled_from(sorted(available_timezones())))
schemathesis.openapi.format("uuid", st.sampled_from(KNOWN_IDS) | st.uuids().map(str))


@schemathesis.hook
def before_call(
    _context: schemathesis.HookContext, case: schemathesis.Case, _arguments: dict[str, Any]
) -> None:
    parameters = case.path_parameters or {}
    if case.operation.label == STREAM_OF_ALL and not _is_short(case):
        case.query = {**(case.query or {}), "maxS": 0}
    if case.operation.label == STREAM and may_go_on(parameters.get("id")):
        case.path_parameters = {**parameters, "id": KNOWN_IDS[-1]}


def _is_short(case: schemathesis.Case) -> bool:
    """Tell whether the gateway refuses the request, or ends its stream at once."""
    asked = str((case.query or {}).get("maxS", ""))
    return bool(asked) and not (asked.isdecimal() and int(asked) > 0)


def may_go_on(asked: object) -> bool:
    """Tell whether this may be the id of an execution, which is a UUID of version 7."""
    try:
        return asked in KNOWN_IDS or UUID(str(asked)).version == EXECUTION_VERSION
    except ValueError:
        return False
