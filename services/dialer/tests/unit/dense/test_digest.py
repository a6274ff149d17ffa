"""Digest credentials, by the examples of RFC 7616 and RFC 2617."""

from typing import Any

import pytest

from cato_dialer.dial.adapters.dense.sip.messages import digest as digest_module
from cato_dialer.dial.adapters.dense.sip.messages.digest import Digest
from cato_dialer.dial.adapters.dense.sip.messages.message import Received, parse
from cato_dialer.dial.domain.station import Credentials

NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
MUFASA = Credentials("Mufasa", "Circle of Life", "*")


def challenge(*headers: str, code: int = 401) -> Received:
    lines = [
        f"SIP/2.0 {code} Unauthorized",
        "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKa",
        "From: <sip:a@b>;tag=1",
        "To: <sip:a@b>;tag=2",
        "Call-ID: c",
        "CSeq: 1 INVITE",
        *headers,
    ]
    return parse("\r\n".join([*lines, "", ""]).encode())


def rfc7616(algorithm: str, realm: str = "http-auth@example.org", extra: str = "") -> str:
    return (
        f'WWW-Authenticate: Digest realm="{realm}", qop="auth, auth-int", algorithm={algorithm}, '
        f'nonce="{NONCE}", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"{extra}'
    )


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
    ],
)
def test_the_example_of_rfc_7616(monkeypatch: pytest.MonkeyPatch, algorithm: str, response: str):
    def fixed(*_: Any) -> str:
        return CNONCE

    monkeypatch.setattr(digest_module.secrets, "token_hex", fixed)
    digest = Digest(MUFASA)
    assert digest.take(challenge(rfc7616(algorithm)))
    ((header, value),) = digest.authorize("GET", "/dir/index.html")
    assert header == "Authorization"
    assert f'response="{response}"' in value
    assert "nc=00000001" in value


def test_the_strongest_of_several_challenges_is_answered():
    digest = Digest(MUFASA)
    assert digest.take(challenge(rfc7616("MD5"), rfc7616("SHA-256"), rfc7616("SHA-512-256")))
    ((_, value),) = digest.authorize("INVITE", "sip:1@b")
    assert "algorithm=SHA-256" in value


def test_a_challenge_without_qop_is_answered_as_rfc_2069():
    digest = Digest(Credentials("a", "b", "*"))
    assert digest.take(challenge('Proxy-Authenticate: Digest realm="r", nonce="n"', code=407))
    ((header, value),) = digest.authorize("INVITE", "sip:1@b")
    assert header == "Proxy-Authorization"
    assert "cnonce" not in value


def test_refused_credentials_are_not_sent_again():
    digest = Digest(MUFASA)
    assert digest.take(challenge(rfc7616("MD5")))
    assert not digest.take(challenge(rfc7616("MD5").replace(NONCE, "another")))


def test_a_stale_nonce_is_answered_with_the_new_one():
    digest = Digest(MUFASA)
    assert digest.take(challenge(rfc7616("MD5")))
    assert digest.take(challenge(rfc7616("MD5", extra=", stale=TRUE").replace(NONCE, "another")))
    ((_, value),) = digest.authorize("INVITE", "sip:1@b")
    assert 'nonce="another"' in value
    assert "nc=00000001" in value


def test_the_nonce_count_rises_with_each_request():
    digest = Digest(MUFASA)
    assert digest.take(challenge(rfc7616("MD5")))
    counts = [value.partition("nc=")[2][:8] for _ in range(3) for _, value in digest.authorize("A", "b")]
    assert counts == ["00000001", "00000002", "00000003"]


@pytest.mark.parametrize(
    "header",
    [
        'WWW-Authenticate: Basic realm="r"',
        'WWW-Authenticate: Digest realm="r", nonce="n", algorithm=WHO',
        'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth-int"',
        'WWW-Authenticate: Digest realm="r"',
        'WWW-Authenticate: Digest realm="another", nonce="n"',
    ],
)
def test_a_challenge_that_cannot_be_answered_is_not(header: str):
    assert not Digest(Credentials("a", "b", "r")).take(challenge(header))


def test_without_credentials_nothing_is_answered():
    digest = Digest(None)
    assert not digest.take(challenge(rfc7616("MD5")))
    assert digest.authorize("INVITE", "sip:1@b") == []
