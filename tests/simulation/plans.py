"""Hypothesis strategies for histories: lists, outcomes, crashes, deliveries and operator actions."""

from hypothesis import strategies as st

from cato_contracts.api.resources import SuccessCondition
from cato_contracts.api.rules.approvals import ApproveRun, RejectRun
from cato_contracts.api.rules.contacts import (
    CallLimit,
    ContactLimits,
    ContactLimitsOwner,
    ContactScope,
    StoredContactLimits,
)
from cato_contracts.api.rules.pacing import PacingRule
from cato_contracts.api.rules.retries import OutcomeGroup, RetryRule
from cato_contracts.messages.campaign_commands import PauseRun, ResumeRun, StopRun
from tests.simulation.world.exchange import Behaviour
from tests.simulation.world.faults import CrashPoint, Faults
from tests.simulation.world.history import Control, History, SharedNumbers
from tests.simulation.world.judgement.exclusions import Exclude
from tests.simulation.world.shared.approved_runs import Decide, WaitingRun

_REJECTIONS = (302, 403, 404, 407, 408, 480, 486, 487, 500, 503, 603)


def _seconds(least: float, most: float) -> st.SearchStrategy[float]:
    """Return times in tenths of seconds, so that some events coincide."""
    return st.integers(round(least * 10), round(most * 10)).map(lambda tenths: tenths / 10)


_ringing = st.none() | _seconds(0.1, 3)
_letting_go = st.sampled_from([0.0, 0.1, 1.0, 20.0])

_rejected = st.builds(
    Behaviour,
    rings=_ringing,
    rejects=st.tuples(_seconds(0.1, 5), st.sampled_from(_REJECTIONS)),
    crosses_cancel=st.booleans(),
)
_never_answered = st.builds(
    Behaviour, rings=_ringing, progress=_ringing, lets_go_after=_letting_go, crosses_cancel=st.booleans()
)
_answered = st.builds(
    Behaviour,
    rings=_ringing,
    progress=_ringing,
    answers=_seconds(0.1, 6),
    hangs_up=st.none() | _seconds(0.0, 4),
    digits=st.lists(st.tuples(_seconds(0.1, 6), st.sampled_from("12")), max_size=4).map(tuple),
    fault=st.none() | _seconds(0.1, 8),
    lets_go_after=_letting_go,
)
_willing = st.builds(Behaviour, answers=_seconds(0.5, 2), digits=st.just(((0.5, "1"), (0.7, "2"))))
_lost = st.builds(Behaviour, unreachable=st.just(value=True)) | st.builds(
    Behaviour, rings=_ringing, fault=_seconds(0.1, 4)
)
behaviours = st.lists(
    st.one_of(_rejected, _never_answered, _answered, _willing, _lost), min_size=1, max_size=7
).map(tuple)

_retry_rule = st.builds(
    RetryRule,
    outcomes=st.lists(st.sampled_from(list(OutcomeGroup)), min_size=1, max_size=4, unique=True),
    after_s=st.sampled_from([0, 2, 30]),
    max_attempts=st.integers(1, 3),
    drop_number=st.booleans(),
    stop=st.sampled_from([False, False, True]),
)
settings = st.fixed_dictionaries(
    {
        "retry_rules": st.just([]) | st.lists(_retry_rule, max_size=3),
        "skip_hopeless": st.booleans(),
        "attempt_count": st.integers(1, 3),
        "attempt_delay_s": st.sampled_from([0, 0, 1, 12]),
        "success_condition": st.sampled_from(list(SuccessCondition)),
        "success_playback_duration_s": st.integers(0, 2),
        "max_call_duration_s": st.sampled_from([1, 3, 8]),
        "max_answer_delay_s": st.integers(0, 4),
        "confirm_code": st.sampled_from(["1", "12"]),
    }
)
_crashes = st.lists(st.builds(CrashPoint, st.integers(1, 150), st.booleans()), max_size=4).map(tuple)
_moments = st.lists(_seconds(0, 40), max_size=3).map(tuple)
_faults = st.builds(
    Faults,
    latency_s=st.sampled_from([0.01, 0.3, 1.5]),
    slow=st.sampled_from([0.0, 0.1, 0.5]),
    failing=st.sampled_from([0.0, 0.01, 0.05]),
)
_controls = st.lists(
    st.builds(
        Control, _seconds(0, 40), st.sampled_from([PauseRun, PauseRun, ResumeRun, StopRun]), st.booleans()
    ),
    max_size=4,
).map(lambda controls: (*controls, Control(60.0, ResumeRun)))

_LIST = {
    "phones": st.lists(st.integers(1, 3), min_size=1, max_size=4).map(tuple),
    "behaviours": behaviours,
    "settings": settings,
    "stations": st.integers(1, 2),
    "channels": st.integers(1, 3),
    "licence": st.sampled_from([1, 2, 100]),
    "interval_ms": st.sampled_from([0, 0, 300]),
    "seed": st.integers(0, 2**32),
}
_CRASHES = {
    "dial_crashes": _crashes,
    "campaign_crashes": _crashes,
    "restart_after_s": st.sampled_from([0.0, 0.5, 15.0]),
    "dial_replicas": st.integers(1, 2),
    "campaign_replicas": st.integers(1, 2),
}
_DELIVERIES = {
    "dial_replicas": st.sampled_from([2, 2, 1]),
    "campaign_replicas": st.sampled_from([2, 2, 1]),
    "lost_heartbeats": st.lists(_seconds(0, 20), min_size=1, max_size=4).map(tuple),
    "lost_leases": _moments,
    "lost_jobs": _moments,
    "state_lag_s": st.sampled_from([0.0, 0.2, 1.0]),
    "faults": _faults,
}
_PEOPLE = {
    "controls": _controls,
    "starts_in_s": st.none() | _seconds(0, 10),
    "expires_in_s": st.none() | _seconds(11, 60),
}

_WORKERS = {
    "lost_workers": st.lists(st.tuples(_seconds(0, 30), st.sampled_from([0.3, 3.0, 25.0])), max_size=3).map(
        tuple
    )
}

_PARTITIONS = {
    "dial_replicas": st.integers(2, 3),
    "partitions": st.lists(
        st.tuples(_seconds(0, 20), st.sampled_from([1.0, 12.0, 40.0])), min_size=1, max_size=3
    ).map(tuple),
}

_pacing = st.lists(
    st.builds(
        PacingRule,
        name=st.uuids().map(str),
        prefixes=st.sampled_from(["5", "500001", "50000"]).map(lambda prefix: [prefix]),
        max_calls=st.integers(1, 2),
        max_calls_per_s=st.sampled_from([None, None, 0.2, 3.0]),
    ),
    min_size=1,
    max_size=2,
    unique_by=lambda rule: rule.prefixes[0],
).map(tuple)

_EXCLUSIONS = {
    "exclusions": st.lists(
        st.builds(
            Exclude,
            _seconds(0, 15),
            st.integers(0, 3),
            st.integers(0, 2),
            st.sampled_from([False, False, True]),
        ),
        min_size=3,
        max_size=10,
    ).map(tuple),
    "sends_late_s": st.sampled_from([(0.0,), (0.0, 0.5, 1.9)]),
    "dial_replicas": st.integers(1, 3),
    "faults": _faults,
}

_opting_out = st.builds(
    Behaviour,
    rings=_ringing,
    answers=_seconds(0.1, 3),
    hangs_up=st.none() | _seconds(0.5, 4),
    digits=st.lists(st.tuples(_seconds(0.1, 4), st.sampled_from("1299900")), min_size=1, max_size=5).map(
        lambda keys: tuple(sorted(keys))
    ),
    fault=st.none() | _seconds(0.1, 8),
    lets_go_after=_letting_go,
)
_opting_out_at_once = st.builds(
    Behaviour, answers=_seconds(0.1, 0.9), digits=st.just(((0.1, "9"),)), lets_go_after=_letting_go
)
_KEYS = {
    "behaviours": st.lists(
        st.one_of(_opting_out, _opting_out_at_once, _answered, _rejected, _lost), min_size=1, max_size=7
    ).map(tuple),
    "settings": st.builds(
        lambda spec, repeat_key: spec | {"opt_out_key": "9"} | repeat_key,
        settings,
        st.sampled_from([{}, {"repeat_key": "0"}]),
    ),
    "announces": st.booleans(),
    "faults": _faults,
}

# Without names: hypothesis would fill the fields under their aliases, too.
_call_limit = st.builds(
    lambda calls, per_s: CallLimit(max_calls=calls, per_s=per_s),
    st.integers(1, 3),
    st.sampled_from([5, 30, 120]),
)
_bounds = st.fixed_dictionaries(
    {
        "limits": st.lists(_call_limit, max_size=2),
        "min_gap_s": st.sampled_from([0, 1, 5, 30]),
        "over": st.sampled_from(list(ContactScope)),
    }
).filter(lambda bounds: bounds["limits"] or bounds["min_gap_s"])
_of_users = st.tuples(
    st.sampled_from(
        [
            {"scope": ContactLimitsOwner.SYSTEM},
            {"scope": ContactLimitsOwner.USER, "user_id": "user"},
            {"scope": ContactLimitsOwner.USER, "user_id": "other"},
        ]
    ),
    _bounds,
).map(lambda both: StoredContactLimits(**both[0], **both[1]))
_limited_settings = st.tuples(settings, st.none() | _bounds.map(lambda bounds: ContactLimits(**bounds))).map(
    lambda both: {**both[0], **({"contact_limits": both[1]} if both[1] else {})}
)
_SHARED = {
    "exclusions": st.just(())
    | st.lists(
        st.builds(
            Exclude, _seconds(0, 20), st.integers(0, 3), st.just(0), st.sampled_from([False, False, True])
        ),
        min_size=1,
        max_size=6,
    ).map(tuple),
    "lists": st.lists(
        st.lists(
            st.lists(st.integers(0, 3), min_size=1, max_size=2, unique=True).map(tuple),
            min_size=1,
            max_size=3,
        ).map(tuple),
        min_size=5,
        max_size=5,
    ).map(tuple),
    "starts": st.lists(_seconds(0, 10), min_size=1, max_size=5).map(tuple),
    "limits": st.just(())
    | st.lists(_of_users, max_size=2, unique_by=lambda one: (one.scope, one.user_id)).map(tuple),
    "settings": _limited_settings,
    "channels": st.integers(2, 6),
    "licence": st.sampled_from([2, 100]),
    "interval_ms": st.just(0),
    "dial_replicas": st.just(3),
    "clock_jumps": st.lists(st.tuples(_seconds(0, 40), st.sampled_from([-0.9, 0.0, 0.9])), max_size=3).map(
        tuple
    ),
    "sends_late_s": st.sampled_from([(0.0,), (0.0, 0.5, 1.9)]),
    "controls": _controls,
    "expires_in_s": st.none() | _seconds(11, 60),
    "faults": _faults,
    "phones": st.just(()),
    "task": st.sampled_from([{}, {"share_phone": True}]),
}

_HOUSEHOLDS = {
    "relatives": st.lists(st.integers(0, 3), min_size=1, max_size=3).map(tuple),
    "task": st.just({"share_phone": True}),
    "behaviours": _KEYS["behaviours"],
    "settings": settings.flatmap(lambda spec: st.sampled_from([spec, spec | {"opt_out_key": "9"}])),
}

_any_decision = st.builds(
    Decide,
    _seconds(0, 50),
    st.sampled_from([ApproveRun, ApproveRun, RejectRun]),
    st.sampled_from([0, 1, None]),
)
_early_approval = st.builds(Decide, _seconds(0, 8), st.just(ApproveRun), st.just(0))
_APPROVALS = {
    "expires_after_s": st.sampled_from([1, 20, 45]),
    "decisions": st.one_of(
        st.lists(_any_decision, max_size=4).map(tuple),
        st.tuples(_early_approval),
        st.tuples(_early_approval, _any_decision, _any_decision),
    ),
    "campaign_crashes": _crashes,
    "campaign_replicas": st.integers(1, 2),
}

outcomes = st.builds(History, **_LIST)
crashes = st.builds(History, **_LIST | _CRASHES)
disordered = st.builds(History, **_LIST | _DELIVERIES)
partitioned = st.builds(History, **_LIST | _CRASHES | _PARTITIONS)
paced = st.builds(History, **_LIST | _DELIVERIES | _CRASHES | _PARTITIONS | _WORKERS | {"pacing": _pacing})
controlled = st.builds(History, **_LIST | _PEOPLE | _WORKERS)
excluded = st.builds(History, **_LIST | _CRASHES | _PARTITIONS | _PEOPLE | _EXCLUSIONS)
opted_out = st.builds(History, **_LIST | _CRASHES | _PARTITIONS | _PEOPLE | _WORKERS | _KEYS)
everything = st.builds(History, **_LIST | _DELIVERIES | _CRASHES | _PARTITIONS | _PEOPLE | _WORKERS)
households = st.builds(
    History, **_LIST | _DELIVERIES | _CRASHES | _PARTITIONS | _PEOPLE | _WORKERS | _EXCLUSIONS | _HOUSEHOLDS
)
shared = st.builds(SharedNumbers, **_LIST | _DELIVERIES | _CRASHES | _PARTITIONS | _WORKERS | _SHARED)
waiting = st.builds(WaitingRun, **_LIST | _CRASHES | _DELIVERIES | _PEOPLE | _APPROVALS)
