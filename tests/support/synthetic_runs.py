"""Generated runs: all their messages in an order in which the dialer can publish them, and naive counts.

The same seed gives the same run. The expected results are computed here a second time, naively, from the list
of all events, to compare them with the results of the services.
"""

import json
import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any
from uuid import UUID, uuid5

from cato_contracts.api.resources import NotificationSettings, SuccessCondition
from cato_contracts.envelope import Envelope
from cato_contracts.ids import time_ordered_id
from cato_contracts.instants import unix_ms
from cato_contracts.messages.calls import FINAL_KINDS, CallEvent, CallEventKind
from cato_contracts.messages.runs import (
    Prompt,
    RunEnded,
    RunEnding,
    RunPaused,
    RunResumed,
    RunSnapshot,
    RunStarted,
    RunStopping,
    RunSubscriber,
    SubscriberResult,
    WaveEnded,
    WaveStarted,
)
from cato_contracts.objects import Bucket, ObjectRef
from cato_contracts.subjects import run_call, run_life, run_result
from tests.support.lists.household import contact_of, household

K = CallEventKind
STATION = UUID("3fa85f64-5717-4562-b3fc-2c963f66afa6")
BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sent:
    """A published message; `events` are its envelopes."""

    subject: str
    data: bytes
    events: tuple[Envelope[Any], ...]

    @property
    def message_id(self) -> str:
        return self.events[0].event_id


@dataclass(slots=True)
class SyntheticRun:
    """A run: `messages` in order, from RunStarted to RunEnded."""

    snapshot: RunSnapshot
    subscribers: list[RunSubscriber]
    messages: list[Sent] = field(default_factory=list)

    @property
    def run_id(self) -> UUID:
        return self.snapshot.run_id

    @property
    def list_content(self) -> bytes:
        """Return the subscriber list as stored in the object store."""
        return b"".join(subscriber.model_dump_json().encode() + b"\n" for subscriber in self.subscribers)


def synthetic_run(
    seed: int,
    *,
    subscribers: int = 5,
    waves: int = 2,
    user_id: str = "user",
    begin: datetime = BEGIN,
    lost_ends: bool = False,
    control: bool = True,
    answered: float = 0.55,
    sharing: int = 0,
) -> SyntheticRun:
    """Generate a run. `lost_ends`: some calls lack a final event. `control`: with pauses and resumes.

    `sharing`: so many subscribers, the last of the list, share the calls of the first one.
    """
    maker = _Maker(random.Random(seed), begin, lost_ends=lost_ends, answered=answered)
    return maker.run(subscribers, waves, user_id, control=control, sharing=sharing)


def run_of_events(run: SyntheticRun, snapshot: RunSnapshot, *steps: tuple[Any, ...]) -> SyntheticRun:
    """Return a run of the same people with other events; a step is a commit, or a single result."""
    maker = _Maker(random.Random(0), BEGIN, lost_ends=False, answered=0)
    made = SyntheticRun(snapshot, run.subscribers)
    for step in steps:
        if isinstance(step[0], SubscriberResult):
            made.messages.append(maker.result(step[0]))
        else:
            maker.life(made, *step)
    return made


_REASON_HEADERS = (None, 'Q.850;cause=17;text="User busy"', 'Warning: 399 pbx "занято"')


class _Maker:
    def __init__(self, rng: random.Random, begin: datetime, *, lost_ends: bool, answered: float) -> None:
        self._rng = rng
        self._now = begin
        self._lost_ends = lost_ends
        self._answered = answered
        self._ids = UUID(int=rng.getrandbits(128))
        self._commits = 0

    def run(self, count: int, waves: int, user_id: str, *, control: bool, sharing: int = 0) -> SyntheticRun:
        people = household([self._person(no) for no in range(count)], sharing)
        run_id = self._id("run", ordered=True)
        snapshot = _snapshot(run_id, self._id("task"), user_id, count, waves)
        snapshot = snapshot.model_copy(update={"sharing": sharing})
        run = SyntheticRun(snapshot, people)
        self.life(run, RunStarted(snapshot=snapshot))
        open_now = set(range(count))
        for wave in range(1, waves + 1):
            if not open_now:
                break
            self.life(run, WaveStarted(run_id=run_id, wave=wave, subscriber_count=len(open_now)))
            called = [no for no in sorted(open_now) if no < count - sharing]
            stories = {no: self._story(run, wave, people[no]) for no in called}
            reached = [no for no, (_, reached) in stories.items() if reached]
            notified = {each for no in reached for each in (no, *people[no].members)}
            if control and self._rng.random() < 0.3:
                self.life(run, RunPaused(run_id=run_id))
                self.life(run, RunResumed(run_id=run_id))
            late = self._interleave(run, [messages for messages, _ in stories.values()])
            failed = len(open_now) - len(notified)
            open_now -= notified
            over = wave == waves or not open_now
            ended = WaveEnded(run_id=run_id, wave=wave, notified=len(notified), failed=failed)
            if over:
                self.life(run, ended, RunEnded(run_id=run_id, ending=RunEnding.FINISHED))
            else:
                self.life(run, ended)
            # Calls to notified subscribers may last longer than the wave and the run.
            run.messages.extend(late)
        return run

    def _person(self, no: int) -> RunSubscriber:
        phones = [f"7{no:06d}{place}" for place in range(self._rng.choice((1, 1, 2, 3)))]
        name = f"Абонент №{no}"
        return RunSubscriber(no=no, id=self._id("person", no), full_name=name, phones=phones, emails=[])

    def _story(self, run: SyntheticRun, wave: int, person: RunSubscriber) -> tuple[list[Sent], bool]:
        """Return the messages about a subscriber in a wave, and whether the subscriber was notified."""
        story: list[Sent] = []
        last: CallEvent | None = None
        for place, number in enumerate(person.phones):
            call = _Call(self, run.run_id, person, wave, number, place)
            reached = self._call(call)
            last = call.events[-1].body
            sent = [Sent(run_call(run.run_id, person.no), each.encode(), (each,)) for each in call.events]
            if reached:
                told = self._result(run, person, wave, last, notified=True)
                # The result is published when the condition is met, before the end of the call.
                cut = len(sent) - self._rng.choice((0, 1))
                if self._lost_ends and self._rng.random() < 0.2:
                    return [*story, *sent[: len(sent) - 1], told], True
                return [*story, *sent[:cut], told, *sent[cut:]], True
            story += sent
        story.append(self._result(run, person, wave, last, notified=False))
        return story, False

    def _call(self, call: "_Call") -> bool:
        delayed = self._rng.random() < 0.2
        call.add(K.STARTED, contact=contact_of(call.person))
        call.station, call.delayed = STATION, delayed
        call.add(K.STATION_CHOSEN)
        call.add(K.TRYING, sip_code=100, sip_call_id=call.sip_call_id)
        if self._rng.random() < 0.1:
            call.add(K.INTERRUPTED, reason="interrupted")
            return False
        if self._rng.random() > self._answered:
            if self._rng.random() < 0.5:
                call.add(K.RINGING, sip_code=180)
                call.add(K.ANSWER_TIMEOUT)
                call.add(K.ENDED, reason="no-answer", sip_code=487)
            else:
                call.add(K.REJECTED, reason_phrase="Busy Here", sip_code=486)
                told = _REASON_HEADERS[call.person.no % len(_REASON_HEADERS)]
                call.add(K.ENDED, reason="busy", sip_code=486, reason_header=told)
            return False
        call.add(self._rng.choice((K.RINGING, K.SESSION_PROGRESS)), sip_code=180)
        call.add(K.ANSWERED, sip_code=200)
        call.add(K.PLAYBACK_STARTED)
        for digit in self._rng.choice(("", "", "1", "42*")):
            call.add(K.DIGIT, digit=digit)
        reached = self._rng.random() < 0.8
        heard = self._rng.randrange(200, 20_000)
        if not reached:
            call.add(K.REMOTE_HANGUP)
            call.add(K.ENDED, reason="hung-up-early", sip_code=200, heard_ms=heard)
            return False
        call.add(K.PLAYBACK_FINISHED)
        if self._rng.random() < 0.1:
            # The process died after the success: the result has it, the end of the call does not.
            call.add(K.INTERRUPTED, reason="interrupted", heard_ms=heard)
        else:
            call.add(K.ENDED, reason="answered", sip_code=200, heard_ms=heard, success=True)
        return True

    def _interleave(self, run: SyntheticRun, stories: list[list[Sent]]) -> list[Sent]:
        """Publish the message sequences interleaved; return the messages after the last result."""
        queues = [list(reversed(story)) for story in stories]
        order: list[Sent] = []
        while queues:
            queue = self._rng.choice(queues[:40])
            order.append(queue.pop())
            if not queue:
                queues.remove(queue)
        last = max(place for place, sent in enumerate(order) if ".result." in sent.subject)
        run.messages.extend(order[: last + 1])
        return order[last + 1 :]

    def _result(
        self, run: SyntheticRun, person: RunSubscriber, wave: int, call: CallEvent | None, *, notified: bool
    ) -> Sent:
        no = person.no
        body = SubscriberResult(
            run_id=run.run_id,
            no=no,
            wave=wave,
            notified=notified,
            reason="answered" if notified else (call.reason if call and call.reason else "no-answer"),
            call_id=call.call_id if call else None,
            number=call.number if call else None,
            members=person.members,
        )
        return self.result(body)

    def result(self, body: SubscriberResult) -> Sent:
        envelope = Envelope[SubscriberResult].wrap(
            body, event_id=f"{body.run_id}:{body.no}:{body.wave}", occurred_at=self.tick()
        )
        return Sent(run_result(body.run_id, body.no), envelope.encode(), (envelope,))

    def life(self, run: SyntheticRun, *bodies: Any) -> None:
        self._commits += 1
        run.messages.append(_commit(run.run_id, self._commits, [(body, self.tick()) for body in bodies]))

    def tick(self) -> datetime:
        self._now += timedelta(milliseconds=self._rng.randrange(1, 400))
        return self._now

    def _id(self, *parts: object, ordered: bool = False) -> UUID:
        made = uuid5(self._ids, ":".join(str(part) for part in parts))
        if not ordered:
            return made
        stamp = time_ordered_id(self._now).int >> 80
        value = (stamp << 80) | (made.int & ((1 << 80) - 1))
        return UUID(int=(value & ~(0xF << 76)) | (0x7 << 76))

    def call_id(self, no: int, wave: int, place: int) -> UUID:
        return self._id("call", no, wave, place)


def _commit(run_id: UUID, number: int, bodies: list[tuple[Any, datetime]]) -> Sent:
    envelopes = tuple(
        Envelope[Any].wrap(body, event_id=f"{run_id}:{number}:{place}", occurred_at=at)
        for place, (body, at) in enumerate(bodies)
    )
    commit = {
        "id": str(run_id),
        "commandId": f"command-{number}",
        "type": "run",
        "version": number,
        "savedAt": bodies[-1][1].isoformat(),
        "events": [],
        "snapshot": {"name": "Snapshot", "version": number, "state": {}},
        "messages": [envelope.model_dump(mode="json") for envelope in envelopes],
    }
    return Sent(run_life(run_id), json.dumps(commit).encode(), envelopes)


def cut_short(run: SyntheticRun, end: int, *bodies: Any) -> SyntheticRun:
    """The first `end` messages of a run, and then a commit with these events."""
    messages = run.messages[:end]
    if bodies:
        last = messages[-1].events[-1].occurred_at
        number = 1 + sum(sent.subject.endswith(".life") for sent in messages)
        at = [last + timedelta(milliseconds=each) for each in range(1, len(bodies) + 1)]
        messages.append(_commit(run.run_id, number, list(zip(bodies, at, strict=True))))
    return SyntheticRun(run.snapshot, run.subscribers, messages)


def stopped_in_wave_1(run: SyntheticRun, part: float) -> SyntheticRun:
    """A run that was stopped when this part of its first wave's messages had come."""
    wave_1 = next(
        place
        for place, sent in enumerate(run.messages)
        if any(isinstance(event.body, WaveEnded) for event in sent.events)
    )
    stop = RunStopping(run_id=run.run_id), RunEnded(run_id=run.run_id, ending=RunEnding.STOPPED)
    return cut_short(run, max(2, int(wave_1 * part)), *stop)


class _Call:
    def __init__(
        self, maker: _Maker, run_id: UUID, person: RunSubscriber, wave: int, number: str, place: int
    ) -> None:
        self.person = person
        self.station: UUID | None = None
        self.delayed = False
        self.events: list[Envelope[CallEvent]] = []
        self.sip_call_id = None if person.no % 4 == 3 else f"{person.no}-{wave}-{place}@192.0.2.10"
        self._maker = maker
        self._fixed = {
            "run_id": run_id,
            "no": person.no,
            "wave": wave,
            "call_id": maker.call_id(person.no, wave, place),
            "number": number,
            "phone_index": place,
        }

    def add(self, kind: CallEventKind, **rest: Any) -> None:
        if kind in FINAL_KINDS:
            rest["sip_call_id"] = self.sip_call_id
        body = CallEvent(
            **self._fixed,
            seq=len(self.events),
            kind=kind,
            station_id=self.station,
            delayed=self.delayed,
            **rest,
        )
        self.events.append(
            Envelope[CallEvent].wrap(body, event_id=body.event_id, occurred_at=self._maker.tick())
        )


def _snapshot(run_id: UUID, task_id: UUID, user_id: str, count: int, waves: int) -> RunSnapshot:
    settings = NotificationSettings(
        id=uuid5(run_id, "settings"),
        user_id=user_id,
        name="profile_1",
        attempt_count=waves,
        attempt_delay_s=60,
        success_condition=SuccessCondition.PICKUP_AND_LISTEN_FULL,
    )
    return RunSnapshot(
        run_id=run_id,
        task_id=task_id,
        task_name="task_2024-03-24",
        user_id=user_id,
        settings=settings,
        time_zone="Europe/Moscow",
        prompt=Prompt(audio=ObjectRef(bucket=Bucket.PROMPTS, name="prompt", size=8000), duration_ms=1000),
        subscribers=ObjectRef(bucket=Bucket.LISTS, name=str(run_id), size=0),
        subscriber_count=count,
        priority=0,
        start_at=None,
        expires_at=None,
    )


def in_version_1(run: SyntheticRun) -> SyntheticRun:
    """The same run as a log of older services has it: call events with the words of the status document."""
    messages = [
        replace(sent, data=_version_1(sent)) if isinstance(sent.events[0].body, CallEvent) else sent
        for sent in run.messages
    ]
    return SyntheticRun(run.snapshot, run.subscribers, messages)


def _version_1(sent: Sent) -> bytes:
    message = json.loads(sent.data)
    event: CallEvent = sent.events[0].body
    contact, digit = message["body"].pop("contact"), message["body"].pop("digit")
    data = None
    if event.kind is CallEventKind.STARTED and event.contact is not None:
        data = {"fullName": contact["full_name"], "phones": contact["phones"]}
        data |= {"emails": contact["emails"], "id": contact["id"]}
    elif event.kind is CallEventKind.STATION_CHOSEN:
        data = str(event.station_id)
    elif digit is not None:
        data = f"DIGIT:{digit}"
    elif event.sip_code is not None and event.kind not in FINAL_KINDS:
        data = f"SIP_CODE:{event.sip_code}"
    message["version"] = 1
    message["body"]["data"] = data
    return json.dumps(message, ensure_ascii=False).encode()


def naive_numbers(run: SyntheticRun, events: list[Envelope[Any]]) -> dict[str, int | None]:
    """Count the numbers of the report from all events, by their definitions."""
    bodies = [envelope.body for envelope in events]
    calls: dict[UUID, list[CallEvent]] = {}
    for body in bodies:
        if isinstance(body, CallEvent):
            calls.setdefault(body.call_id, []).append(body)
    results = [body for body in bodies if isinstance(body, SubscriberResult)]
    named = {result.call_id for result in results if result.notified}
    wave = max((body.wave for body in bodies if hasattr(body, "wave")), default=0)
    notified = {no for result in results if result.notified for no in result.nos}
    failed = {no for result in results if result.wave == wave for no in result.nos} - notified

    def is_over(call: list[CallEvent]) -> bool:
        return any(event.kind in FINAL_KINDS for event in call)

    def is_success(call: list[CallEvent]) -> bool:
        return call[0].call_id in named or any(event.success for event in call if event.kind in FINAL_KINDS)

    over = [call for call in calls.values() if is_over(call)]
    up = [call for call in calls.values() if not is_over(call)]
    talking = [call for call in up if any(event.kind is K.ANSWERED for event in call)]
    return {
        "subscriber_count": len(run.subscribers),
        "subscriber_notified": len(notified),
        "subscriber_failed": len(failed),
        "subscriber_not_yet_notified": len(run.subscribers) - len(notified) - len(failed),
        "calls_total": len(calls),
        "calls_succeeded": sum(is_success(call) for call in over),
        "calls_failed": sum(not is_success(call) for call in over),
        "calls_in_progress": len(up),
        "calls_ringing": len(up) - len(talking),
        "calls_talking": len(talking),
        "calls_delayed": sum(any(event.delayed for event in call) for call in calls.values()),
        "wave_current": max(1, wave),
        **_naive_times(events),
    }


def _naive_times(events: list[Envelope[Any]]) -> dict[str, int | None]:
    """Return when half and 90 % of those who were reached were reached, by its definition."""
    start = min((each.occurred_at for each in events if isinstance(each.body, RunStarted)), default=BEGIN)
    first: dict[int, datetime] = {}
    for each in sorted(events, key=lambda each: each.occurred_at, reverse=True):
        if isinstance(each.body, SubscriberResult) and each.body.notified:
            first |= dict.fromkeys(each.body.nos, each.occurred_at)
    after = sorted(max(0, unix_ms(at) - unix_ms(start)) // 1000 for at in first.values())
    return {
        f"t{percent}": after[ceil(len(after) * percent / 100) - 1] if after else None for percent in (50, 90)
    }
