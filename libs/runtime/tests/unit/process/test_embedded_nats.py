"""The environment of the embedded broker: how much garbage it keeps."""

from pathlib import Path

import pytest

from cato_runtime.process.embedded_nats import EmbeddedNats


async def environment_of_server(directory: Path) -> list[bytes]:
    async with EmbeddedNats(directory) as server:
        return Path(f"/proc/{server.process.pid}/environ").read_bytes().split(b"\0")


async def test_server_keeps_little_garbage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("GOGC", raising=False)
    assert b"GOGC=25" in await environment_of_server(tmp_path)


async def test_operator_chooses_how_much_garbage_the_server_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GOGC", "70")
    assert [each for each in await environment_of_server(tmp_path) if each.startswith(b"GOGC=")] == [
        b"GOGC=70"
    ]
