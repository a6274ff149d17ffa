"""The console of a running system in a real browser: Debian's Chromium, led by Playwright."""

import io
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import xlsxwriter
import yaml
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support.live_system import LiveExchange, LiveStack, configuration, free_port
from tests.support.required_program import require_program

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
TOKEN = "dispatcher-token"
PLAN = {
    "rules": [
        {"match": r"5\d+", "behaviour": "answer", "ring_s": 0.2, "hang_up_after_s": 0.3},
        {"match": r"6\d+", "behaviour": "busy"},
        {"match": r"7\d+", "behaviour": "no_answer"},
    ]
}
PATIENCE_MS = 90_000
"""For one step of a page. Nothing waits so long on a machine that does nothing else."""
_MOST_TABS = 60
_NOT_NOW = 503
PHONE = {"viewport": {"width": 390, "height": 844}, "locale": "ru-RU", "color_scheme": "dark"}


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveExchange]:
    directory = tmp_path_factory.mktemp("exchange")
    plan = directory / "plan.yaml"
    plan.write_text(yaml.safe_dump(PLAN))
    live = LiveExchange(directory, plan)
    live.start()
    yield live
    live.stop()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, exchange: LiveExchange) -> Iterator[LiveStack]:
    live = LiveStack(
        tmp_path_factory.mktemp("stack"),
        exchange.port,
        channels=30,
        config={
            **configuration(exchange.port, 30, callerIds=["776401"]),
            "tokens": [
                {"token": TOKEN, "user": "dispatcher"},
                {"token": "default", "user": "dispatcher"},
                {"token": "other", "user": "stranger"},
                {"token": "head", "user": "head", "permissions": ["read", "approve"]},
            ],
            "approval": {"aboveSubscribers": 400},
        },
        console_port=free_port(socket.SOCK_STREAM),
    )
    live.start()
    yield live
    live.stop()


@pytest.fixture(scope="module")
def console(stack: LiveStack) -> str:
    return f"http://127.0.0.1:{stack.console_port}"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    require_program(CHROMIUM, "Chromium", "chromium")
    with sync_playwright() as playwright:
        # The sandbox needs a user other than root, which containers of tests do not have.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Dispatcher:
    """A person at a browser. `complaints` are what the browser found wrong with the pages."""

    context: BrowserContext
    page: Page
    console: str
    complaints: list[str]

    def go(self, path: str) -> None:
        """Open a page; while the system does not answer, again, as the page does by itself."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while True:
            answer = self.page.goto(f"{self.console}{path}")
            if answer is None or answer.status != _NOT_NOW or time.monotonic() > deadline:
                return

    def sign_in(self, token: str = TOKEN) -> None:
        self.go("/sign-in")
        self.page.fill("#token", token)
        self.page.press("#token", "Enter")
        self.page.wait_for_selector("#board-runs")

    def tab_to(self, selector: str) -> None:
        """Press Tab until the element has the focus."""
        for _ in range(_MOST_TABS):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"Tab does not reach {selector}")

    def fits(self) -> bool:
        """Return whether the page is no wider than the screen."""
        width, screen = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        return width <= screen


@pytest.fixture
def open_browser(chromium: Browser, console: str) -> Iterator[Callable[..., Dispatcher]]:
    opened: list[Dispatcher] = []

    def make(**options) -> Dispatcher:
        context = chromium.new_context(**{"locale": "en-GB", **options})
        context.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text) if "Content Security Policy" in message.text else None
            ),
        )
        opened.append(Dispatcher(context, page, console, complaints))
        return opened[-1]

    yield make
    for each in opened:
        assert each.complaints == []
        each.context.close()


def workbook(path: Path, rows: list[tuple[str, str]]) -> Path:
    """Write a list as a dispatcher's Excel does."""
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"strings_to_formulas": False})
    sheet = book.add_worksheet()
    for number, row in enumerate([("ФИО", "Телефон", "Адрес"), *((*row, "ул. Мира 1") for row in rows)]):
        sheet.write_row(number, 0, row)
    book.close()
    path.write_bytes(content.getvalue())
    return path
