"""Pacing rules, checked at the exchange call by call."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

from cato_contracts.api.rules.pacing import PacingRule


class PaceWitness:
    """Counts the calls of each rule. The rules here are for all stations, and each has one prefix."""

    def __init__(self, rules: Sequence[PacingRule], violated: Callable[[str], None]) -> None:
        self._rules = sorted(rules, key=lambda rule: -len(rule.prefixes[0]))
        self._violated = violated
        self._up: Counter[str] = Counter()
        self._last_start: dict[str, float] = {}

    def placed(self, number: str) -> None:
        rule = self._rule(number)
        if rule is None:
            return
        if rule.max_calls is not None and self._up[rule.name] >= rule.max_calls:
            self._violated(f"more than {rule.max_calls} calls to {rule.prefixes[0]} are up")
        self._up[rule.name] += 1

    def invited(self, number: str) -> None:
        rule, now = self._rule(number), asyncio.get_running_loop().time()
        if rule is None or rule.max_calls_per_s is None:
            return
        last = self._last_start.get(rule.name)
        if last is not None and now - last < 1 / rule.max_calls_per_s - 1e-6:
            self._violated(f"calls to {rule.prefixes[0]} are {now - last} s apart")
        self._last_start[rule.name] = now

    def gone(self, number: str) -> None:
        rule = self._rule(number)
        if rule is not None:
            self._up[rule.name] -= 1

    def _rule(self, number: str) -> PacingRule | None:
        return next((rule for rule in self._rules if number.startswith(rule.prefixes[0])), None)
