import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from cato_console.app import create_app
from cato_console.bootstrap import build_deps
from cato_console.deps import Deps
from cato_console.settings import ConsoleSettings
from services.console.tests.fake_api import FakeApi

URL = "http://console.test"


@dataclass
class Browser:
    """A browser: it keeps cookies, and sends forms with the token of the page."""

    http: httpx.AsyncClient

    async def get(self, path: str, **options) -> httpx.Response:
        return await self.http.get(path, **options)

    async def post(self, path: str, data=None, *, form_token: str | None = None, **options) -> httpx.Response:
        if form_token is None:
            form_token = await self.form_token()
        return await self.http.post(path, data={"form_token": form_token, **(data or {})}, **options)

    async def form_token(self) -> str:
        page = await self.http.get("/sign-in")
        return re.search(r'name="form_token" value="([^"]+)"', page.text)[1]

    async def sign_in(self, token: str = "all") -> httpx.Response:
        return await self.post("/sign-in", {"token": token, "next": "/"})


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def settings() -> ConsoleSettings:
    return ConsoleSettings(api_url="http://api.test")


@pytest.fixture
async def deps(api: FakeApi, settings: ConsoleSettings, tmp_path: Path) -> AsyncIterator[Deps]:
    made = build_deps(settings, tmp_path, transport=api.transport)
    # A page is complete, however busy the machine is; tests of slow checks shorten it.
    made.checks.patience_s = 60
    yield made
    await made.clients.close()


@pytest.fixture
async def open_browser(deps: Deps) -> AsyncIterator[Callable[..., Browser]]:
    opened = []
    app = create_app(deps)

    def make(**headers: str) -> Browser:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url=URL, headers=headers)
        opened.append(client)
        return Browser(client)

    yield make
    for client in opened:
        await client.aclose()


@pytest.fixture
async def browser(open_browser: Callable[..., Browser]) -> Browser:
    made = open_browser()
    assert (await made.sign_in()).status_code == 303
    return made
