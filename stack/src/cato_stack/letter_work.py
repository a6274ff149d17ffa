"""The work of `cato dead-letters`, on the stream of a running broker."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import typer

from cato_contracts.errors import BrokerError, ConfigurationError
from cato_jetstream import DeadLetter, DeadLetterStream, Misuse, NotFound
from cato_runtime.broker import connect, make_broker
from cato_runtime.configuration.settings import LogFormat, ServiceSettings
from cato_runtime.logs import configure_logging
from cato_stack.broker_address import CONNECT_S, EXIT_REFUSED, EXIT_UNAVAILABLE, broker_url

T = TypeVar("T")


def print_letters(service: str, data: Path, broker: str | None) -> None:
    """Print a line for each letter."""

    async def run(letters: DeadLetterStream) -> int:
        found = 0
        async for letter in letters.letters(service):
            found += 1
            when = letter.time.isoformat(timespec="seconds") if letter.time else "-"
            columns = (str(letter.number), when, letter.service, letter.origin.subject, letter.reason)
            typer.echo("\t".join(columns))
        return found

    if not _run(run, data, broker):
        typer.echo("there are no dead letters", err=True)


def print_letter(number: int, data: Path, broker: str | None) -> None:
    """Print a letter as JSON."""
    letter = _run(lambda letters: letters.letter(number), data, broker)
    typer.echo(json.dumps(_described(letter), ensure_ascii=False, indent=2))


def replay_letter(number: int, data: Path, broker: str | None) -> None:
    """Publish a message again, and delete its letter."""
    letter = _run(lambda letters: letters.replay(number), data, broker)
    typer.echo(f"published again on {letter.origin.subject}")


def _described(letter: DeadLetter) -> dict[str, object]:
    return {
        "number": letter.number,
        "time": letter.time.isoformat() if letter.time else None,
        "service": letter.service,
        "subject": letter.origin.subject,
        "stream": letter.origin.stream,
        "sequence": letter.origin.sequence,
        "reason": letter.reason,
        "message": letter.data.decode(errors="backslashreplace"),
    }


def _run(work: Callable[[DeadLetterStream], Awaitable[T]], data: Path, broker: str | None) -> T:
    async def run() -> T:
        async with _letters(broker_url(data, broker)) as letters:
            return await work(letters)

    configure_logging("cato", ServiceSettings(log_level="ERROR", log_format=LogFormat.CONSOLE))
    try:
        return asyncio.run(run())
    except (NotFound, Misuse, ConfigurationError) as error:
        typer.echo(f"cato: {error}", err=True)
        raise typer.Exit(EXIT_REFUSED) from error
    except BrokerError as error:
        typer.echo(f"cato: {error}", err=True)
        raise typer.Exit(EXIT_UNAVAILABLE) from error


@asynccontextmanager
async def _letters(url: str) -> AsyncIterator[DeadLetterStream]:
    broker = make_broker(url, "dead-letters")
    try:
        client = await connect(broker, timeout=CONNECT_S)
        yield DeadLetterStream(client.jetstream())
    finally:
        await broker.stop()
