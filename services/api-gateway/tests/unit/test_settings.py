from datetime import timedelta

import pytest
from pydantic import ValidationError

from cato_gateway.settings import GatewaySettings


def test_the_environment_is_read(monkeypatch):
    monkeypatch.setenv("CATO_HOST", "10.0.0.1")
    monkeypatch.setenv("CATO_PORT", "9000")
    monkeypatch.setenv("CATO_GATEWAY_CORS_ORIGINS", "https://a.example.org, https://b.example.org")
    monkeypatch.setenv("CATO_GATEWAY_ANSWER_TIMEOUT", "PT2.5S")
    settings = GatewaySettings()
    assert (settings.host, settings.port) == ("10.0.0.1", 9000)
    assert settings.cors_origins == ("https://a.example.org", "https://b.example.org")
    assert settings.answer_timeout == timedelta(seconds=2.5)


@pytest.mark.parametrize("port", ["x", "-1", "65536"])
def test_a_bad_port_is_rejected(monkeypatch, port):
    monkeypatch.setenv("CATO_PORT", port)
    with pytest.raises(ValidationError, match="CATO_PORT"):
        GatewaySettings()
