"""The web application: its addresses, the headers of its answers, its errors."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from cato_console.deps import Deps
from cato_console.http.middleware import BodyLimit, SecurityHeaders
from cato_console.http.problems import add_handlers
from cato_console.http.rendering import STATIC
from cato_console.http.visits import private, public
from cato_console.pages import (
    approvals,
    board,
    exclusions,
    person,
    run,
    run_control,
    search,
    sign_in,
    statistics,
)
from cato_console.pages.notification import check_step, message_step, people_step, rules_step

_A_YEAR = "public, max-age=31536000, immutable"


class Assets(StaticFiles):
    """Static files: their addresses change with their content, so browsers keep them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if scope["query_string"]:
            response.headers["Cache-Control"] = _A_YEAR
        return response


async def _robots(_request: Request) -> Response:
    return PlainTextResponse("User-agent: *\nDisallow: /\n")


ROUTES = (
    Route("/sign-in", public(sign_in.show), methods=["GET"]),
    Route("/sign-in", public(sign_in.sign_in), methods=["POST"]),
    Route("/sign-out", private(sign_in.sign_out), methods=["POST"]),
    Route("/language", public(sign_in.choose_language), methods=["POST"]),
    Route("/theme", public(sign_in.choose_theme), methods=["POST"]),
    Route("/", private(board.show), methods=["GET"]),
    Route("/live/board", private(board.live), methods=["GET"]),
    Route("/runs", private(board.list_runs), methods=["GET"]),
    Route("/runs/{id:uuid}", private(run.show), methods=["GET"]),
    Route("/live/runs/{id:uuid}", private(run.live), methods=["GET"]),
    Route("/runs/{id:uuid}/export", private(run.export), methods=["GET"]),
    Route("/runs/{id:uuid}/person", private(person.show), methods=["GET"]),
    Route("/runs/{id:uuid}/pause", private(run_control.pause), methods=["POST"]),
    Route("/runs/{id:uuid}/resume", private(run_control.resume), methods=["POST"]),
    Route("/runs/{id:uuid}/stop", private(run_control.ask_to_stop), methods=["GET"]),
    Route("/runs/{id:uuid}/stop", private(run_control.stop), methods=["POST"]),
    Route("/approvals", private(approvals.show), methods=["GET"]),
    Route("/runs/{id:uuid}/approve", private(approvals.approve), methods=["POST"]),
    Route("/runs/{id:uuid}/reject", private(approvals.reject), methods=["POST"]),
    Route("/runs/{id:uuid}/repeat", private(run_control.ask_to_repeat), methods=["GET"]),
    Route("/runs/{id:uuid}/repeat", private(run_control.repeat), methods=["POST"]),
    Route("/new", private(message_step.begin), methods=["GET"]),
    Route("/new/message", private(message_step.show), methods=["GET"]),
    Route("/new/message", private(message_step.upload), methods=["POST"]),
    Route("/new/people", private(people_step.show), methods=["GET"]),
    Route("/new/people", private(people_step.upload), methods=["POST"]),
    Route("/new/people/{draft}", private(people_step.show_draft), methods=["GET"]),
    Route("/new/people/{draft}", private(people_step.store), methods=["POST"]),
    Route("/new/rules", private(rules_step.show), methods=["GET"]),
    Route("/new/rules", private(rules_step.choose), methods=["POST"]),
    Route("/new/check", private(check_step.show), methods=["GET"]),
    Route("/new/check", private(check_step.start), methods=["POST"]),
    Route("/live/new/check", private(check_step.live), methods=["GET"]),
    Route("/audio/{id:uuid}", private(message_step.listen), methods=["GET"]),
    Route("/exclusions", private(exclusions.show), methods=["GET"]),
    Route("/exclusions", private(exclusions.exclude), methods=["POST"]),
    Route("/exclusions/{id:uuid}", private(exclusions.show_list), methods=["GET"]),
    Route("/exclusions/{id:uuid}/drop", private(exclusions.readmit), methods=["POST"]),
    Route("/search", private(search.show), methods=["GET"]),
    Route("/statistics", private(statistics.show), methods=["GET"]),
    Route("/statistics/export", private(statistics.export), methods=["GET"]),
    Route("/robots.txt", _robots, methods=["GET"]),
    Mount("/static", Assets(directory=str(STATIC))),
)


def create_app(deps: Deps) -> Starlette:
    """Return the application that works with `deps`."""
    app = Starlette(routes=list(ROUTES))
    app.state.deps = deps
    add_handlers(app)
    app.add_middleware(BodyLimit, limit=deps.settings.upload_bytes)
    app.add_middleware(SecurityHeaders, https=deps.settings.https)
    return app
