"""Media, dialer and reporting in memory, for tests: enough of their rules to give every answer."""

import hashlib
from typing import Any, TypeVar
from uuid import UUID, uuid4

from cato_contracts.api import checks, status
from cato_contracts.api.resources import (
    AudioFile,
    Contact,
    NotificationSettings,
    Page,
    StartResult,
    SubscriberGroup,
    Task,
    TaskStart,
)
from cato_contracts.api.stations import ListStations, StationState, StationView
from cato_contracts.envelope import Answer, Envelope, decode
from cato_contracts.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    UnsupportedMediaError,
)
from cato_contracts.messages import audio_commands as audio
from cato_contracts.messages import campaign_commands as campaign
from cato_contracts.objects import Bucket, ObjectRef
from cato_contracts.requests import Actor, Command, Request
from cato_dialer.campaign.handlers.uploaded_lists import UploadedLists
from cato_runtime.clock import SystemClock
from cato_runtime.objects import ObjectStore
from cato_runtime.requests import RequestContext, RequestTable, refusal
from tests.support.gateway.approvals import MemoryApprovals
from tests.support.gateway.exclusions import MemoryExclusions
from tests.support.gateway.history import MemoryHistory
from tests.support.gateway.resources import (
    check_version,
    new_report,
    own,
    owner_of,
    page_of,
    part_of,
    subscriber_status,
)
from tests.support.gateway.rules import MemoryContactLimits, MemoryPacingRules
from tests.support.gateway.sip_traces import MemoryTraces
from tests.support.lists.direct_list_reader import DirectListReader

R = TypeVar("R")

NOT_AUDIO = b"PK\x03\x04"


class MemoryServices:
    """Media, dialer and reporting: an `Asker` whose messages really are encoded and decoded."""

    def __init__(self, objects: ObjectStore) -> None:
        self.objects = objects
        self.lists = UploadedLists(objects, DirectListReader(), limit=1_000_000)
        self.asked: list[Envelope[Any]] = []
        self.waits: list[float | None] = []
        self.audio: dict[UUID, AudioFile] = {}
        self.groups: dict[UUID, tuple[SubscriberGroup, ObjectRef]] = {}
        self.settings: dict[UUID, NotificationSettings] = {}
        self.tasks: dict[UUID, Task] = {}
        self.running: dict[UUID, UUID] = {}
        self.runs: dict[UUID, status.TaskExec] = {}
        self.history = MemoryHistory(self.runs)
        self.stations = [
            StationView(
                id=uuid4(),
                name="main",
                engine="dense",
                state=StationState.UP,
                channels=30,
                channels_in_use=2,
                dialers=1,
            )
        ]
        self.subscribers: dict[UUID, list[status.SubscriberStatus]] = {}
        self.page_size = 1000
        self.closed = False
        self.storage_failed: str | None = None
        self.ready = {"media": True, "dialer": True, "reporting": True}
        self.failures: list[Exception] = []
        self._done: dict[str, Answer] = {}
        self.table = RequestTable()
        self.exclusions = MemoryExclusions(objects, self.table)
        self.approvals = MemoryApprovals(self.table, self.runs)
        self._serve()

    async def ask(
        self,
        request: Request[R],
        *,
        command_id: str | None = None,
        correlation_id: str | None = None,
        timeout: float = 10.0,
        wait: float | None = None,
    ) -> R:
        self.waits.append(wait)
        event_id = command_id or str(uuid4())
        now = SystemClock().now()
        envelope = Envelope[Any].wrap(
            request, event_id=event_id, occurred_at=now, correlation_id=correlation_id
        )
        self.asked.append(envelope)
        answer = self._done.get(event_id) if isinstance(request, Command) else None
        if answer is None:
            answer = await self.table.dispatch(decode(envelope.encode()))
            if isinstance(request, Command) and answer.ok:
                self._done[event_id] = answer
        if self.failures:
            raise self.failures.pop(0)
        answer = Answer.model_validate_json(answer.model_dump_json())
        if answer.error is not None:
            raise refusal(answer.error)
        value: R = request.answer_type().validate_python(answer.value)
        return value

    async def states(self) -> dict[str, bool]:
        return dict(self.ready)

    def storage_fault(self) -> str | None:
        return self.storage_failed

    def broker_closed(self) -> bool:
        return self.closed

    def _serve(self) -> None:
        on = self.table.add
        MemoryPacingRules(self.table)
        MemoryTraces(self.table)
        MemoryContactLimits(self.table)
        on(audio.AddAudioFile, self._add_audio)
        on(audio.GetAudioFile, self._get_audio)
        on(audio.ListAudioFiles, self._list_audio)
        on(audio.RemoveAudioFile, self._remove_audio)
        on(campaign.AddSubscriberGroup, self._add_group)
        on(campaign.ReplaceSubscriberGroup, self._replace_group)
        on(campaign.CheckSubscriberList, self._check_list)
        on(campaign.GetSubscriberGroup, self._get_group)
        on(campaign.LocateSubscribers, self._locate)
        on(campaign.ListSubscriberGroups, self._list_groups)
        on(campaign.RemoveSubscriberGroup, self._remove_group)
        on(campaign.AddNotificationSettings, self._add_settings)
        on(campaign.ReplaceNotificationSettings, self._replace_settings)
        on(campaign.GetNotificationSettings, self._get_settings)
        on(campaign.ListNotificationSettings, self._list_settings)
        on(campaign.RemoveNotificationSettings, self._remove_settings)
        on(campaign.AddTask, self._add_task)
        on(campaign.ReplaceTask, self._replace_task)
        on(campaign.GetTask, self._get_task)
        on(campaign.ListTasks, self._list_tasks)
        on(campaign.RemoveTask, self._remove_task)
        on(campaign.StartTask, self._start)
        on(checks.CheckTask, self._check_task)
        on(campaign.CallTester, self._start)
        on(campaign.RepeatUnreached, self._repeat)
        on(campaign.PauseRun, self._control)
        on(campaign.ResumeRun, self._control)
        on(campaign.StopRun, self._control)
        on(ListStations, self._list_stations)
        on(status.GetTaskExec, self._get_exec)
        on(status.ListTaskExecs, self._list_execs)
        on(status.GetStatusText, self._get_status_text)
        self.history.serve(self.table)

    def run_on(self, run_id: UUID, **numbers: Any) -> status.TaskExec:
        """Let a run come to other numbers."""
        run = self.runs[run_id]
        report = run.report.model_copy(update=numbers)
        self.runs[run_id] = run.model_copy(update={"report": report})
        return self.runs[run_id]

    async def _add_audio(self, request: audio.AddAudioFile, context: RequestContext) -> AudioFile:
        content = await self.objects.get(request.upload)
        if content.startswith(NOT_AUDIO):
            raise UnsupportedMediaError("this is no audio")
        digest = hashlib.sha256(content).hexdigest()
        for file in self.audio.values():
            if (file.name, file.user_id) == (request.name, request.actor.user_id):
                if file.sha256 == digest:
                    return file
                raise ConflictError(f"another file is named {request.name}", resource_id=str(file.id))
        ref = await self.objects.put(Bucket.PROMPTS, digest, content)
        file = AudioFile(
            id=uuid4(),
            name=request.name,
            user_id=request.actor.user_id,
            duration_ms=len(content) // 8,
            size_bytes=len(content),
            sha256=digest,
            created_at=context.now,
            content=ref,
        )
        self.audio[file.id] = file
        return file

    async def _get_audio(self, request: audio.GetAudioFile, _: RequestContext) -> AudioFile:
        return own(self.audio, request.id, request.actor)

    async def _list_audio(self, request: audio.ListAudioFiles, _: RequestContext) -> Page[AudioFile]:
        return page_of(self.audio.values(), request)

    async def _remove_audio(self, request: audio.RemoveAudioFile, _: RequestContext) -> None:
        own(self.audio, request.id, request.actor)
        self._refuse_used(request.id, [*(id_ for task in self.tasks.values() for id_ in task.files)])
        del self.audio[request.id]

    async def _add_group(
        self, request: campaign.AddSubscriberGroup, context: RequestContext
    ) -> SubscriberGroup:
        return await self._keep_group(uuid4(), request.name, request, context)

    async def _replace_group(
        self, request: campaign.ReplaceSubscriberGroup, context: RequestContext
    ) -> SubscriberGroup:
        old = self._group(request.id, request.actor)[0]
        check_version(old, request)
        return await self._keep_group(old.id, old.name, request, context, old.version + 1)

    async def _keep_group(
        self, id_: UUID, name: str, request: Any, context: RequestContext, version: int = 1
    ) -> SubscriberGroup:
        stored = await self.lists.store(request, id_, context)
        group = SubscriberGroup(
            id=id_,
            name=name,
            user_id=request.actor.user_id,
            subscriber_count=stored.count,
            created_at=context.now,
            version=version,
        )
        self.groups[id_] = (group, stored.subscribers)
        found = stored.duplicates
        return group.model_copy(update={"duplicates": found if found.persons or found.numbers else None})

    async def _check_list(
        self, request: campaign.CheckSubscriberList, context: RequestContext
    ) -> campaign.SubscriberListCheck:
        return await self.lists.check(request, context)

    def _group(self, id_: UUID, actor: Actor) -> tuple[SubscriberGroup, ObjectRef]:
        if id_ not in self.groups or not actor.may_see(self.groups[id_][0].user_id):
            raise NotFoundError("there is no such group", resource_id=str(id_))
        return self.groups[id_]

    async def _get_group(self, request: campaign.GetSubscriberGroup, _: RequestContext) -> SubscriberGroup:
        return self._group(request.id, request.actor)[0]

    async def _locate(self, request: campaign.LocateSubscribers, _: RequestContext) -> ObjectRef:
        return self._group(request.id, request.actor)[1]

    async def _list_groups(
        self, request: campaign.ListSubscriberGroups, _: RequestContext
    ) -> Page[SubscriberGroup]:
        return page_of([group for group, _ in self.groups.values()], request)

    async def _remove_group(self, request: campaign.RemoveSubscriberGroup, _: RequestContext) -> None:
        check_version(self._group(request.id, request.actor)[0], request)
        self._refuse_used(request.id, [*(id_ for task in self.tasks.values() for id_ in task.groups)])
        del self.groups[request.id]

    async def _add_settings(
        self, request: campaign.AddNotificationSettings, _: RequestContext
    ) -> NotificationSettings:
        return self._keep_settings(uuid4(), request)

    async def _replace_settings(
        self, request: campaign.ReplaceNotificationSettings, _: RequestContext
    ) -> NotificationSettings:
        old = own(self.settings, request.id, request.actor)
        check_version(old, request)
        return self._keep_settings(request.id, request, old.version + 1)

    def _keep_settings(self, id_: UUID, request: Any, version: int = 1) -> NotificationSettings:
        owner = owner_of(request.owner, request.actor)
        kept = NotificationSettings(**request.spec.model_dump(), id=id_, user_id=owner, version=version)
        self.settings[id_] = kept
        return kept

    async def _get_settings(
        self, request: campaign.GetNotificationSettings, _: RequestContext
    ) -> NotificationSettings:
        return own(self.settings, request.id, request.actor)

    async def _list_settings(
        self, request: campaign.ListNotificationSettings, _: RequestContext
    ) -> Page[NotificationSettings]:
        return page_of(self.settings.values(), request)

    async def _remove_settings(self, request: campaign.RemoveNotificationSettings, _: RequestContext) -> None:
        check_version(own(self.settings, request.id, request.actor), request)
        self._refuse_used(request.id, [task.settings for task in self.tasks.values()])
        del self.settings[request.id]

    async def _add_task(self, request: campaign.AddTask, _: RequestContext) -> Task:
        return self._keep_task(uuid4(), request)

    async def _replace_task(self, request: campaign.ReplaceTask, _: RequestContext) -> Task:
        old = own(self.tasks, request.id, request.actor)
        check_version(old, request)
        return self._keep_task(request.id, request, old.version + 1)

    def _keep_task(self, id_: UUID, request: Any, version: int = 1) -> Task:
        spec = request.spec
        known = {*self.audio, *self.groups, *self.settings}
        unknown = [str(id_) for id_ in (spec.settings, *spec.files, *spec.groups) if id_ not in known]
        if unknown:
            raise InvalidError(f"unknown ids: {', '.join(unknown)}")
        owner = owner_of(request.owner, request.actor)
        task = Task(**spec.model_dump(), id=id_, user_id=owner, version=version)
        self.tasks[id_] = task
        return task

    async def _get_task(self, request: campaign.GetTask, _: RequestContext) -> Task:
        return own(self.tasks, request.id, request.actor)

    async def _list_tasks(self, request: campaign.ListTasks, _: RequestContext) -> Page[Task]:
        return page_of(self.tasks.values(), request)

    async def _remove_task(self, request: campaign.RemoveTask, _: RequestContext) -> None:
        check_version(own(self.tasks, request.id, request.actor), request)
        del self.tasks[request.id]

    async def _start(self, request: Any, context: RequestContext) -> TaskStart:
        task = own(self.tasks, request.id, request.actor)
        if request.id in self.running:
            raise ConflictError("the task is being executed", resource_id=str(self.running[request.id]))
        run_id = self.running[request.id] = uuid4()
        count = sum(self.groups[id_][0].subscriber_count for id_ in task.groups)
        self.runs[run_id] = status.TaskExec(
            id=run_id,
            task_id=task.id,
            user_id=task.user_id,
            started_at=context.now,
            ended_at=None,
            report=new_report(task.name, count),
        )
        people = []
        for id_ in task.groups:
            raw = await self.objects.get(self.groups[id_][1])
            people += [Contact.model_validate_json(line) for line in raw.splitlines()]
        self.subscribers[run_id] = [
            subscriber_status(person, failed=no % 2 == 1) for no, person in enumerate(people)
        ]
        return TaskStart(task_exec_id=run_id, result=StartResult.SUCCESS)

    async def _check_task(self, request: checks.CheckTask, _: RequestContext) -> checks.TaskCheck:
        task = own(self.tasks, request.id, request.actor)
        count = sum(self.groups[id_][0].subscriber_count for id_ in task.groups)
        warnings = []
        if task.id in self.running:
            warnings.append(
                checks.CheckWarning(code=checks.CheckCode.RUNNING, message="it is being executed")
            )
        return checks.TaskCheck(
            subscribers=count,
            numbers=count,
            implausible_numbers=0,
            channels=30,
            stations_up=1,
            message_ms=6400,
            may_call_now=True,
            shortest_s=12,
            longest_s=600,
            warnings=warnings,
        )

    async def _repeat(self, request: campaign.RepeatUnreached, context: RequestContext) -> TaskStart:
        own(self.tasks, request.id, request.actor)
        earlier = [run.id for run in self.runs.values() if run.task_id == request.id]
        repeated = request.run_id or next(reversed(earlier), None)
        if repeated is None:
            raise ConflictError("it has not been started yet", resource_id=str(request.id))
        if request.run_id is not None and request.run_id not in earlier:
            raise NotFoundError("there is no such execution", resource_id=str(request.run_id))
        started = await self._start(request, context)
        run_id = started.task_exec_id
        assert run_id is not None
        self.runs[run_id] = self.runs[run_id].model_copy(update={"repeats": repeated})
        return started

    async def _control(self, request: Any, _: RequestContext) -> None:
        own(self.runs, request.id, request.actor)

    async def _list_stations(self, _: ListStations, __: RequestContext) -> Page[StationView]:
        return Page(items=self.stations)

    async def _get_exec(self, request: status.GetTaskExec, _: RequestContext) -> status.TaskExec:
        return own(self.runs, request.id, request.actor)

    async def _list_execs(self, request: status.ListTaskExecs, _: RequestContext) -> Page[status.TaskExec]:
        if request.awaits_approval:
            return self.approvals.waiting(request)
        runs = [
            run
            for run in self.runs.values()
            if request.task_id in {None, run.task_id} and request.active in {None, run.report.active_phase}
            if request.ended_since is None
            or run.report.active_phase
            or (run.ended_at is not None and run.ended_at >= request.ended_since)
        ]
        return page_of(runs, request)

    async def _get_status_text(self, request: status.GetStatusText, _: RequestContext) -> status.StatusText:
        own(self.runs, request.run_id, request.actor)
        found = self.subscribers[request.run_id]
        if request.filter in {status.SubscriberFilter.FAILED, status.SubscriberFilter.UNREACHED}:
            found = [each for each in found if not each.notified]
        page = part_of(found, min(request.limit, self.page_size), request.cursor)
        text = ",".join(item.model_dump_json(by_alias=True) for item in page.items)
        return status.StatusText.of(text.encode(), count=len(page.items), next_cursor=page.next_cursor)

    def _refuse_used(self, id_: UUID, used: list[UUID]) -> None:
        if id_ in used:
            raise ConflictError("a task uses it", resource_id=str(id_))
