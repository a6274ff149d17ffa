"""`cato dead-letters`: the messages that a service could not process."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True, help="List, show and replay messages that a service could not process."
)

Data = Annotated[Path, typer.Option(help="The data directory of the running stack.")]
Broker = Annotated[
    str | None, typer.Option(help="The broker's URL; by default CATO_NATS_URL, or the stack's.")
]
Number = Annotated[int, typer.Argument(help="The letter's number, as `list` shows it.")]

_DATA = Path("build/data")

# The client of the broker is imported by the commands that use it: `cato up` starts sooner without it.


@app.command("list", epilog="Example:\n\ncato dead-letters list --service reporting")
def list_letters(
    service: Annotated[str, typer.Option(help="Letters of this service only.")] = "*",
    data: Data = _DATA,
    broker: Broker = None,
) -> None:
    """List the dead letters, oldest first: number, time, service, subject, reason."""
    from cato_stack.letter_work import print_letters  # noqa: PLC0415 - as above

    print_letters(service, data, broker)


@app.command(epilog="Example:\n\ncato dead-letters show 1")
def show(number: Number, data: Data = _DATA, broker: Broker = None) -> None:
    """Show one dead letter as JSON: where it came from, why it was refused, and the message."""
    from cato_stack.letter_work import print_letter  # noqa: PLC0415 - as above

    print_letter(number, data, broker)


@app.command(epilog="Example:\n\ncato dead-letters replay 1")
def replay(number: Number, data: Data = _DATA, broker: Broker = None) -> None:
    """Publish a message on its subject again and delete its letter.

    Messages of a log are not published again, as the log still has them: correct the service, then run
    `cato-reporting rebuild`.
    """
    from cato_stack.letter_work import replay_letter  # noqa: PLC0415 - as above

    replay_letter(number, data, broker)
