"""The status document's part about subscribers, put together from what is stored (manual, 3.6)."""

import json
from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from cato_contracts.runs import RunSubscriber
from cato_contracts.status import CallEventView, CallView, PhoneView, SubscriberStatus, SubscriberView
from cato_reporting.ports import Detail, StoredCall, StoredEvent

# Everything in a document was checked when it came in, and a page has tens of thousands of parts: they are
# made without checking them again.


def subscriber_statuses(detail: Detail) -> Iterable[tuple[int, SubscriberStatus]]:
    """Yield each subscriber's number and status, in the order of the list."""
    events: defaultdict[UUID, list[CallEventView]] = defaultdict(list)
    for event in detail.events:
        events[event.call_id].append(event_view(event))
    calls: defaultdict[int, list[StoredCall]] = defaultdict(list)
    for call in detail.calls:
        calls[call.no].append(call)
    for subscriber in detail.subscribers:
        yield (
            subscriber.no,
            SubscriberStatus.model_construct(
                notified=subscriber.no in detail.notified,
                subscriber=SubscriberView.model_construct(
                    full_name=subscriber.full_name, phones=subscriber.phones, emails=subscriber.emails
                ),
                phones=_phone_views(subscriber, calls[subscriber.no], events),
            ),
        )


def _phone_views(
    subscriber: RunSubscriber, calls: list[StoredCall], events: dict[UUID, list[CallEventView]]
) -> list[PhoneView]:
    views = {
        place: PhoneView.model_construct(number=number, calls=[])
        for place, number in enumerate(subscriber.phones)
    }
    for call in calls:
        view = views.get(call.phone_index)
        if view is None:
            # The list has lost its numbers by retention; a call that was made is shown all the same.
            view = views[call.phone_index] = PhoneView.model_construct(number=call.number, calls=[])
        view.calls.append(_call_view(call, events.get(call.call_id, [])))
    return [views[place] for place in sorted(views)]


def _call_view(call: StoredCall, events: list[CallEventView]) -> CallView:
    return CallView.model_construct(
        cs_id=call.station_id,
        call_start=call.started_at,
        call_ring_start=call.ringing_at,
        call_talking_start=call.answered_at,
        call_end=call.ended_at,
        success=call.success,
        delayed=call.delayed,
        events=events,
    )


def event_view(event: StoredEvent) -> CallEventView:
    """Word an event as the document does."""
    return CallEventView.model_construct(
        time=event.time, name=event.name, status=event.status, data=json.loads(event.data)
    )
