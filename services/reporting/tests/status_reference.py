"""The status document worked out naively from all events, to compare with."""

from cato_contracts.api.status import CallEventView, CallView, PhoneView, SubscriberStatus, SubscriberView
from cato_contracts.instants import unix_ms
from cato_contracts.messages.calls import FINAL_KINDS, CallEvent, CallEventKind
from cato_contracts.messages.runs import SubscriberResult
from cato_reporting.domain.wording import event_data, event_name, event_status


def expected_statuses(run, events):
    calls = {}
    results = []
    for envelope in events:
        if isinstance(envelope.body, CallEvent):
            calls.setdefault(envelope.body.call_id, []).append(envelope)
        elif isinstance(envelope.body, SubscriberResult):
            results.append(envelope.body)
    named = {result.call_id for result in results if result.notified}
    notified = {no for result in results if result.notified for no in result.nos}
    return [
        SubscriberStatus(
            notified=person.no in notified,
            subscriber=SubscriberView(
                full_name=person.full_name,
                phones=person.phones,
                emails=person.emails,
                attributes=person.attributes,
                consent=person.consent,
            ),
            phones=[
                PhoneView(
                    number=number,
                    calls=sorted(
                        (
                            call_view(call, named)
                            for call in calls.values()
                            if (call[0].body.no, call[0].body.phone_index) == (person.no, place)
                        ),
                        key=lambda view: view.call_start,
                    ),
                )
                for place, number in enumerate(person.phones)
            ],
            household=person.household,
            shared_with=person.shared_with,
        )
        for person in run.subscribers
    ]


def call_view(call, named):
    call = sorted(call, key=lambda envelope: envelope.body.seq)

    def first(*kinds):
        return next((unix_ms(each.occurred_at) for each in call if each.body.kind in kinds), None)

    return CallView(
        cs_id=call[-1].body.station_id,
        call_start=first(CallEventKind.STARTED),
        call_ring_start=first(CallEventKind.RINGING, CallEventKind.SESSION_PROGRESS),
        call_talking_start=first(CallEventKind.ANSWERED),
        call_end=first(*FINAL_KINDS),
        success=call[0].body.call_id in named
        or any(each.body.success for each in call if each.body.kind in FINAL_KINDS),
        delayed=any(each.body.delayed for each in call),
        reason_header=next((each.body.reason_header for each in call if each.body.reason_header), None),
        sip_call_id=last_sip_call_id(call),
        events=[
            CallEventView(
                time=unix_ms(each.occurred_at),
                name=event_name(each.body),
                status=event_status(each.body),
                data=event_data(each.body),
            )
            for each in call
        ],
    )


def last_sip_call_id(call):
    """Return the `Call-ID` of the last event that has one, of events in their order."""
    return next((each.body.sip_call_id for each in reversed(call) if each.body.sip_call_id), None)
