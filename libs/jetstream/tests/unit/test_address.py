import pytest

from cato_jetstream import BrokerAddress


@pytest.mark.parametrize(
    ("urls", "address"),
    [
        ("nats://127.0.0.1:4222", BrokerAddress(("nats://127.0.0.1:4222",))),
        ("a:1, b:2", BrokerAddress(("nats://a:1", "nats://b:2"))),
        ("tls://u:p@a:1,tls://b:2", BrokerAddress(("tls://a:1", "tls://b:2"), user="u", password="p")),
        ("nats://u:p@a,nats://u:p@b", BrokerAddress(("nats://a", "nats://b"), user="u", password="p")),
        ("nats://u:p%40%2F@[::1]:1", BrokerAddress(("nats://[::1]:1",), user="u", password="p@/")),
        ("nats://secret@a:1", BrokerAddress(("nats://a:1",), token="secret")),
    ],
)
def test_credentials_are_taken_out_of_the_urls(urls, address):
    assert BrokerAddress.parse(urls) == address


@pytest.mark.parametrize("urls", ["", " , ", "nats://", "nats://u:p@", "nats://u:p@a,nats://u:q@b"])
def test_an_address_without_a_host_or_with_two_credentials_is_refused_without_showing_them(urls):
    with pytest.raises(ValueError) as refused:
        BrokerAddress.parse(urls)
    assert "u:" not in str(refused.value)
