"""The pacing rules in their key-value bucket."""

from nats.js import JetStreamContext

from cato_contracts.api.rules.pacing import PacingRule
from cato_contracts.subjects import PACING_RULES
from cato_dialer.campaign.adapters.rules.documents import Documents


class NatsPacingRules(Documents[PacingRule]):
    """Implements `ports.PacingRules`."""

    def __init__(self, js: JetStreamContext) -> None:
        super().__init__(js, PACING_RULES.name, PacingRule, kind="pacing-rule")

    async def put(self, rule: PacingRule) -> None:
        await self.store(rule.name, rule)
