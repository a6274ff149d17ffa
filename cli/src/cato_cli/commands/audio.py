"""`cato audio`: the messages that are played."""

from pathlib import Path
from typing import Annotated

import typer

from cato_cli.options import AsJson, Name, command, session
from cato_cli.output import print_done, print_json, print_table, seconds
from cato_cli.references import find_audio
from cato_cli.session import Session
from cato_client import operations
from cato_client.models import AudioFile

app = typer.Typer(name="audio", help="Messages to play.", no_args_is_help=True)


@command(
    app,
    "add",
    "cato audio add assets/flood_warning.mp3",
    "cato audio add assets/flood_warning.mp3 --name 'Flood, spring' --json",
)
def add(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="mp3, wav, ogg, m4a or others.")],
    name: Annotated[str | None, typer.Option(help="Its name; by default that of the file.")] = None,
    allow_silence: Annotated[bool, typer.Option(help="Accept a file without any sound.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a message. The same file under the same name is stored once."""
    here = session()
    with here.client() as client:
        wanted = operations.add_audio_file(name or file.stem, file.read_bytes(), allow_silence=allow_silence)
        added = client.do(wanted)
    if as_json:
        print_json(added)
        return
    _print(here, [added])
    for warning in added.warnings:
        here.errors.print(f"warning: {warning.message}", style="yellow", markup=False)


@command(app, "list", "cato audio list", "cato audio list --name flood")
def list_files(name: Name = None, as_json: AsJson = False) -> None:
    """List the messages."""
    here = session()
    with here.client() as client:
        found = list(client.each(lambda cursor: operations.list_audio_files(name=name, cursor=cursor)))
    print_json(found) if as_json else _print(here, found)


@command(app, "remove", "cato audio remove flood_warning")
def remove(
    audio: Annotated[str, typer.Argument(help="Its name or id.")],
    as_json: AsJson = False,
) -> None:
    """Remove a message that no task uses."""
    with session().client() as client:
        found = find_audio(client, audio).id
        client.do(operations.remove_audio_file(found))
    print_done(found, as_json=as_json)


def _print(here: Session, files: list[AudioFile]) -> None:
    rows = [(file.name, seconds(file.duration_ms), file.created_at, file.id) for file in files]
    print_table(here, ("name", "length", "added", "id"), rows, "there are no messages (cato audio add FILE)")
