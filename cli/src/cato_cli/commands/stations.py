"""`cato stations`: the exchanges that calls go through."""

import typer

from cato_cli.options import AsJson, command, session
from cato_cli.output import print_json, print_table
from cato_client import operations

app = typer.Typer()


@command(app, "stations", "cato stations", "cato stations --json")
def stations(as_json: AsJson = False) -> None:
    """Show whether the stations respond, and their channels in use."""
    here = session()
    with here.client() as client:
        found = client.do(operations.list_stations()).items
    if as_json:
        print_json(found)
        return
    rows = [
        (
            station.name,
            station.state.lower(),
            station.since,
            f"{station.channels_in_use}/{station.channels}",
            station.last_failure.reason if station.last_failure is not None else None,
        )
        for station in found
    ]
    print_table(
        here, ("station", "state", "since", "channels", "last failure"), rows, "no station is configured"
    )
