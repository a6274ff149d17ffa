"""The addresses in a message that PJSIP can send requests to."""

import pytest

from cato_dialer.dial.adapters.pjsua2.worker.sip.targets import unreachable_target

UDP = frozenset({"udp"})


@pytest.mark.parametrize(
    ("header", "unreachable"),
    [
        ("Contact: <sip:1@192.0.2.1:5060>", None),
        ("Contact: <sip:1@192.0.2.1;transport=UDP;lr>;expires=60", None),
        ("m: sip:1@pbx.example.org;q=0.5", None),
        ('Contact: "Bell, Ann" <sip:ann@pbx>, <tel:+1>', None),
        ("Contact:\n <sip:192.0.2.1>", None),
        ("Contact: <sip:%31@pbx?Subject=x>", None),
        ("Subject: none", None),
        ("Contact: <tel:+1>", "tel:+1"),
        ("Contact: <sips:1@pbx>", "sips:1@pbx"),
        ("Contact: <sip:1@pbx;transport=tls>", "sip:1@pbx;transport=tls"),
        ("Contact: <sip:1@pbx;transport=ws>", "sip:1@pbx;transport=ws"),
        ("Contact: <sip:1@[2001:db8::1]>", "sip:1@[2001:db8::1]"),
        ("Contact: <sip:1@pbx:99999>", "sip:1@pbx:99999"),
        ("Contact: <sip:1@pbx:0>", "sip:1@pbx:0"),
        ("Contact: <sip:1@pbx;maddr=[::1]>", "sip:1@pbx;maddr=[::1]"),
        ("Record-Route: <sip:192.0.2.1;lr>, <sips:pbx;lr>", "sips:pbx;lr"),
    ],
)
def test_a_target_is_reachable_by_a_transport_that_exists(header: str, unreachable: str | None):
    assert unreachable_target(f"SIP/2.0 200 OK\n{header}\nCSeq: 1 INVITE", UDP) == unreachable


def test_other_transports_make_more_targets_reachable():
    for target in ("sips:1@pbx", "sip:1@pbx;transport=tls"):
        assert unreachable_target(f"SIP/2.0 200 OK\nContact: <{target}>", UDP | {"tls"}) is None
