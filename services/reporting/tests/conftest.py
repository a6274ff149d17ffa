import asyncio
import shutil
from pathlib import Path

import pytest

from cato_reporting.adapters.clickhouse.read_model import ClickHouseReadModel
from tests.support.servers import bus, clickhouse_over_http, clickhouse_server, nats_url
from tests.support.servers import clickhouse_dsn as empty_clickhouse_dsn

__all__ = ["bus", "clickhouse_over_http", "clickhouse_server", "empty_clickhouse_dsn", "nats_url"]


@pytest.fixture(scope="session")
def migrated_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of the embedded engine with empty tables: to make them takes longer than to copy them."""
    directory = tmp_path_factory.mktemp("tables") / "clickhouse"

    async def make() -> None:
        read_model = ClickHouseReadModel(f"chdb://{directory}")
        await read_model.open()
        await read_model.close()

    asyncio.run(make())
    return directory


@pytest.fixture
def clickhouse_dsn(empty_clickhouse_dsn: str, migrated_tables: Path) -> str:
    """The DSN of a database with empty tables."""
    scheme, _, directory = empty_clickhouse_dsn.partition("://")
    if scheme == "chdb":
        shutil.copytree(migrated_tables, directory, symlinks=True)
    return empty_clickhouse_dsn
