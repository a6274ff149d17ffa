import pytest

from cato_contracts.errors import ConfigurationError
from cato_gateway.tokens import TokenTable, refuse_public_default
from cato_runtime.configuration.config import Config, Permission, TokenConfig


def test_a_token_stands_for_its_user_and_permissions():
    table = TokenTable(
        [TokenConfig(token="a", user="anna"), TokenConfig(token="b", user="boris", permissions=["admin"])]
    )
    anna, boris = table.holder(b"a"), table.holder(b"b")
    assert anna is not None
    assert boris is not None
    assert anna.actor().user_id == "anna"
    assert not anna.actor().admin
    assert boris.actor().admin
    assert boris.permissions == {Permission.ADMIN}
    assert table.holder(b"c") is None
    assert table.holder(b"") is None


def test_replacing_keeps_the_old_tokens_when_a_new_one_cannot_be_read(tmp_path):
    table = TokenTable([TokenConfig(token="a", user="anna")])
    with pytest.raises(ConfigurationError):
        table.replace([TokenConfig(token_file=tmp_path / "missing", user="anna")])
    assert table.holder(b"a") is not None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.1", "cato.example.org", ""])
def test_the_well_known_token_is_rejected_on_a_public_address(host):
    with pytest.raises(ConfigurationError, match="allowDefaultToken"):
        refuse_public_default(Config(), host)
    refuse_public_default(Config(allow_default_token=True), host)
    refuse_public_default(Config(tokens=(TokenConfig(token="own", user="user"),)), host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"])
def test_the_well_known_token_is_accepted_on_a_loopback_address(host):
    refuse_public_default(Config(), host)
