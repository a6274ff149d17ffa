"""Conditions on calls as SQL.

There are two kinds. Values that a call has from its first event (start, number, run) are matched in
call_start_rows, which is sorted by time and has Bloom filters for numbers, runs and calls. The others
(station, outcome, name) are matched in merged rows: before merging, each part of a call may fail a condition
that the whole call meets.

A view of 300,000 calls, two cores: by number 3 ms for the keys (a scan of all calls takes 13 ms and grows
with the history, the filters' 8 kB per 8,192 calls hardly do), 25 to 40 ms with the columns of the calls.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cato_contracts.instants import unix_ms
from cato_reporting.ports import CallPosition, CallSelection

LATEST_MS = 7_258_118_400_000
"""2200-01-01: no event is later, and ClickHouse's times end in 2299."""

START_MS = "toUnixTimestamp64Milli(started_at)"


_LISTED = (
    "(run_id, subscriber_no) IN"
    " (SELECT run_id, ifNull(household_no, subscriber_no) FROM list_rows"
    " WHERE run_id IN ({runs}) AND {names})"
)


@dataclass(frozen=True, slots=True)
class Conditions:
    """`starts` are on call_start_rows, `merged` on the view calls; `values` are the parameters of both."""

    starts: list[str]
    merged: list[str]
    values: dict[str, Any]

    @property
    def keys(self) -> str:
        """Return the keys of the calls that meet `starts`."""
        return self.keys_with()

    def keys_with(self, *more: str) -> str:
        return (
            "SELECT run_id, subscriber_no, call_id FROM call_start_rows"  # noqa: S608 - our own words
            f" WHERE {' AND '.join((*self.starts, *more))}"
        )


def conditions(selection: CallSelection, *, kept: str) -> Conditions:
    """Return the conditions of a selection; `kept` is the condition that a run has not expired."""
    where = selection.where
    values: dict[str, Any] = {}
    runs = f"SELECT run_id FROM runs WHERE {kept}"  # noqa: S608 - our own words
    if selection.user_id is not None:
        runs += " AND user_id = {user:String}"
        values["user"] = selection.user_id
    starts = [f"run_id IN ({runs})"]
    merged = []
    if where.since is not None:
        starts.append("started_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')")
        values["since"] = _from_ms(where.since)
    if where.until is not None:
        starts.append("started_at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')")
        values["until"] = _from_ms(where.until)
    if selection.numbers:
        starts.append("number IN {numbers:Array(String)}")
        values["numbers"] = list(selection.numbers)
    if where.run_id is not None:
        starts.append("run_id = {run:UUID}")
        values["run"] = where.run_id
    if where.sip_call_id is not None:
        starts.append(
            "call_id IN (SELECT call_id FROM call_event_rows WHERE sip_call_id = {sip_call_id:String})"
        )
        values["sip_call_id"] = where.sip_call_id
    if where.station_id is not None:
        merged.append("station_id = {station:UUID}")
        values["station"] = where.station_id
    if where.outcome is not None:
        merged.append("outcome = {outcome:String}")
        values["outcome"] = where.outcome.value
    if where.name is not None:
        starts += _in_lists(where.name, runs) if selection.listed else []
        words, patterns = named("subscriber_name", where.name)
        of_others, _ = named("other", where.name)
        shared = f"arrayExists(other -> {' AND '.join(of_others)}, shared_with)"
        merged.append(f"({' AND '.join(words)} OR {shared})")
        values |= patterns
    return Conditions(starts, merged, values)


def _in_lists(name: str, runs: str) -> list[str]:
    """Return the condition that the list of the run has the name: without it, all calls would be merged."""
    words, _ = named("full_name", name)
    return [_LISTED.format(runs=runs, names=" AND ".join(words))]


def named(column: str, name: str) -> tuple[list[str], dict[str, str]]:
    """Return the conditions that every word is part of a name, in any case, and their parameters.

    The letters `ё` and `е` are one. The embedded engine has no function for lower case, but RE2 folds it.
    """
    words = [re.escape(word).replace("е", "[её]") for word in name.lower().replace("ё", "е").split()]
    conditions = [f"match({column}, {{word_{place}:String}})" for place in range(len(words))]
    return conditions, {f"word_{place}": f"(?i){word}" for place, word in enumerate(words)}


def beyond(name: str, comparison: str) -> str:
    """Return the condition that compares a call's cursor with the cursor in the parameters `name_*`."""
    at = f"fromUnixTimestamp64Milli({{{name}_at:Int64}}, 'UTC')"
    # The first half is redundant, but it lets ClickHouse use the primary key.
    return (
        f"started_at {comparison[0]}= {at} AND (started_at, call_id) {comparison} ({at}, {{{name}_id:UUID}})"
    )


def cursor_values(name: str, cursor: CallPosition) -> dict[str, Any]:
    return {f"{name}_at": cursor[0], f"{name}_id": cursor[1]}


def _from_ms(at: datetime) -> int:
    """Round up to whole milliseconds, in which events are stored."""
    milliseconds = unix_ms(at)
    whole = milliseconds if at.microsecond % 1000 == 0 else milliseconds + 1
    return min(max(whole, 0), LATEST_MS)
