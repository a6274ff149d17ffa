"""Parser of docs/analytics.md: statements by heading, and tables of columns."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs/analytics.md"
VIEWS = ("runs", "calls", "call_events", "subscriber_results", "run_subscribers", "digits")
BEGIN, END = "<!-- columns: begin -->", "<!-- columns: end -->"

_COLUMNS = """
SELECT name, type, comment FROM system.columns
WHERE database = currentDatabase() AND table = {view:String} ORDER BY position
"""
_ABOUT = "SELECT comment FROM system.tables WHERE database = currentDatabase() AND name = {view:String}"


def statements() -> dict[str, list[str]]:
    """Return the SQL blocks by heading."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^##+ ", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        heading, _, text = part.partition("\n")
        blocks = re.findall(r"^```sql\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
        if blocks:
            found[heading] = blocks
    return found


def columns(client) -> str:
    """Return the column tables of the database as Markdown."""
    lines = []
    for view in VIEWS:
        about = client.query(_ABOUT, {"view": view}).result_rows[0][0]
        lines += [f"### `{view}`: {about[0].lower()}{about[1:]}", ""]
        lines += ["| column | type | meaning |", "| --- | --- | --- |"]
        lines += [
            f"| `{name}` | `{kind}` | {comment} |"
            for name, kind, comment in client.query(_COLUMNS, {"view": view}).result_rows
        ]
        lines.append("")
    return "\n".join(lines)


def documented_columns() -> str:
    return DOCUMENT.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]
