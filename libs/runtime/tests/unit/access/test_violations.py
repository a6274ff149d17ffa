"""What the log says of refused subjects."""

import pytest
from structlog.testing import capture_logs

from cato_runtime.access.violations import Violations


def error(subject: str, operation: str = "publish") -> Exception:
    return Exception(f'nats: permissions violation for {operation} to "{subject}"')


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ("run.1.call.1", "run.2.call.7"),
        ("$o.uploads.m.a", "$o.uploads.m.b"),
        ("$kv.leases.channels.1", "$kv.leases.channels.2"),
        ("$js.api.consumer.info.kv_pacing.a", "$js.api.consumer.info.kv_pacing.b"),
    ],
)
def test_a_kind_of_subject_is_told_once(first, again):
    violations = Violations()
    with capture_logs() as logs:
        assert violations.told(error(first))
        assert violations.told(error(again))
    assert [(each["operation"], each["subject"]) for each in logs] == [("publish", first)]


def test_other_kinds_and_operations_are_told():
    violations = Violations()
    subjects = ["$js.api.stream.purge.audit", "$js.api.stream.purge.runs", "ev.task.1", "cmd.media.x"]
    with capture_logs() as logs:
        for subject in subjects:
            violations.told(error(subject))
        violations.told(error("ev.task.1", "subscription"))
    assert [each["subject"] for each in logs] == [*subjects, "ev.task.1"]


def test_other_errors_are_not_taken():
    with capture_logs() as logs:
        assert not Violations().told(ConnectionRefusedError(111, "refused"))
    assert logs == []
