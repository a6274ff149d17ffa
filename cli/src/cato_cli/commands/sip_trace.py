"""`cato sip-trace`: the SIP messages of a station or a number, recorded for a while."""

from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import typer

from cato_cli.options import AsJson, command, session
from cato_cli.output import print_json, print_table, save
from cato_cli.problems import UsageProblemError
from cato_cli.session import Session
from cato_client import operations
from cato_client.models.rules import SipTrace, TraceOrder
from cato_client.synchronous import Client

app = typer.Typer(
    name="sip-trace", help="SIP messages, recorded for a while. For administrators.", no_args_is_help=True
)

TraceName = Annotated[str, typer.Argument(help="The name of the trace.")]


@command(
    app,
    "start",
    "cato sip-trace start nine --station main --minutes 10 --pcap",
    "cato sip-trace start nine --number +73437200041",
)
def start(
    name: TraceName,
    station: Annotated[str | None, typer.Option(help="The station: its name or id.")] = None,
    number: Annotated[str | None, typer.Option(help="Calls to this number.")] = None,
    minutes: Annotated[int, typer.Option(min=1, max=60, help="For how long.")] = 10,
    pcap: Annotated[bool, typer.Option("--pcap", help="Packets, for Wireshark.")] = False,
    unmasked: Annotated[bool, typer.Option("--unmasked", help="With numbers, names and keys.")] = False,
    as_json: AsJson = False,
) -> None:
    """Start a trace, in place of the one with this name; it ends by itself."""
    if station is None and number is None:
        raise UsageProblemError("--station or --number is needed")
    form: Literal["TEXT", "PCAP"] = "PCAP" if pcap else "TEXT"
    here = session()
    with here.client() as client:
        order = TraceOrder(
            for_s=60 * minutes,
            station_id=_station(client, station) if station is not None else None,
            number=number,
            format=form,
            masked=not unmasked,
        )
        trace = client.do(operations.put_sip_trace(name, order))
    _show(here, [trace], as_json=as_json)


@command(app, "list", "cato sip-trace list")
def list_traces(as_json: AsJson = False) -> None:
    """Show the traces, and how much they have recorded."""
    here = session()
    with here.client() as client:
        traces = client.do(operations.list_sip_traces()).items
    _show(here, traces, as_json=as_json)


@command(app, "save", "cato sip-trace save nine -o nine.pcap")
def save_file(
    name: TraceName,
    output: Annotated[Path, typer.Option("--output", "-o", dir_okay=False, help="The file.")],
    as_json: AsJson = False,
) -> None:
    """Save what a trace has recorded until now."""
    here = session()
    with here.client() as client:
        size = save(client.pieces(operations.get_sip_trace_file(name)), output)
    if as_json:
        print_json({"file": str(output), "bytes": size})
    else:
        here.console.print(f"{output}: {size} bytes", markup=False, highlight=False)


@command(app, "remove", "cato sip-trace remove nine")
def remove(name: TraceName, as_json: AsJson = False) -> None:
    """End a trace and remove what it has recorded."""
    here = session()
    with here.client() as client:
        client.do(operations.remove_sip_trace(name))
    if as_json:
        print_json({"removed": name})
    else:
        here.console.print(f"{name} is removed", markup=False, highlight=False)


def _station(client: Client, named: str) -> UUID:
    stations = client.do(operations.list_stations()).items
    for station in stations:
        if named in {station.name, str(station.id)}:
            return station.id
    names = ", ".join(station.name for station in stations)
    raise UsageProblemError(f"there is no station {named!r}; there are: {names}")


def _show(here: Session, traces: list[SipTrace], *, as_json: bool) -> None:
    if as_json:
        print_json(traces)
        return
    rows = [
        (each.name, each.state.lower(), each.ends_at, each.format.lower(), _kept(each), _recorded(each))
        for each in traces
    ]
    print_table(
        here, ("trace", "state", "ends", "format", "masked", "messages"), rows, "there is no SIP trace"
    )


def _kept(trace: SipTrace) -> str:
    return "yes" if trace.masked else "no"


def _recorded(trace: SipTrace) -> str:
    return f"{trace.messages}, cut" if trace.cut else str(trace.messages)
