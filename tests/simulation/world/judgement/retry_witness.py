"""The retry rules and `skipHopeless`, checked call by call from what the log says."""

from collections.abc import Callable
from datetime import datetime, timedelta

from cato_contracts.api.resources import SettingsSpec
from cato_contracts.api.rules.retries import OutcomeGroup, RetryRule, outcome_group
from cato_contracts.messages.calls import FINAL_KINDS, CallEvent, CallEventKind
from cato_contracts.messages.runs import RunEnded, RunStarted, RunStopping, SubscriberResult
from cato_dialer.dial.domain.subscriber.fault_limits import INTERRUPTION_LIMIT

_NO_TRY = {"cancelled", "interrupted", "station-down"}
_BY_RULE = {"no-number-left", "retry-stopped"}
_NOT_BY_CALLS = {"expired", "fault", "opted-out"}
_HOPELESS = {OutcomeGroup.INVALID_NUMBER, OutcomeGroup.REFUSED}
_FAILS_OVER = {"authentication-failed", "request-timeout", "no-ringing", "no-response", "protocol-error"}
_FAILS_OVER |= {"server-error", "bad-gateway", "service-unavailable", "server-timeout"}
_ROUNDING = timedelta(milliseconds=1)


class RetryWitness:
    """Keeps for each number how its calls ended, and judges each start of a call and each result."""

    def __init__(self, violated: Callable[[str], None]) -> None:
        self._violated = violated
        self.settings: SettingsSpec | None = None
        self.run_ends = False
        self.may_be_excluded: Callable[[int, int], bool] = lambda _no, _phone: False
        self._ends: dict[tuple[int, int], list[tuple[int, str, datetime]]] = {}
        self._stopped: dict[int, int] = {}
        self._expires_at: datetime | None = None
        self._owed: list[tuple[datetime, str]] = []
        """Retries that a result leaves out. A stop may be the cause: dialers can know it before the log."""

    def take(self, body: object, at: datetime) -> None:
        if isinstance(body, RunStarted):
            self._expires_at = body.snapshot.expires_at
        if self.settings is None:
            return
        if isinstance(body, CallEvent) and body.kind is CallEventKind.STARTED:
            self._judge_start(body, at)
        elif isinstance(body, CallEvent) and body.kind in FINAL_KINDS and not body.success:
            reason = "interrupted" if body.kind is CallEventKind.INTERRUPTED else body.reason or ""
            self._ends.setdefault((body.no, body.phone_index), []).append((body.wave, reason, at))
            self._note_stop(body, reason)
        elif isinstance(body, SubscriberResult) and not body.notified:
            self._judge_result(body, at)
        elif isinstance(body, RunStopping):
            self._owed = [(since, owed) for since, owed in self._owed if since < at]
        elif isinstance(body, RunEnded):
            for _, owed in self._owed:
                self._violated(owed)

    def _tries(self, no: int, phone: int, wave: int) -> list[tuple[str, datetime]]:
        ends = self._ends.get((no, phone), [])
        return [(reason, at) for of, reason, at in ends if of == wave and reason not in _NO_TRY]

    def _note_stop(self, event: CallEvent, reason: str) -> None:
        rule = self._rule(reason)
        used = len(self._tries(event.no, event.phone_index, event.wave))
        if rule is not None and rule.stop and used >= rule.max_attempts:
            self._stopped.setdefault(event.no, event.wave)

    def _judge_start(self, event: CallEvent, at: datetime) -> None:
        assert self.settings is not None
        no, phone, wave = event.no, event.phone_index, event.wave
        ends = self._ends.get((no, phone), [])
        if no in self._stopped and not (ends and ends[-1][0] == wave and self._goes_on(ends[-1][1])):
            self._violated(f"subscriber {no} is called after a rule has stopped the attempts")
        if self.settings.skip_hopeless and any(
            of < wave and outcome_group(reason) in _HOPELESS for of, reason, _ in ends
        ):
            self._violated(f"number {phone} of {no} is hopeless and called in wave {wave}")
        tries = self._tries(no, phone, wave)
        last = next((reason for of, reason, _ in reversed(ends) if of == wave), None)
        if last is None or self._goes_on(last):
            return
        reason, ended_at = tries[-1]
        rule = self._rule(reason)
        if rule is None or len(tries) >= rule.max_attempts:
            self._violated(f"number {phone} of {no} is called {len(tries) + 1} times in wave {wave}: {rule}")
        elif at < ended_at + timedelta(seconds=rule.after_s) - _ROUNDING:
            self._violated(f"number {phone} of {no} is called again too early")

    def _judge_result(self, result: SubscriberResult, at: datetime) -> None:
        """Check that no retry is owed, and that a result without a call has its cause."""
        if self._expires_at is not None and at >= self._expires_at:
            return  # the dialers know the time, and the log need not say it
        if self.run_ends or result.reason in _NOT_BY_CALLS or result.no in self._stopped:
            return
        if result.reason in _BY_RULE and not any(no == result.no for no, _ in self._ends):
            self._violated(f"{result.reason} for {result.no} without any call")
        for no, phone in self._ends:
            tries = self._tries(no, phone, result.wave) if no == result.no else []
            rule = self._rule(tries[-1][0]) if tries else None
            if rule is None or len(tries) >= rule.max_attempts or self._lost(no, phone, result.wave):
                continue
            if not self._dropped(no, phone) and not self.may_be_excluded(no, phone):
                owed = f"wave {result.wave} ends for {no} while number {phone} is to be called again"
                self._owed.append((at, owed))

    def _lost(self, no: int, phone: int, wave: int) -> bool:
        """Tell whether the system has lost so many calls to the number that it gives the number up."""
        ends = self._ends.get((no, phone), [])
        return sum((of, reason) == (wave, "interrupted") for of, reason, _ in ends) > INTERRUPTION_LIMIT

    def _dropped(self, no: int, phone: int) -> bool:
        for wave in {of for of, _, _ in self._ends.get((no, phone), [])}:
            tries = self._tries(no, phone, wave)
            for count, (reason, _) in enumerate(tries, 1):
                rule = self._rule(reason)
                if rule is not None and rule.drop_number and count >= rule.max_attempts:
                    return True
        return False

    @staticmethod
    def _goes_on(reason: str) -> bool:
        """Tell whether the number is called again for reasons of the system or of a station."""
        return reason in _NO_TRY or reason in _FAILS_OVER

    def _rule(self, reason: str) -> RetryRule | None:
        assert self.settings is not None
        group = outcome_group(reason)
        return next((rule for rule in self.settings.retry_rules if group in rule.outcomes), None)
