"""What the pages are given."""

from dataclasses import dataclass, field

from cato_console.api_clients import ApiClients
from cato_console.drafts import Drafts
from cato_console.http.rendering import Renderer
from cato_console.http.sessions import Sessions
from cato_console.http.sign_in_limit import SignInLimit
from cato_console.live.charts import Charts
from cato_console.live.checks import Checks
from cato_console.live.feeds import Feeds
from cato_console.settings import ConsoleSettings


@dataclass(slots=True)
class Deps:
    """The parts that all pages share."""

    settings: ConsoleSettings
    sessions: Sessions
    limit: SignInLimit
    clients: ApiClients
    drafts: Drafts
    feeds: Feeds
    charts: Charts
    checks: Checks
    renderer: Renderer
    draining: bool = field(default=False)
