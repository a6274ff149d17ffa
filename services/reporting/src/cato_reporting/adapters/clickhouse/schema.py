"""The versions of the tables: plain SQL files, applied once each, in order."""

from hashlib import sha256
from importlib.resources import files
from string import Template

import structlog
from clickhouse_connect.driver.client import Client

from cato_contracts.errors import ConfigurationError

log = structlog.get_logger()

_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_versions ${on_cluster}
(
    version UInt32 COMMENT 'Number of the migration',
    name String COMMENT 'Its file',
    digest String COMMENT 'SHA-256 of the file, to tell an edited one',
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When it was applied'
)
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY version
COMMENT 'The migrations of these tables that have been applied'
"""

_NOTE = """
INSERT INTO schema_versions (version, name, digest)
SELECT {version:UInt32}, {name:String}, {digest:String}
"""


def migrations() -> list[tuple[int, str, str]]:
    """Return number, file name and text of every migration, in order."""
    found = [
        (int(file.name[:4]), file.name, file.read_text(encoding="utf-8"))
        for file in (files("cato_reporting.adapters.clickhouse") / "migrations").iterdir()
        if file.name.endswith(".sql")
    ]
    return sorted(found)


def migrate(client: Client, *, cluster: str | None = None) -> None:
    """Bring the database to the current version; on a `cluster`, with replicated tables on all of it.

    Raises:
        ConfigurationError: if the database has been migrated by other files than these.

    """
    names = {
        "replicated": "Replicated" if cluster else "",
        "on_cluster": f"ON CLUSTER `{cluster}`" if cluster else "",
    }
    client.command(Template(_LEDGER).substitute(names))
    rows = client.query("SELECT version, digest FROM schema_versions FINAL").result_rows
    applied = {int(row[0]): str(row[1]) for row in rows}
    for version, name, text in migrations():
        digest = sha256(text.encode()).hexdigest()
        if version in applied:
            if applied[version] != digest:
                raise ConfigurationError(f"migration {name} is not the one that this database was made with")
            continue
        # Every statement can be repeated, so an interrupted migration is run again.
        for statement in statements(Template(text).substitute(names)):
            client.command(statement)
        client.command(_NOTE, {"version": version, "name": name, "digest": digest})
        log.info("read model migrated", version=version, name=name)


def statements(text: str) -> list[str]:
    """Return the statements of a file; each ends with a semicolon at the end of a line."""
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    return [part.strip() for part in f"{chr(10).join(lines)}\n".split(";\n") if part.strip()]
