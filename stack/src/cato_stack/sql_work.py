"""What `cato sql` does."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import typer

from cato_contracts.api.sql import RunSql, SqlFormat
from cato_contracts.errors import BrokerError, ConfigurationError, RefusedError, UnavailableError
from cato_contracts.requests import Actor
from cato_runtime.broker import connect, make_broker
from cato_runtime.configuration.settings import LogFormat, ServiceSettings
from cato_runtime.logs import configure_logging
from cato_runtime.requests import Requester
from cato_stack.broker_address import CONNECT_S, EXIT_REFUSED, EXIT_UNAVAILABLE, broker_url

_ANSWER_S = 60.0
_OPERATOR = Actor(user_id="cato sql", admin=True)
_WIDTH = 60


def print_result(
    statement: str, parameters: Sequence[str], form: str, data: Path, broker: str | None
) -> None:
    """Execute a statement and print its result as a table, CSV or JSON; exit with 1 or 69 for an error."""
    configure_logging("cato", ServiceSettings(log_level="ERROR", log_format=LogFormat.CONSOLE))
    values = {}
    for each in parameters:
        name, equals, value = each.partition("=")
        if not equals:
            raise typer.BadParameter(f"{each!r} should be name=value", param_hint="--param")
        values[name] = value
    query = RunSql(
        actor=_OPERATOR,
        statement=statement,
        parameters=values,
        format=SqlFormat.CSV if form == "csv" else SqlFormat.JSON,
    )
    try:
        content = asyncio.run(_asked(query, broker_url(data, broker)))
    except (BrokerError, UnavailableError) as error:
        typer.echo(f"cato: {error}", err=True)
        raise typer.Exit(EXIT_UNAVAILABLE) from error
    except (RefusedError, ConfigurationError) as error:
        typer.echo(f"cato: {error}", err=True)
        raise typer.Exit(EXIT_REFUSED) from error
    typer.echo(_table(content) if form == "table" else content.decode().rstrip("\n"))


async def _asked(query: RunSql, url: str) -> bytes:
    broker = make_broker(url, "sql")
    try:
        await connect(broker, timeout=CONNECT_S)
        return (await Requester(broker).ask(query, timeout=_ANSWER_S)).content()
    finally:
        await broker.stop()


def _table(content: bytes) -> str:
    """Return the result as lines with columns of equal width."""
    found = json.loads(content)
    rows = [[column["name"] for column in found["columns"]]]
    rows += [[_cell(value) for value in row] for row in found["rows"]]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def _cell(value: object) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
