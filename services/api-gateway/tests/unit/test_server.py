import socket

import pytest

from cato_contracts.errors import ConfigurationError
from cato_gateway.http.serving.server import listen
from cato_gateway.settings import GatewaySettings


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_listening_socket_is_a_tcp_socket_without_nagle_delay(host):
    with listen(GatewaySettings(host=host, port=0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP
        assert listener.getsockname()[1] > 0


def test_an_address_in_use_is_a_configuration_error():
    with listen(GatewaySettings(port=0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1:{port}"):
            listen(GatewaySettings(port=port))
