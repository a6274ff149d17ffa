"""Expiry of the tables by ClickHouse's TTL, by the month in which a run began.

Runs of a month expire together, because they share a partition of every table and ClickHouse drops whole
partitions. A report must never be counted from a partly removed run. So the tables of runs expire a day
before those of calls, results and lists, and queries leave expired runs out from that moment on, even before
ClickHouse removes them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from clickhouse_connect.driver.client import Client

from cato_contracts.instants import from_unix_ms
from cato_runtime.configuration.config import RetentionConfig

log = structlog.get_logger()

_MONTH_END = "toStartOfMonth(UUIDv7ToDateTime(run_id)) + INTERVAL 1 MONTH"
_RUNS = ("run_rows", "run_event_rows")
_CALLS = ("call_rows", "call_start_rows", "result_rows", "list_rows")
_EVENTS = ("call_event_rows",)
_NAMES = (
    *("list_rows.full_name", "list_rows.phones", "list_rows.emails", "list_rows.attributes"),
    *("list_rows.consent", "list_rows.shared_with", "call_rows.shared_with"),
    *("call_rows.number", "call_rows.subscriber_name", "call_start_rows.number", "result_rows.number"),
)
_NOTE = "INSERT INTO retention_rules (target, days) SELECT {target:String}, {days:UInt32}"
_LATER = 1
_FOR_EVER = 0


@dataclass(frozen=True, slots=True)
class Retention:
    """Days after the end of the month in which a run began; None is for ever."""

    calls: int | None = None
    events: int | None = None
    names: int | None = None

    @classmethod
    def of(cls, config: RetentionConfig) -> "Retention":
        """Return the rules of the configuration. Events carry names, and the calls are kept the longest."""
        calls, events, names = config.calls_days, config.events_days, config.names_days
        return cls(calls, _least(calls, events, names), _least(calls, names))

    @property
    def rules(self) -> dict[str, int]:
        """Return days by table, or by table and column."""
        rules = dict.fromkeys(_RUNS, self.calls or _FOR_EVER)
        rules |= dict.fromkeys(_CALLS, self.calls + _LATER if self.calls else _FOR_EVER)
        rules |= dict.fromkeys(_EVENTS, self.events or _FOR_EVER)
        # A column that is removed with its row needs no rule.
        own = self.names if self.names != self.calls else None
        return rules | dict.fromkeys(_NAMES, own or _FOR_EVER)

    @property
    def kept(self) -> str:
        """Return the condition, in SQL, that a run has not expired."""
        if self.calls is None:
            return "true"
        oldest = f"toStartOfMonth(now() - INTERVAL {self.calls} DAY)"
        return f"toStartOfMonth(UUIDv7ToDateTime(run_id)) >= {oldest}"

    def keeps(self, run_id: UUID, now: datetime) -> bool:
        """Return whether a run has not expired."""
        if self.calls is None:
            return True
        began = from_unix_ms(run_id.int >> 80)
        oldest = now.astimezone(UTC) - timedelta(days=self.calls)
        return (began.year, began.month) >= (oldest.year, oldest.month)


def apply_retention(client: Client, retention: Retention, *, cluster: str | None = None) -> None:
    """Set the rules on the tables, except those that are set already."""
    on_cluster = f" ON CLUSTER `{cluster}`" if cluster else ""
    rows = client.query("SELECT target, days FROM retention_rules FINAL").result_rows
    applied = {str(target): int(days) for target, days in rows}
    for target, days in retention.rules.items():
        if applied.get(target, _FOR_EVER) == days:
            continue
        client.command(_statement(target, days, on_cluster))
        client.command(_NOTE, {"target": target, "days": days})
        log.info("retention changed", target=target, days=days or None)


def _statement(target: str, days: int, on_cluster: str) -> str:
    table, _, column = target.partition(".")
    changed = f"MODIFY COLUMN {column} " if column else ""
    if days == _FOR_EVER:
        return f"ALTER TABLE {table}{on_cluster} {changed}REMOVE TTL"
    return f"ALTER TABLE {table}{on_cluster} {changed or 'MODIFY '}TTL {_MONTH_END} + INTERVAL {days} DAY"


def _least(*days: int | None) -> int | None:
    return min((each for each in days if each is not None), default=None)
