"""Requests about pacing rules."""

from typing import Any
from uuid import uuid4

import pytest

from cato_contracts.api.rules.pacing import (
    MAX_RULES,
    GetPacingRule,
    ListPacingRules,
    PacingRule,
    PutPacingRule,
    RemovePacingRule,
)
from cato_contracts.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from services.dialer.tests.support.campaign_world import ADMIN, CONFIG, USER, World

STATION = CONFIG.stations[0].id


def rule(name: str, *prefixes: str, **more: Any) -> PacingRule:
    return PacingRule(name=name, prefixes=list(prefixes), max_calls=2, **more)


async def names(client: Any) -> list[str]:
    return [each.name for each in (await client.ask(ListPacingRules(actor=USER))).items]


async def test_rules_are_stored_replaced_and_removed_by_name():
    async with World().running() as client:
        await client.ask(PutPacingRule(actor=ADMIN, rule=rule("b", "+7", "+8")))
        await client.ask(PutPacingRule(actor=ADMIN, rule=rule("a", "+9", station_id=STATION)))
        assert await names(client) == ["a", "b"]
        replaced = await client.ask(PutPacingRule(actor=ADMIN, rule=rule("b", "+7", "+5")))
        assert await client.ask(GetPacingRule(actor=USER, name="b")) == replaced
        await client.ask(RemovePacingRule(actor=ADMIN, name="b"))
        assert await names(client) == ["a"]
        for request in (GetPacingRule(actor=USER, name="b"), RemovePacingRule(actor=ADMIN, name="b")):
            with pytest.raises(NotFoundError):
                await client.ask(request)


async def test_only_administrators_change_rules():
    async with World().running() as client:
        for request in (
            PutPacingRule(actor=USER, rule=rule("a", "+7")),
            RemovePacingRule(actor=USER, name="a"),
        ):
            with pytest.raises(ForbiddenError):
                await client.ask(request)


async def test_a_prefix_belongs_to_one_rule_of_a_station():
    async with World().running() as client:
        await client.ask(PutPacingRule(actor=ADMIN, rule=rule("a", "+7", "+8")))
        with pytest.raises(ConflictError, match=r"the prefix \+8, too"):
            await client.ask(PutPacingRule(actor=ADMIN, rule=rule("b", "+8")))
        await client.ask(PutPacingRule(actor=ADMIN, rule=rule("b", "+8", station_id=STATION)))
        with pytest.raises(InvalidError, match="there is no station"):
            await client.ask(PutPacingRule(actor=ADMIN, rule=rule("c", "+9", station_id=uuid4())))


async def test_the_number_of_rules_is_bounded():
    async with World().running() as client:
        for no in range(MAX_RULES):
            await client.ask(PutPacingRule(actor=ADMIN, rule=rule(f"r{no}", f"+{no + 1}")))
        with pytest.raises(InvalidError, match="at most"):
            await client.ask(PutPacingRule(actor=ADMIN, rule=rule("one more", "+999")))
        await client.ask(PutPacingRule(actor=ADMIN, rule=rule("r5", "+998")))
