"""`/stations`: the exchanges that calls go through, and whether they respond."""

from fastapi import APIRouter
from starlette.responses import Response

from cato_contracts.api.resources import Page
from cato_contracts.api.stations import ListStations, StationView
from cato_gateway.http.request_context import API, Reader, json_answer
from cato_gateway.openapi import responses

router = APIRouter(prefix=f"{API}/stations", tags=["stations"], responses=responses.COMMON)


class Stations(Page[StationView]):
    """All stations: there is one page."""


@router.get("", response_model=Stations)
async def list_stations(context: Reader) -> Response:
    """List the stations of the configuration: whether they respond, what failed last, channels in use.

    What the dialers see is some seconds old at most. Credentials and addresses are not shown.
    """
    found = await context.ask(ListStations(actor=context.actor))
    return json_answer(found)
