"""Settings of a node that complete the configuration file: addresses, passwords, authorities."""

import pytest

from cato_contracts.errors import ConfigurationError
from cato_jetstream import BrokerAddress
from cato_runtime.broker import broker_of
from cato_runtime.configuration.config import load_for
from cato_runtime.configuration.config_section import secret_of
from cato_runtime.configuration.settings import ServiceSettings


def test_addresses_of_the_node_replace_those_of_the_file(tmp_path):
    file = tmp_path / "cato.yaml"
    file.write_text("dialing: {publicAddress: 192.0.2.1, rtpPortFrom: 20000, rtpPortTill: 20999}\n")
    settings = ServiceSettings(config=file, dial_bind_address="127.0.0.2", dial_public_address="192.0.2.9")
    dialing = load_for(settings).dialing
    assert (dialing.bind_address, dialing.public_address) == ("127.0.0.2", "192.0.2.9")
    assert dialing.rtp_port_from == 20000
    assert load_for(ServiceSettings(config=file)).dialing.public_address == "192.0.2.1"
    assert load_for(ServiceSettings(dial_bind_address="127.0.0.2")).dialing.bind_address == "127.0.0.2"


def test_an_address_of_the_node_that_is_none_is_refused():
    with pytest.raises(ConfigurationError, match="bindAddress"):
        load_for(ServiceSettings(dial_bind_address="not an address"))


def test_a_password_in_a_file_is_that_of_the_user_in_the_url():
    address = BrokerAddress.parse("nats://cato@a:4222,nats://cato@b:4222").with_password("secret")
    assert (address.servers, address.user, address.password, address.token) == (
        ("nats://a:4222", "nats://b:4222"),
        "cato",
        "secret",
        None,
    )


@pytest.mark.parametrize("url", ["nats://a:4222", "nats://cato:other@a:4222"])
def test_a_password_in_a_file_needs_a_user_without_a_password(url):
    with pytest.raises(ValueError, match="a user and no password"):
        BrokerAddress.parse(url).with_password("secret")


def test_files_that_cannot_be_used_are_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"password of the broker.*missing"):
        broker_of(ServiceSettings(nats_password_file=tmp_path / "missing"), "test")
    (tmp_path / "empty").write_text(" \n")
    with pytest.raises(ConfigurationError, match="is empty"):
        secret_of(None, tmp_path / "empty", "password")
    with pytest.raises(ConfigurationError, match=r"CATO_NATS_CA_FILE.*missing"):
        broker_of(ServiceSettings(nats_ca_file=tmp_path / "missing"), "test")
