"""R5: other people's tools take the OpenAPI document: a validator, and generators of two languages."""

import asyncio
import json
import os
import shutil
import socket
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cato_gateway.http.serving.server import make_server
from cato_gateway.settings import GatewaySettings
from tests.support.gateway.stack import MemoryStack
from tests.support.required_program import require_program

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs/openapi.json"
TOOLS = HERE.parents[1] / "build/openapi-tools"
MODULES = TOOLS / "node_modules"
PYTHON = TOOLS / "python/bin/python"
MP3 = b64encode(b"\xff\xfb" + bytes(998)).decode()
SEEN = {"settings": 300, "subscribers": 1, "calls": 0, "refused": 404}


async def run(*command: object, cwd: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=cwd,
        env={**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, f"{output.decode()}\n{errors.decode()}"
    return output.decode()


def node() -> str:
    found = shutil.which("node") if MODULES.is_dir() else None
    require_program(found, "Node.js with the tools of `make openapi-tools`", "nodejs, npm")
    assert found is not None
    return found


@pytest.fixture
async def gateway() -> AsyncIterator[str]:
    """The URL of a gateway on services in memory."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = make_server(MemoryStack().app, GatewaySettings(), 1.0)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        listener.close()


async def test_r5_redocly_finds_the_document_valid(tmp_path):
    await run(node(), MODULES / "@redocly/cli/bin/cli.js", "lint", "--extends=spec", DOCUMENT, cwd=tmp_path)
    broken = tmp_path / "broken.json"
    broken.write_text(DOCUMENT.read_text().replace('"operationId"', '"operationid"', 1))
    with pytest.raises(AssertionError, match="operationid"):
        await run(node(), MODULES / "@redocly/cli/bin/cli.js", "lint", "--extends=spec", broken, cwd=tmp_path)


async def test_r5_typescript_types_compile_and_their_client_runs(tmp_path, gateway):
    program = node()
    for name in ("client.ts", "tsconfig.json", "package.json"):
        shutil.copy(HERE / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(MODULES)
    generate = MODULES / "openapi-typescript/bin/cli.js"
    await run(program, generate, DOCUMENT, "--output", "api.ts", cwd=tmp_path)
    await run(program, MODULES / "typescript/bin/tsc", cwd=tmp_path)
    seen = await run(program, "built/client.js", gateway, MP3, cwd=tmp_path)
    assert json.loads(seen) == SEEN


async def test_r5_a_generated_python_client_runs(tmp_path, gateway):
    found = str(PYTHON) if PYTHON.exists() else None
    require_program(found, "openapi-python-client", "none: `make openapi-tools`")
    output = tmp_path / "generated"
    options = ("--meta", "none", "--output-path", output)
    program = PYTHON.with_name("openapi-python-client")
    await run(program, "generate", "--path", DOCUMENT, *options, cwd=tmp_path)
    shutil.copy(HERE / "client.py", tmp_path)
    seen = await run(PYTHON, "-W", "error", "client.py", gateway, MP3, cwd=tmp_path)
    assert json.loads(seen) == SEEN
