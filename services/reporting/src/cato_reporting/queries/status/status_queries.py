"""The queries of the status document."""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import NoReturn
from uuid import UUID

from cato_contracts.api.resources import Page
from cato_contracts.api.rules.approvals import Approval
from cato_contracts.api.rules.invalid_numbers import InvalidNumber, ListInvalidNumbers
from cato_contracts.api.status import (
    GetStatusText,
    GetTaskExec,
    ListTaskExecs,
    Report,
    StatusText,
    SubscriberFilter,
    TaskExec,
)
from cato_contracts.errors import TooLargeError
from cato_contracts.instants import unix_ms, whole_ms
from cato_contracts.messages.runs import RunSnapshot
from cato_contracts.paging import write_cursor
from cato_reporting.domain.approval import approval_of
from cato_reporting.domain.live_run import End, LiveRun, awaits_approval
from cato_reporting.domain.report import Numbers, end_reason, final_state, live_report, make_report
from cato_reporting.domain.written_detail import WrittenDetail
from cato_reporting.ports import ReadModel, StoredRun
from cato_reporting.projections.live.live_projection import LiveProjection
from cato_reporting.projections.tables.list_loader import ListLoader
from cato_reporting.queries.cursors import read_number, read_number_position, read_position
from cato_reporting.queries.read_barrier import ReadBarrier
from cato_reporting.queries.status.finished_runs import FinishedRuns
from cato_reporting.queries.status.run_lookup import RunLookup, check_seen
from cato_reporting.queries.status.written_documents import written_statuses
from cato_runtime.requests import RequestContext

_TEXT_BYTES = 500_000
"""The most compressed text in one answer. Base64 makes it a third larger; a message has at most 1 MB."""

RunPosition = tuple[int, str]
"""The position of a run in the list of runs: start in Unix ms, id."""


class StatusQueries:
    """Answers from the live projection while a run is followed, from the tables otherwise.

    Subscribers and calls always come from the tables. They are as recent as the report: a query waits until
    the tables have everything of its run that the live projection has, and has the batch in progress inserted
    at once. If that is not possible in time, the query is refused; no old document is given.
    """

    def __init__(  # noqa: PLR0917 - wired in one place
        self,
        live: LiveProjection,
        barrier: ReadBarrier,
        read_model: ReadModel,
        lists: ListLoader,
        finished: FinishedRuns,
        lookup: RunLookup,
    ) -> None:
        self._live = live
        self._barrier = barrier
        self._read_model = read_model
        self._lists = lists
        self._finished = finished
        self._lookup = lookup

    async def get_task_exec(self, query: GetTaskExec, context: RequestContext) -> TaskExec:
        live = await self._lookup.followed(query.id)
        if live is not None and live.snapshot is not None:
            check_seen(query.actor, live.snapshot)
            return _live_exec(live, context.now)
        async with self._barrier.consistent():
            stored = await self._lookup.stored(query.id, query.actor)
            return (await self._stored_execs([stored]))[0]

    async def list_task_execs(self, query: ListTaskExecs, context: RequestContext) -> Page[TaskExec]:
        position = read_position(query.cursor)
        before = None if position is None else (position[0], str(position[1]))
        await self._barrier.caught_up()
        live = [
            _live_exec(run, context.now)
            for run in self._live.runs.runs.values()
            if run.snapshot is not None
            and _listed(run, query)
            and query.task_id in {None, run.snapshot.task_id}
        ]
        stored: list[TaskExec] = []
        needs_older = query.active is not True and not query.awaits_approval
        if needs_older and not self._all_followed(query.ended_since):
            async with self._barrier.consistent():
                stored = await self._older(query, before, {each.id for each in live})
        found = [
            each
            for each in (*live, *stored)
            if query.active in {None, each.report.active_phase}
            and _ended_since(each, query.ended_since)
            and (before is None or _position_of(each) < before)
        ]
        found.sort(key=_position_of, reverse=True)
        page = found[: query.limit]
        more = len(found) > len(page)
        return Page[TaskExec](items=page, next_cursor=write_cursor(*_position_of(page[-1])) if more else None)

    async def get_status_text(self, query: GetStatusText, _context: RequestContext) -> StatusText:
        if query.filter is SubscriberFilter.NONE:
            return StatusText.of(b"", count=0)
        after = read_number(query.cursor)
        async with self._barrier.consistent():
            snapshot, wave = await self._lookup.snapshot(
                query.run_id, query.actor, needs_wave=query.filter is SubscriberFilter.FAILED
            )
            await self._barrier.stored(self._live.runs.last_position(query.run_id))
            await self._lists.ensure(snapshot)
            # Read one more than requested, to know whether more follow.
            detail = await self._read_model.written_detail(
                query.run_id,
                which=query.filter,
                wave=wave,
                after=after,
                limit=query.limit + 1,
                events=query.events,
            )
            nos = [subscriber.no for subscriber in detail.subscribers]
            if nos and snapshot.settings.retry_rules and self._is_active(query.run_id):
                due = await self._read_model.next_attempts(query.run_id, nos)
                detail = replace(detail, next_attempts=due)
        return await asyncio.to_thread(_text_of, detail, query.limit)

    def _all_followed(self, ended_since: datetime | None) -> bool:
        """Return whether no run that has ended since is in the tables only."""
        return ended_since is not None and ended_since > self._live.runs.settled_until

    async def list_invalid_numbers(
        self, query: ListInvalidNumbers, _context: RequestContext
    ) -> Page[InvalidNumber]:
        after = read_number_position(query.cursor)
        async with self._barrier.consistent():
            snapshot, _ = await self._lookup.snapshot(query.run_id, query.actor, needs_wave=False)
            await self._barrier.stored(self._live.runs.last_position(query.run_id))
            await self._lists.ensure(snapshot)
            found = await self._read_model.invalid_numbers(query.run_id, after=after, limit=query.limit + 1)
        page = found[: query.limit]
        more = len(found) > len(page)
        return Page[InvalidNumber](
            items=[number for _, number in page], next_cursor=write_cursor(*page[-1][0]) if more else None
        )

    def _is_active(self, run_id: UUID) -> bool:
        run = self._live.runs.get(run_id)
        return run is not None and run.end is None

    async def _older(
        self, query: ListTaskExecs, before: RunPosition | None, live: set[UUID]
    ) -> list[TaskExec]:
        await self._barrier.stored(self._live.runs.last_settled_position())
        # Followed runs are in the tables, too: read that many more, and one to know whether more follow.
        stored = await self._read_model.latest_runs(
            user_id=None if query.actor.admin else query.actor.user_id,
            task_id=query.task_id,
            ended_since=query.ended_since,
            before=before,
            limit=query.limit + len(live) + 1,
        )
        return await self._stored_execs(
            [run for run in stored if run.end and run.snapshot.run_id not in live]
        )

    async def _stored_execs(self, runs: list[StoredRun]) -> list[TaskExec]:
        numbers = await self._finished.numbers([run.snapshot.run_id for run in runs]) if runs else {}
        return [_stored_exec(run, numbers[run.snapshot.run_id]) for run in runs]


def _text_of(detail: WrittenDetail, limit: int) -> StatusText:
    written = list(written_statuses(detail))
    wanted = written[:limit]
    while True:
        more = len(wanted) < len(written)
        answer = StatusText.of(
            b",".join(text for _, text in wanted),
            count=len(wanted),
            next_cursor=write_cursor(wanted[-1][0]) if more else None,
        )
        if len(answer.data) <= _TEXT_BYTES:
            return answer
        if len(wanted) == 1:
            _refuse_large(wanted[0][0])
        wanted = wanted[: len(wanted) // 2]


def _ended_since(task_exec: TaskExec, since: datetime | None) -> bool:
    return since is None or task_exec.ended_at is None or task_exec.ended_at >= since


def _listed(run: LiveRun, query: ListTaskExecs) -> bool:
    """Return whether a list has this run: only the list of waiting runs has those of others to approve."""
    if run.snapshot is None:
        return False
    if query.awaits_approval:
        return awaits_approval(run) and run.snapshot.seen_by(query.actor)
    return query.actor.may_see(run.snapshot.user_id)


def _live_exec(run: LiveRun, now: datetime) -> TaskExec:
    snapshot, started_at = run.snapshot, run.started_at
    if snapshot is None or started_at is None:
        msg = "a run without a beginning has no report"
        raise ValueError(msg)
    ending = run.end.ending if run.end else None
    approval = approval_of(snapshot, run.decision, ending, expired=run.approval_expired)
    return _task_exec(snapshot, started_at, run.end, live_report(run, snapshot, now), approval)


def _stored_exec(run: StoredRun, numbers: Numbers) -> TaskExec:
    if run.end is None:
        msg = "an active run is reported from the live projection"
        raise ValueError(msg)
    report = make_report(run.snapshot, numbers, final_state(run.end), end_reason=end_reason(run.end))
    approval = approval_of(run.snapshot, run.decision, run.end.ending)
    return _task_exec(run.snapshot, run.started_at, run.end, report, approval)


def _task_exec(
    snapshot: RunSnapshot, started_at: datetime, end: End | None, report: Report, approval: Approval | None
) -> TaskExec:
    return TaskExec(
        id=snapshot.run_id,
        task_id=snapshot.task_id,
        user_id=snapshot.user_id,
        started_at=whole_ms(started_at),
        ended_at=whole_ms(end.at) if end else None,
        report=report,
        repeats=snapshot.repeats,
        test=snapshot.test,
        purpose=snapshot.purpose,
        approval=approval,
    )


def _refuse_large(no: int) -> NoReturn:
    raise TooLargeError(
        f"the calls of subscriber {no} have more events than one answer can carry; ask with events=false"
    )


def _position_of(task_exec: TaskExec) -> RunPosition:
    return unix_ms(task_exec.started_at), str(task_exec.id)
