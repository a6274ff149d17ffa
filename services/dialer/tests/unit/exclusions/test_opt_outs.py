"""An opt-out in the log of a run becomes an entry of an exclusion list, with each new driver of the run."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from cato_contracts.api.rules.exclusions import ExcludedNumber, ExclusionChoice, ExclusionList
from cato_contracts.envelope import Envelope
from cato_contracts.errors import InvalidError
from cato_contracts.messages.audit import ChangeMade
from cato_contracts.messages.calls import CallEvent, CallEventKind
from cato_contracts.messages.campaign_commands import AddNotificationSettings, AddTask, FindTasksUsingFile
from cato_contracts.messages.exclusion_commands import (
    ListExcludedNumbers,
    ListExclusionLists,
    ReadmitNumber,
    RemoveExclusionList,
)
from cato_contracts.messages.jobs import DialJob
from cato_contracts.subjects import run_opt_out
from cato_dialer.campaign.role import CampaignRole
from services.dialer.tests.support.campaign_world import (
    NOW,
    OTHER,
    USER,
    Client,
    World,
    ended,
    people,
    publish_result,
    settings_spec,
    until,
)

CALL = uuid4()
NUMBER = "+70000000000"


class Audit:
    def __init__(self) -> None:
        self.changes: list[ChangeMade] = []

    async def append(self, change: Envelope[ChangeMade]) -> None:
        self.changes.append(change.body)


async def opt_out(world: World, run_id: UUID, call_id: UUID = CALL) -> None:
    """Write the event of a call of the run to the first number of the list."""
    event = CallEvent(
        run_id=run_id,
        no=0,
        wave=1,
        call_id=call_id,
        seq=9,
        kind=CallEventKind.OPTED_OUT,
        number=NUMBER,
        phone_index=0,
    )
    data = Envelope[CallEvent].wrap(event, event_id=event.event_id, occurred_at=NOW).encode()
    await world.runs.append(event.log_subject, data, expected=0, message_id=event.event_id)


async def job_of(world: World) -> DialJob:
    await until(lambda: bool(world.queue.jobs))
    return next(iter(world.queue.jobs.values()))


async def finish(world: World, run_id: UUID) -> None:
    for job in list(world.queue.jobs.values()):
        await publish_result(world.runs, job, notified=True)
    world.queue.jobs.clear()
    await until(lambda: ended(world.runs, run_id))


async def lists(client: Client) -> list[ExclusionList]:
    page = await client.ask(ListExclusionLists(actor=USER))
    found: list[ExclusionList] = page.items
    return found


async def listed(client: Client) -> list[ExcludedNumber]:
    page = await client.ask(ListExcludedNumbers(actor=USER, id=(await lists(client))[0].id))
    found: list[ExcludedNumber] = page.items
    return found


def test_the_event_has_a_subject_of_its_own_in_the_chain_of_the_subscriber() -> None:
    run_id = uuid4()
    assert run_opt_out(run_id, 7) == f"run.{run_id}.opt-out.7"


async def test_the_list_is_made_with_its_first_number_and_the_call_is_its_evidence():
    world, audit = World(), Audit()
    deps = world.deps()
    deps.audit = audit
    role = CampaignRole(deps)
    await role.start()
    client = Client(role.requests, world.objects, world.audio)
    run_id = await client.start(await client.add_task([people(1)], opt_out_key="9"))
    await job_of(world)
    assert await lists(client) == []
    await opt_out(world, run_id)
    await finish(world, run_id)
    (made,) = await lists(client)
    assert (made.name, made.user_id, made.number_count) == ("opt-out", "user", 1)
    (entry,) = await listed(client)
    assert (entry.number, entry.call_id, entry.expires_at) == (NUMBER, CALL, None)
    assert entry.reason == f"pressed 9 at 2025-03-03T12:00:00Z in execution {run_id}"
    (change,) = audit.changes
    assert (change.user_id, change.operation, change.resource_id) == ("user", "opt_out", str(made.id))
    assert change.after == {"number": NUMBER, "reason": entry.reason, "callId": str(CALL)}
    await role.stop()


async def test_the_list_of_the_settings_is_used_and_a_removed_one_has_a_successor():
    world = World()
    async with world.running() as client:
        for round_ in range(2):
            task = await client.add_task([people(1)], opt_out_key="9", opt_out_list="no calls")
            run_id = await client.start(task)
            await job_of(world)
            await opt_out(world, run_id, uuid4())
            await finish(world, run_id)
            (made,) = await lists(client)
            assert (made.name, made.number_count) == ("no calls", 1)
            if not round_:
                first = made.id
                await client.ask(RemoveExclusionList(actor=USER, id=first))
    assert made.id != first


async def test_a_run_does_not_end_before_its_opt_outs_are_listed_by_another_coordinator():
    world = World()
    async with world.running() as client:
        run_id = await client.start(await client.add_task([people(1)], opt_out_key="9"))
        job = await job_of(world)
    # No coordinator runs while the event and the result are written.
    await opt_out(world, run_id)
    await publish_result(world.runs, job, notified=True)
    world.queue.jobs.clear()
    async with world.running() as client:
        await until(lambda: ended(world.runs, run_id))
        assert [entry.number for entry in await listed(client)] == [NUMBER]


async def test_a_number_that_was_taken_off_again_is_not_put_back_by_another_coordinator():
    world = World()
    async with world.running() as client:
        run_id = await client.start(await client.add_task([people(1)], opt_out_key="9"))
        await job_of(world)
        await opt_out(world, run_id)
        async with asyncio.timeout(60):
            while not (known := await lists(client)) or not known[0].number_count:
                await asyncio.sleep(0.01)
        await client.ask(ReadmitNumber(actor=USER, id=known[0].id, number=NUMBER))
    async with world.running() as client:
        await finish(world, run_id)
        assert await listed(client) == []


async def test_a_task_with_lists_of_its_own_heeds_the_list_of_its_opt_outs():
    world = World()
    async with world.running() as client:
        task = await client.add_task([people(1)], opt_out_key="9")
        spec = task.model_dump(exclude={"id", "user_id", "version"}) | {"exclusion_lists": []}
        task = await client.ask(AddTask.model_validate({"actor": USER, "spec": spec}))
        run_id = await client.start(task)
        job = await job_of(world)
        await opt_out(world, run_id)
        await finish(world, run_id)
        (made,) = await lists(client)
        assert job.exclusions == ExclusionChoice(user_id="user", lists=[made.id])


async def test_the_file_is_stored_with_the_run_and_in_its_jobs():
    world = World()
    async with world.running() as client:
        file = await client.add_file(b"\xd5" * 4000)
        task = await client.add_task([people(1)], opt_out_key="9", opt_out_file=file.id)
        await client.start(task)
        prompt = (await job_of(world)).opt_out_prompt
        assert prompt is not None
        assert prompt.duration_ms == 500
        assert await client.ask(FindTasksUsingFile(actor=USER, file_id=file.id)) == [task.id]


async def test_without_a_key_nothing_is_stored_with_the_run():
    world = World()
    async with world.running() as client:
        run_id = await client.start(await client.add_task([people(1)]))
        await job_of(world)
        life = await world.runs.last(f"run.{run_id}.life")
        assert "opt_out" not in json.dumps(json.loads(life.data))


@pytest.mark.parametrize("user", [None, OTHER.user_id])
async def test_a_file_that_the_user_does_not_have_is_rejected(user: str | None):
    world = World()
    async with world.running() as client:
        file_id = uuid4() if user is None else (await client.add_file(user=user)).id
        spec = settings_spec(opt_out_key="9", opt_out_file=file_id)
        with pytest.raises(InvalidError, match=f"optOutFile: there is no audio file {file_id}"):
            await client.ask(AddNotificationSettings(actor=USER, spec=spec))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"optOutFile": str(uuid4())}, "optOutFile needs optOutKey"),
        ({"optOutList": "x"}, "optOutList needs optOutKey"),
        (
            {"optOutKey": "1", "success_condition": "PICKUP_AND_CONFIRM"},
            r"optOutKey should be a key that confirmCode \(1\) does not have, not 1",
        ),
        (
            {"repeatKey": "2", "confirmCode": "12", "success_condition": "PICKUP_AND_CONFIRM"},
            r"repeatKey should be a key that confirmCode \(12\) does not have, not 2",
        ),
        ({"optOutKey": "*", "repeatKey": "*"}, r"repeatKey should be another key than optOutKey, not \*"),
        ({"optOutKey": "A"}, "optOutKey"),
        ({"optOutKey": "12"}, "optOutKey"),
    ],
)
def test_keys_with_two_meanings_or_none_are_rejected(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        settings_spec(**fields)


def test_a_code_that_is_not_awaited_bars_no_key() -> None:
    assert settings_spec(optOutKey="1").opt_out_key == "1"
