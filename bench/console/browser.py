"""A browser at the console, as far as the network sees it."""

import asyncio
import html
import json
import re
import time
from collections.abc import AsyncIterator
from typing import Self

import httpx

_LIVE = re.compile(r'<body data-live="([^"]+)"')
_FORM_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


class Browser:
    """Signs in with a token, opens pages, and keeps a page up to date."""

    def __init__(self, console: str, token: str) -> None:
        self._http = httpx.AsyncClient(base_url=console, timeout=60)
        self._token = token

    async def __aenter__(self) -> Self:
        await self.post("/sign-in", "/sign-in", token=self._token, next="/")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def open(self, path: str) -> tuple[float, str]:
        """Return the milliseconds until the page was there, and the page."""
        began = time.perf_counter()
        answer = await self._http.get(path)
        took = (time.perf_counter() - began) * 1000
        if answer.status_code != httpx.codes.OK:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.headers.get('Location', '')}")
        return took, answer.text

    async def open_with_parts(self, path: str, part: str) -> tuple[float, float]:
        """Open a page; return the milliseconds until it was there, and until this part of it was."""
        began = time.perf_counter()
        took, text = await self.open(path)
        found = _LIVE.search(text)
        if found is None:
            return took, took
        async for parts in self.parts(html.unescape(found[1])):
            if part in parts:
                return took, (time.perf_counter() - began) * 1000
        raise RuntimeError(f"{path}: {part} did not follow")

    async def post(
        self, page: str, path: str, *, files: dict[str, tuple[str, bytes]] | None = None, **fields: str
    ) -> str:
        """Send a form of a page; return the address that follows."""
        text = (await self._http.get(page)).text
        found = _FORM_TOKEN.search(text)
        if found is None:
            raise RuntimeError(f"{page} has no form")
        answer = await self._http.post(path, data={"form_token": found[1], **fields}, files=files)
        if answer.status_code != httpx.codes.SEE_OTHER:
            raise RuntimeError(f"{path}: {answer.status_code}")
        return str(answer.headers["Location"])

    async def parts(self, path: str) -> AsyncIterator[dict[str, str]]:
        """Yield the parts of a page as they change."""
        async with self._http.stream("GET", path) as answer:
            answer.raise_for_status()
            name = ""
            async for line in answer.aiter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: ") and name == "parts":
                    yield json.loads(line.removeprefix("data: "))


async def median_and_longest(browser: Browser, path: str, times: int) -> tuple[float, float, int]:
    """Open a page again and again; return median and longest wait in ms, and its bytes."""
    waits = []
    text = ""
    for _ in range(times):
        took, text = await browser.open(path)
        waits.append(took)
        await asyncio.sleep(0)
    waits.sort()
    return waits[len(waits) // 2], waits[-1], len(text.encode())
