"""The messages of errors that clients can get, read from the source: one line each, values in braces."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_SOURCES = (
    "libs/contracts/src",
    "libs/runtime/src/cato_runtime/requests.py",
    "services/api-gateway/src",
    "services/media/src",
    "services/dialer/src/cato_dialer/campaign",
    "services/reporting/src/cato_reporting/queries",
    "services/reporting/src/cato_reporting/projections/tables/list_loader.py",
)
_REFUSALS = frozenset(
    {
        "RefusedError",
        "InvalidError",
        "NotFoundError",
        "ConflictError",
        "PreconditionFailedError",
        "ForbiddenError",
        "TooLargeError",
        "UnsupportedMediaError",
        "UnavailableError",
        "OverloadedError",
        "UnauthorizedError",
        "ListLostError",
        "away",
    }
)
_VALIDATED = ("libs/contracts/src/cato_contracts/api", "libs/contracts/src/cato_contracts/model.py")
"""Where a ValueError is the fault of a field."""


def messages() -> list[str]:
    """Return all messages, sorted."""
    found: set[str] = set()
    for source in _SOURCES:
        path = ROOT / source
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            found |= set(_of_file(file))
    return sorted(found)


def _of_file(file: Path) -> Iterator[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    name = file.relative_to(ROOT).as_posix()
    faults = name.startswith(_VALIDATED) or "/cato_gateway/" in name
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        words = {
            node.targets[0].id: text
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
            if (text := _text(node.value)) is not None
        }
        for call in ast.walk(function):
            if isinstance(call, ast.Call):
                yield from _of_call(call, words, faults=faults)


def _of_call(call: ast.Call, words: dict[str, str], *, faults: bool) -> Iterator[str]:
    called = getattr(call.func, "id", getattr(call.func, "attr", ""))
    if called == "problem":
        arguments = call.args[2:3]
    elif called in _REFUSALS or (faults and called == "ValueError"):
        arguments = call.args[:1]
    else:
        return
    for argument in arguments:
        text = words.get(argument.id) if isinstance(argument, ast.Name) else _text(argument)
        if text:
            yield text


def _text(node: ast.expr) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_part(part) for part in parts)
    return None


def _part(part: ast.expr) -> str:
    match part:
        case ast.Constant(value=str(text)):
            return text
        case ast.FormattedValue(value=ast.Name(id=name) | ast.Attribute(attr=name)):
            return f"{{{name.strip('_').lower()}}}"
    return "{...}"


if __name__ == "__main__":
    print("\n".join(messages()))  # noqa: T201 - its purpose
