"""Puts the console together."""

from pathlib import Path

from cato_console.api_clients import ApiClients, MakeTransport
from cato_console.app import create_app
from cato_console.deps import Deps
from cato_console.drafts import Drafts
from cato_console.http.rendering import Renderer
from cato_console.http.sealed_cookies import SealedCookies, stored_key
from cato_console.http.sessions import Sessions
from cato_console.http.sign_in_limit import SignInLimit
from cato_console.http.signed_out import SignedOut
from cato_console.live.charts import Charts
from cato_console.live.checks import Checks
from cato_console.live.feeds import Feeds
from cato_console.service import ConsoleService
from cato_console.settings import ConsoleSettings
from cato_runtime.configuration.settings import ServiceSettings


def build_deps(settings: ConsoleSettings, directory: Path, *, transport: MakeTransport | None = None) -> Deps:
    """Return the dependencies of the pages; `transport` is for tests.

    Raises:
        ConfigurationError: if the directory cannot be written to.

    """
    cookies = SealedCookies(stored_key(directory), settings.session)
    drafts = Drafts(directory, keep=settings.draft_time, most_bytes=settings.draft_bytes)
    drafts.open()
    return Deps(
        settings=settings,
        sessions=Sessions(cookies, SignedOut(directory, settings.session), https=settings.https),
        limit=SignInLimit(settings.sign_in_tries),
        clients=ApiClients(settings.api_url, transport=transport),
        drafts=drafts,
        feeds=Feeds(),
        charts=Charts(),
        checks=Checks(),
        renderer=Renderer(settings.time_zone),
    )


def build(settings: ConsoleSettings, process: ServiceSettings) -> ConsoleService:
    """Return the service.

    Raises:
        ConfigurationError: if a setting is invalid, or the data directory cannot be written to.

    """
    deps = build_deps(settings, process.data_dir / "console")
    return ConsoleService(create_app(deps), deps, process)
