"""Errors as sentences for people, and the exit code of each."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import typer
from rich.table import Table
from typer.core import TyperCommand

from cato_cli import codes

if TYPE_CHECKING:
    from cato_cli.session import Session


class UsageProblemError(Exception):
    """What the user has given cannot be used; the message says what to do."""


class ClientCommand(TyperCommand):
    """A command whose errors are sentences; a program that reads `--json` gets them on stderr, too."""

    def invoke(self, ctx: Any) -> Any:
        from cato_client import CatoClientError  # noqa: PLC0415 - imported when it is needed

        session: Session = ctx.find_root().obj
        try:
            with session.current():
                return super().invoke(ctx)
        except UsageProblemError as error:
            session.errors.print(f"cato: {error}", style="red", markup=False, highlight=False)
            raise typer.Exit(codes.USAGE) from error
        except CatoClientError as error:
            text, code = explained(error, session)
            session.errors.print(f"cato: {text}", style="red", markup=False, highlight=False)
            if faults := getattr(error, "faults", ()):
                session.errors.print(fault_table(faults, error.fault_count))  # type: ignore[attr-defined]
            raise typer.Exit(code) from error


def explained(error: Exception, session: "Session") -> tuple[str, int]:
    """Return what an error of the client means, what to do, and the exit code."""
    from cato_client import (  # noqa: PLC0415
        ApiError,
        ConflictError,
        ForbiddenError,
        InvalidError,
        UnauthorizedError,
        UnreachableError,
    )

    url = session.target.url
    text, code = str(error), codes.REFUSED
    match error:
        case UnreachableError():
            code = codes.UNAVAILABLE
            text = (
                f"there is no answer from {url}. Is the system running there (cato up)? Another address is"
                " given with CATO_URL or a profile (cato profile add)."
            )
        case UnauthorizedError():
            code = codes.NO_PERMISSION
            text = (
                f"the token is not known at {url}. Set CATO_TOKEN, or keep the right one in a profile"
                " (cato profile add)."
            )
        case ForbiddenError(message=message):
            code = codes.NO_PERMISSION
            text = f"{message}. Ask the administrator for a token that has it."
        case InvalidError() if error.faults:
            text = (
                "the list was not stored, because it has faults. Correct them and try again; --columns says"
                " which headers have which fields."
            )
        case ConflictError(message=message, resource_id=str(resource_id)):
            text = f"{message} ({resource_id})"
        case ApiError(message=message, status=status):
            text = message
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                code = codes.UNAVAILABLE
    return text, code


def fault_table(faults: Sequence[Any], count: int) -> Table:
    """Return a table of the faults of a list, each with its line."""
    more = f"; the first {len(faults)} are shown" if count > len(faults) else ""
    table = Table(title=f"{count} fault{'' if count == 1 else 's'}{more}", title_justify="left")
    for header in ("line", "column", "fault"):
        table.add_column(header)
    for fault in faults:
        get = fault.get if hasattr(fault, "get") else lambda name, fault=fault: getattr(fault, name)
        place = get("row") if get("row") is not None else get("index")
        table.add_row(
            "" if place is None else str(place), get("column") or get("field") or "", get("message")
        )
    return table
