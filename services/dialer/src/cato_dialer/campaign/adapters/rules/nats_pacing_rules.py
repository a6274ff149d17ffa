"""The pacing rules in their key-value bucket."""

from nats.js import JetStreamContext

from cato_contracts.api.rules.pacing import PacingRule
from cato_contracts.ids import derived_id
from cato_contracts.subjects import PACING_RULES
from cato_dialer.campaign.adapters.rules.documents import Documents


class NatsPacingRules(Documents[str, PacingRule]):
    """Implements `ports.PacingRules`."""

    def __init__(self, js: JetStreamContext) -> None:
        super().__init__(js, PACING_RULES.name, PacingRule, _key)

    async def put(self, rule: PacingRule) -> None:
        await self.store(rule.name, rule)


def _key(name: str) -> str:
    return str(derived_id("pacing-rule", name))
