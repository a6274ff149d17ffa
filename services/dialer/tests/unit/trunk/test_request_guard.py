"""Which requests the library never sees, and how they are answered."""

import pytest

from cato_dialer.dial.adapters.pjsua2.worker.sip.request_guard import reply_code


@pytest.mark.parametrize(
    ("method", "in_dialog", "outside"),
    [
        ("ACK", None, None),
        ("BYE", None, 481),
        ("CANCEL", None, None),
        ("INFO", None, 481),
        ("INVITE", None, 405),
        ("MESSAGE", 405, 405),
        ("NOTIFY", 489, 489),
        ("OPTIONS", 200, 200),
        ("PRACK", None, 481),
        ("PUBLISH", 405, 405),
        ("REFER", 603, 405),
        ("REGISTER", 405, 405),
        ("SUBSCRIBE", 489, 489),
        ("UPDATE", None, 481),
        ("invite", 501, 501),
        ("DANCE", 501, 501),
    ],
)
def test_t2_t3_t14_only_requests_of_a_call_reach_the_library(
    method: str, in_dialog: int | None, outside: int | None
):
    assert reply_code(method, in_dialog=True) == in_dialog
    assert reply_code(method, in_dialog=False) == outside
