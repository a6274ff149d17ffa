"""Several runs of two users whose lists share numbers."""

import asyncio
import json
from itertools import cycle
from uuid import UUID, uuid5

from cato_contracts.api.resources import SettingsSpec, SuccessCondition, TaskSpec
from cato_contracts.api.rules.exclusions import ExclusionScope
from cato_contracts.errors import ErrorCode
from cato_contracts.messages.campaign_commands import (
    AddNotificationSettings,
    AddSubscriberGroup,
    AddTask,
    ListFormat,
    ResumeRun,
    StartTask,
)
from cato_contracts.objects import Bucket
from cato_contracts.requests import Actor
from cato_jetstream import Record
from services.dialer.tests.support.rules.memory_contacts import MemoryContacts
from tests.simulation.world.disturbances import arrange_disturbances
from tests.simulation.world.history import SharedNumbers
from tests.simulation.world.judgement.exclusions import Exclude, ExclusionWitness
from tests.simulation.world.shared.many_runs_judge import ManyRunsJudge, shared_number
from tests.simulation.world.world import AFTERMATH_S, SPACE, World

ADMIN = Actor(user_id="admin", admin=True)
USERS = (Actor(user_id="user"), Actor(user_id="other"))


class SystemExclusions(ExclusionWitness):
    """Numbers of all runs, which an administrator excludes for all users."""

    def number_of(self, one: Exclude) -> str | None:
        return shared_number(one.no)


class ManyRuns(World):
    """At the exchange, a number stands for its "subscriber": no two calls to one are up at once."""

    history: SharedNumbers
    judge: ManyRunsJudge
    judge_type = ManyRunsJudge

    def __init__(self, history: SharedNumbers) -> None:
        super().__init__(history)
        self.contacts = self.records = MemoryContacts(self.clock, history.limits)
        self.exchange.may_be_called = lambda _: None
        self.exclusions = SystemExclusions(self, ADMIN, ExclusionScope.SYSTEM)
        self.exchange.witness = self.judge.invited
        self.exchange.on_gone = self.judge.contacts.gone
        self._ended: set[UUID] = set()
        self._starting = len(history.lists)
        self._run_ids: list[UUID] = []

    async def live(self) -> None:
        self._begin()
        arrange_disturbances(self)
        for place, (people, at) in enumerate(
            zip(self.history.lists, cycle(self.history.starts), strict=False)
        ):
            self._spawn(self._run_list(place, people, at))
        self._spawn(self._control())
        self._spawn(self.exclusions.run())
        try:
            async with asyncio.timeout(self._longest_s):
                await self._over.wait()
        except TimeoutError:
            self.violated(f"the runs do not end: {len(self._ended)} of {len(self.history.lists)} have")
        await asyncio.sleep(AFTERMATH_S)
        await self._close()
        self.judge.judge()

    async def _run_list(self, place: int, people: tuple[tuple[int, ...], ...], at: float) -> None:
        await asyncio.sleep(at)
        user = USERS[place % len(USERS)]
        rows = [
            {"fullName": f"N{place}-{no}", "phones": [shared_number(one) for one in numbers]}
            for no, numbers in enumerate(people)
        ]
        upload = await self.objects.put(Bucket.UPLOADS, f"list-{place}", json.dumps(rows).encode())
        group = await self._made(
            AddSubscriberGroup(actor=user, name=f"g{place}", format=ListFormat.JSON, upload=upload),
            f"add-group-{place}",
        )
        spec = {
            "name": f"s{place}",
            "attempt_count": 2,
            "success_condition": SuccessCondition.PICKUP_AND_LISTEN_FULL,
            "max_answer_delay_s": 3,
            **self.history.settings,
        }
        settings = await self._made(
            AddNotificationSettings(actor=user, spec=SettingsSpec.model_validate(spec)),
            f"add-settings-{place}",
        )
        task = TaskSpec(
            name=f"t{place}",
            settings=settings["id"],
            files=[await self._file(user)],
            groups=[group["id"]],
            expires_at=self._in(self.history.expires_in_s),
            **self.history.task,
        )
        added = await self._made(AddTask(actor=user, spec=task), f"add-task-{place}")
        answer = await self.ask(StartTask(actor=user, id=added["id"]), f"start-{place}")
        self._starting -= 1
        if answer.error is not None:
            if self.history.expires_in_s is None:
                self.violated(f"run {place} does not start: {answer.error}")
        else:
            assert isinstance(answer.value, dict)
            self._run_ids.append(UUID(str(answer.value["task_exec_id"])))
        self._note_end()

    async def _file(self, user: Actor) -> UUID:
        file = self.audio.known[await self._prompt()]
        own = file.model_copy(update={"id": uuid5(SPACE, user.user_id), "user_id": user.user_id})
        self.audio.known[own.id] = own
        return own.id

    async def _control(self) -> None:
        began = asyncio.get_running_loop().time()
        for place, control in enumerate(sorted(self.history.controls, key=lambda control: control.at)):
            await asyncio.sleep(max(0.0, began + control.at - asyncio.get_running_loop().time()))
            # A pause is ended for all of them.
            runs = self._run_ids if control.action is ResumeRun else self._run_ids[place % 5 :][:1]
            for no, run_id in enumerate(tuple(runs)):
                more = {} if control.action is ResumeRun else {"hangup": control.hangup}
                request = control.action.model_validate({"actor": ADMIN, "id": run_id, **more})
                answer = await self.ask(request, f"control-{place}-{no}")
                if answer.error is not None and answer.error.code is not ErrorCode.CONFLICT:
                    self.violated(f"{control} is answered with {answer.error}")

    def _look_for_the_end(self, record: Record) -> None:
        for run_id in self.judge.of_run:
            if self.events.knows(f"{record.subject}:run-ended:{run_id}"):
                self._ended.add(run_id)
        self._note_end()

    def _note_end(self) -> None:
        if not self._starting and self._ended >= set(self._run_ids):
            self._over.set()
