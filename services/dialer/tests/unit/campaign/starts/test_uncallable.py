"""How many people a check leaves out, by exclusion lists and limits of contacts."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cato_contracts.api.checks import CheckCode, CheckTask
from cato_contracts.api.rules.contacts import (
    CallLimit,
    ContactLimits,
    ContactLimitsOwner,
    StoredContactLimits,
)
from cato_contracts.api.rules.exclusions import Exclusion, ExclusionScope
from cato_contracts.instants import unix_ms
from cato_contracts.messages.campaign_commands import ListFormat
from cato_contracts.messages.exclusion_commands import AddExclusionList, ExcludeNumber
from cato_contracts.numbering import Numbering
from cato_dialer.campaign.domain.lists.list_numbers import ListNumbers
from cato_dialer.contacts import Contact, NumberRecord
from services.dialer.tests.support.campaign_world import USER, World

PEOPLE = json.dumps(
    [
        {"fullName": "Ivan", "phones": ["+73432110001", "+73432110002"]},
        {"fullName": "Olga", "phones": ["+73432110001"]},
        {"fullName": "Pavel", "phones": ["83432110003"]},
        {"fullName": "Pavel", "phones": ["83432110003"]},
        {"fullName": "Code", "phones": ["*21*12345678901234#"]},
    ]
).encode()
DAY = 86_400


@pytest.fixture
def world():
    return World()


async def check(client, task):
    found = await client.ask(CheckTask(actor=USER, id=task.id))
    codes = {warning.code for warning in found.warnings}
    assert (CheckCode.EXCLUDED in codes) == (found.excluded > 0)
    assert (CheckCode.LIMITED in codes) == (found.limited != 0)
    return found.excluded, found.limited


async def exclude(client, *numbers):
    upload = await client.upload(b"[]")
    command = AddExclusionList(
        actor=USER, name="asked", scope=ExclusionScope.USER, format=ListFormat.JSON, upload=upload
    )
    stored = await client.ask(command)
    for number in numbers:
        await client.ask(ExcludeNumber(actor=USER, id=stored.id, exclusion=Exclusion(number=number)))
    return stored


def called(world, number, *, ago_s=60, user="user"):
    at = unix_ms(world.clock.now() - timedelta(seconds=ago_s))
    record = NumberRecord(calls=(Contact(at=at, over=at, user_id=user),))
    world.contact_limits.known[Numbering().canonical(number)] = record


async def test_without_lists_and_limits_nobody_is_left_out(world, monkeypatch):
    async with world.running() as client:
        called(world, "+73432110001")
        assert await check(client, await client.add_task([PEOPLE])) == (0, 0)


async def test_people_whose_numbers_are_all_excluded_are_counted(world):
    async with world.running() as client:
        task = await client.add_task([PEOPLE])
        await exclude(client, "83432110001", "*21*12345678901234#")
        assert await check(client, task) == (2, 0)
        await exclude(client, "+73432110002", "+73432110003")
        assert await check(client, task) == (4, 0)


async def test_people_whom_limits_hold_up_are_counted_apart(world):
    own = ContactLimits(limits=[CallLimit(max_calls=1, per_s=DAY)])
    async with world.running() as client:
        task = await client.add_task([PEOPLE], contact_limits=own)
        called(world, "+73432110003")
        called(world, "+73432110002")
        assert await check(client, task) == (0, 1)
        await exclude(client, "+73432110001")
        assert await check(client, task) == (1, 2)
        world.clock.ahead = timedelta(days=2)
        assert await check(client, task) == (1, 0)


async def test_a_gap_of_the_system_holds_up_whoever_was_called_by_another_user(world):
    await world.contact_limits.put(StoredContactLimits(scope=ContactLimitsOwner.SYSTEM, min_gap_s=600))
    async with world.running() as client:
        task = await client.add_task([PEOPLE])
        called(world, "+73432110003", user="other")
        assert await check(client, task) == (0, 1)


async def test_people_are_not_counted_by_limits_if_too_many_numbers_were_called(world, monkeypatch):
    monkeypatch.setattr("cato_dialer.campaign.handlers.starts.uncallable._MOST_RECORDS", 1)
    await world.contact_limits.put(StoredContactLimits(scope=ContactLimitsOwner.SYSTEM, min_gap_s=600))
    async with world.running() as client:
        task = await client.add_task([PEOPLE])
        called(world, "+73432110002")
        called(world, "+73432110003")
        assert await check(client, task) == (0, None)


numbers = st.sampled_from(["1", "2", "3", "+74", "*21*12345678901234#", "*21*12345678901235#"])
entries = st.lists(st.tuples(st.sampled_from("ab"), st.lists(numbers, min_size=1, max_size=3)))


@given(entries, st.sets(numbers))
def test_the_packed_numbers_of_a_list_count_as_the_list_does(listed, meant):
    lines = "\n".join(json.dumps({"full_name": name, "phones": phones}) for name, phones in listed)
    found = ListNumbers.of([lines.encode()], str)
    people = {(name, tuple(sorted(phones))) for name, phones in listed}
    assert found.without_any_but(found.among(meant)) == sum(meant.issuperset(phones) for _, phones in people)
