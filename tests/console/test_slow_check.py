"""The check of a list that takes long to count: the page is there at once, the numbers follow."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from cato_console.app import create_app
from cato_console.bootstrap import build_deps
from cato_console.live.checks import Checks
from cato_console.settings import ConsoleSettings
from services.console.tests.fake_api import AUDIO, GROUP, SETTINGS, TASK, FakeApi
from tests.console.conftest import PHONE

pytestmark = pytest.mark.timeout(120)

CHECK = f"/new/check?audio={AUDIO}&group={GROUP}&settings={SETTINGS}&task={TASK}"
GRAVE = {"serious", "critical"}


@dataclass
class Served:
    """A console before an API in memory, both in a thread of their own."""

    url: str
    api: FakeApi
    checks: Checks
    loop: asyncio.AbstractEventLoop

    def count(self, *, done: bool) -> None:
        """Let the check of the task be answered, or not; when it is, pages wait for it on a busy machine."""
        self.checks.patience_s = 60 if done else 0.1
        self.loop.call_soon_threadsafe(self.api.counted.set if done else self.api.counted.clear)


@pytest.fixture
def served(tmp_path) -> Iterator[Served]:
    listening, found = threading.Event(), {}
    api = FakeApi()

    async def serve() -> None:
        deps = build_deps(ConsoleSettings(api_url="http://api.test"), tmp_path, transport=api.transport)
        config = uvicorn.Config(create_app(deps), port=0, lifespan="off", log_config=None, ws="none")
        server = found["server"] = uvicorn.Server(config)
        found.update(loop=asyncio.get_running_loop(), checks=deps.checks)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        found["port"] = server.servers[0].sockets[0].getsockname()[1]
        listening.set()
        await serving
        deps.feeds.close()
        await deps.clients.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert listening.wait(30)
        yield Served(f"http://127.0.0.1:{found['port']}", api, found["checks"], found["loop"])
    finally:
        found["server"].force_exit = found["server"].should_exit = True
        thread.join(30)


@pytest.fixture
def console(served) -> str:
    return served.url


def opened(open_browser, served, **options):
    """Sign in on the way to the check: the board would follow a stream that this API does not have."""
    dispatcher = open_browser(**options)
    dispatcher.go(f"/sign-in?next={quote(CHECK)}")
    dispatcher.page.fill("#token", "all")
    dispatcher.page.press("#token", "Enter")
    dispatcher.page.wait_for_selector("#check-start")
    return dispatcher


@pytest.mark.parametrize("look", [{}, PHONE], ids=["english", "dark-phone-russian"])
def test_the_numbers_and_the_start_appear_by_themselves(open_browser, served, look):
    served.count(done=False)
    dispatcher = opened(open_browser, served, **look)
    page = dispatcher.page
    expect(page.locator("#check-start a.button")).to_be_visible()
    expect(page.locator("#people")).to_have_count(0)
    page.fill("#number", "776401")
    assert [each["id"] for each in Axe().run(page).response["violations"] if each["impact"] in GRAVE] == []
    assert dispatcher.fits()
    served.count(done=True)
    expect(page.locator("#check-people b")).to_contain_text("300")
    expect(page.locator("#number")).to_have_value("776401")
    assert [each["id"] for each in Axe().run(page).response["violations"] if each["impact"] in GRAVE] == []
    page.fill("#people", "300")
    page.press("#people", "Enter")
    page.wait_for_url("**/runs/*")
    assert len(served.api.started) == 1


def test_without_the_script_a_link_shows_the_numbers(open_browser, served):
    served.count(done=False)
    page = opened(open_browser, served, java_script_enabled=False).page
    expect(page.locator("#check-start")).to_contain_text("when the list has been counted")
    expect(page.locator("#people")).to_have_count(0)
    served.count(done=True)
    page.click("text=Look again")
    expect(page.locator("#check-people b")).to_contain_text("300")
    expect(page.locator("#people")).to_have_count(1)
