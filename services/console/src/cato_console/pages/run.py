"""One execution: its numbers, waves, outcomes, how fast people were reached, and who was not."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from starlette.responses import Response

from cato_client import operations
from cato_client.models import Report, StatusDocument, SubscriberFilter
from cato_console.http.visits import Visit
from cato_console.live.event_stream import Stream, event_stream
from cato_console.live.parts import Part
from cato_console.live.run_source import RunSource, RunState
from cato_console.pages.board import LIVE_PATIENCE
from cato_console.pages.downloads import download, file_form
from cato_console.views.reasons import unreached_reasons
from cato_console.views.run import RunCharts

_PAGE = 50
_CHARTS_S = 0.1
_FILTERS: tuple[SubscriberFilter, ...] = ("unreached", "all")


async def show(visit: Visit) -> Response:
    """Show the execution, and a page of its people."""
    run_id: UUID = visit.request.path_params["id"]
    which = _which(visit)
    name, number = _searched(visit.query("q"))
    (document, charts), people = await asyncio.gather(
        _run(visit, run_id),
        visit.api.do(
            operations.list_run_subscribers(
                run_id,
                which=which,
                name=name,
                number=number,
                reason=visit.query("reason") or None,
                limit=_PAGE,
                cursor=visit.query("cursor") or None,
            )
        ),
    )
    return visit.page(
        "run.html",
        run=document,
        charts_data=charts,
        people=people.items,
        next_cursor=people.next_cursor,
        which=which,
        reasons=unreached_reasons(charts) if charts is not None else [],
    )


async def _run(visit: Visit, run_id: UUID) -> tuple[StatusDocument, RunCharts | None]:
    """Return the execution, and its charts if they are there soon: those of 100,000 calls take a while."""
    document = await visit.api.do(operations.get_status(run_id, subscribers="none"))
    over = not document.report.active_phase
    charts = await visit.deps.charts.soon(visit.api, run_id, over=over, patience_s=_CHARTS_S)
    return document, charts


async def live(visit: Visit) -> Response:
    """Keep the page of the execution up to date."""
    run_id: UUID = visit.request.path_params["id"]
    token = visit.token
    document = await visit.api.do(operations.get_status(run_id, subscribers="none"))
    source = RunSource(
        visit.deps.clients.make(token, LIVE_PATIENCE),
        run_id,
        lambda over: visit.deps.charts.of(visit.api, run_id, over=over),
    )

    def parts(state: RunState) -> Sequence[Part]:
        return run_parts(visit, document, state)

    stream = Stream(("run", token, str(run_id)), source, parts, visit.still_signed_in)
    return event_stream(visit.deps.feeds, stream)


async def export(visit: Visit) -> Response:
    """Download the people of an execution, for visits from door to door."""
    run_id: UUID = visit.request.path_params["id"]
    form, dialect = file_form(visit.query("format"))
    which = _which(visit)
    operation = operations.export_run_subscribers(
        run_id,
        subscribers=which,
        form=form,
        dialect=dialect,
        time_zone=visit.deps.settings.time_zone,
    )
    return await download(visit, operation, f"{which}-{run_id}.{form}")


def run_parts(visit: Visit, document: StatusDocument, state: RunState) -> Sequence[Part]:
    """Return the parts of the page that change."""
    run = document.model_copy(update={"report": state.report})
    shared = {"visit": visit, "run": run, "charts_data": state.charts}

    def text(template: str) -> str:
        return visit.deps.renderer.text(template, visit.language, shared)

    charts = Part("run-charts", repr(state.charts), lambda: text("parts/run_charts.html"))
    return [
        Part(f"run-{run.id}-state", _situation(state.report), lambda: text("parts/run_state.html")),
        Part(f"run-{run.id}-numbers", repr(_numbers(state.report)), lambda: text("parts/run_numbers.html")),
        Part(f"run-{run.id}-actions", state.report.state, lambda: text("parts/run_actions.html")),
        *([] if state.charts is None else [charts]),
    ]


def _situation(report: Report) -> tuple[object, ...]:
    return (report.state, report.end_reason, report.active_phase)


def _numbers(report: Report) -> Report:
    """Return the report with the minute of its `eta`: seconds would change all the time."""
    return report.model_copy(update={"eta": report.eta and report.eta.replace(second=0, microsecond=0)})


def _which(visit: Visit) -> SubscriberFilter:
    asked = visit.query("which")
    return next((each for each in _FILTERS if each == asked), _FILTERS[0])


def _searched(text: str) -> tuple[str | None, str | None]:
    """Return the name and the number that a search is about; one of them is None."""
    if not text:
        return None, None
    digits = sum(char.isdigit() for char in text)
    return (None, text) if digits > len(text) / 2 else (text, None)
