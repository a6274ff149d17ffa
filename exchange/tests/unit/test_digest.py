import pytest
from sipmessage import Request

from cato_exchange import Challenge
from cato_exchange.sip.digest import credentials, is_valid, response_for
from cato_exchange.sip.messages import parse

NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


def mufasa(**more: str) -> Challenge:
    values = {"realm": "http-auth@example.org", "username": "Mufasa", "password": "Circle of Life"}
    return Challenge.model_validate(values | more)


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_response_equals_the_example_of_rfc_7616(algorithm: str, expected: str):
    response = response_for(
        mufasa(algorithm=algorithm),
        method="GET",
        uri="/dir/index.html",
        nonce=NONCE,
        qop="auth",
        nc="00000001",
        cnonce=CNONCE,
    )

    assert response == expected


def test_credentials_with_quoted_commas_are_parsed():
    challenge = Challenge(realm="a, b", username='say "hi"', password="secret")
    proof = response_for(challenge, method="INVITE", uri="sip:1@host", nonce="n")
    request = parse(
        (
            "INVITE sip:1@host SIP/2.0\r\nVia: SIP/2.0/UDP host;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
            "To: <sip:1@host>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
            'Authorization: Digest username="other", realm="elsewhere", nonce="x", uri="y", response="z"\r\n'
            r'Authorization: Digest username="say \"hi\"", realm="a, b", nonce="n", uri="sip:1@host", '
            f'response="{proof}", algorithm=MD5\r\n\r\n'
        ).encode()
    )
    assert isinstance(request, Request)

    given = credentials(request, challenge)

    assert given is not None
    assert is_valid(given, challenge, "INVITE", "n")
    assert not is_valid(given, challenge, "INVITE", "another")
    assert not is_valid(given, challenge, "BYE", "n")
    assert not is_valid(given | {"username": "me"}, challenge, "INVITE", "n")
    assert not is_valid(given | {"algorithm": "SHA-256"}, challenge, "INVITE", "n")
