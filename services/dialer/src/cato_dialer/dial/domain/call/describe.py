"""The call's table in words, for documents: what its rows ask for is found out by taking them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import product

from cato_contracts.resources import SuccessCondition
from cato_dialer.dial.domain.call import rules as limits
from cato_dialer.dial.domain.call.machine import TRANSITIONS, Transition, begin
from cato_dialer.dial.domain.call.outcome import Success
from cato_dialer.dial.domain.call.rules import CallRules
from cato_dialer.dial.domain.call.state import (
    EXPIRIES,
    Call,
    Effect,
    HangUp,
    Phase,
    Publish,
    Signal,
    StartTimer,
    StopTimer,
    Succeed,
    Timer,
    Trigger,
)

_CODE = "1"
_LIMITS = {
    1: "the station's maxSetupDelayS",
    2: "maxAnswerDelayS, or the station's if that is 0",
    3: "maxCallDurationS",
    limits.CONFIRMATION_MS: f"{limits.CONFIRMATION_MS // 1000} s",
    limits.RELEASE_MS: f"{limits.RELEASE_MS // 1000} s",
}
"""What a timer's duration stands for, with the durations of the probes."""


def described() -> dict[str, object]:
    """Return states, triggers, timers and transitions as plain JSON values."""
    return {
        "states": [phase.value for phase in Phase],
        "initial": begin(_rules(SuccessCondition.PICKUP_PHONE, None), 0)[0].phase.value,
        "final": Phase.ENDED.value,
        "triggers": [trigger.value for trigger in Trigger],
        "timers": [_timer(timer) for timer in Timer],
        "transitions": [row.described() | _consequences(row) for row in TRANSITIONS],
    }


def meanings() -> dict[str, str]:
    """Return what the guards and actions say of themselves, where they say something."""
    steps = [step for row in TRANSITIONS for step in (*row.actions, row.guard) if step is not None]
    return {step.__name__: step.__doc__.splitlines()[0] for step in steps if step.__doc__}


def _timer(timer: Timer) -> dict[str, object]:
    starts = [(f"{row.phase}: {row.trigger}", effect.at) for row, effect in _started(timer)]
    starts += [("begin", effect.at) for effect in begin(_probe_rules(), 0)[1] if _starts(effect, timer)]  # type: ignore[union-attr]
    return {
        "name": timer.value,
        "expires_as": EXPIRIES[timer].value,
        "after": sorted({_LIMITS[at] for _, at in starts}),
        "started_by": list(dict.fromkeys(by for by, _ in starts)),
    }


def _started(timer: Timer) -> Iterator[tuple[Transition, StartTimer]]:
    for row in TRANSITIONS:
        for effect in _effects(row):
            if isinstance(effect, StartTimer) and effect.timer is timer:
                yield row, effect


def _starts(effect: Effect, timer: Timer) -> bool:
    return isinstance(effect, StartTimer) and effect.timer is timer


def _consequences(row: Transition) -> dict[str, object]:
    effects = _effects(row)
    return {
        "publishes": _once(effect.kind.value for effect in effects if isinstance(effect, Publish)),
        "succeeds": any(isinstance(effect, Succeed) for effect in effects),
        "hangs_up": any(isinstance(effect, HangUp) for effect in effects),
        "starts": _once(effect.timer.value for effect in effects if isinstance(effect, StartTimer)),
        "stops": _once(effect.timer.value for effect in effects if isinstance(effect, StopTimer)),
    }


def _effects(row: Transition) -> list[Effect]:
    """Return what the row asks for, over every probe that it can be taken with."""
    effects: list[Effect] = []
    for call, signal in _probes(row):
        if row.guard is not None and not row.guard(call, signal):
            continue
        for action in row.actions:
            call, asked = action(call, signal)  # noqa: PLW2901 - the call goes through the actions
            effects.extend(asked)
    return effects


def _probes(row: Transition) -> Iterator[tuple[Call, Signal]]:
    signal = Signal(row.trigger, 0, sip_code=486, heard_ms=2, digit=_CODE)
    for condition, needed, answered, over in product(
        SuccessCondition, (None, 0, 1), (False, True), (False, True)
    ):
        call = Call(_rules(condition, needed), phase=row.phase, answered=answered)
        yield (replace(call, success=Success.ANSWERED.value) if over else call), signal


def _probe_rules() -> CallRules:
    return _rules(SuccessCondition.PICKUP_PHONE, None)


def _rules(condition: SuccessCondition, needed_ms: int | None) -> CallRules:
    return CallRules(
        condition,
        prompt_ms=2,
        needed_ms=needed_ms,
        confirm_code=_CODE,
        setup_ms=1,
        answer_ms=2,
        duration_ms=3,
    )


def _once(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
