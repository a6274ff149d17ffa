"""The pacing rules in their key-value bucket."""

import structlog
from nats.js import JetStreamContext
from pydantic import ValidationError

from cato_contracts.api.rules.pacing import PacingRule
from cato_contracts.ids import derived_id
from cato_contracts.subjects import PACING_RULES
from cato_jetstream import Bucket

log = structlog.get_logger()


class NatsPacingRules:
    """Implements `ports.PacingRules`."""

    def __init__(self, js: JetStreamContext) -> None:
        self._bucket = Bucket(js, PACING_RULES.name)

    async def put(self, rule: PacingRule) -> None:
        await self._bucket.put(_key(rule.name), rule.model_dump_json(by_alias=True).encode())

    async def remove(self, name: str) -> None:
        await self._bucket.remove(_key(name))

    async def get(self, name: str) -> PacingRule | None:
        value = (await self._bucket.read(_key(name))).value
        return None if value is None else PacingRule.model_validate_json(value)

    async def all(self) -> list[PacingRule]:
        values = await self._bucket.values()
        return [rule for value in values if (rule := _decoded(value)) is not None]


def _key(name: str) -> str:
    return str(derived_id("pacing-rule", name))


def _decoded(value: bytes) -> PacingRule | None:
    try:
        return PacingRule.model_validate_json(value)
    except ValidationError:
        log.exception("pacing rule cannot be decoded")
        return None
