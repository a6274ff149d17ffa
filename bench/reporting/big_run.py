"""A run of any size: a synthetic run repeated many times, as the messages that dialers would publish.

Each replica has people, numbers and calls of its own; only the times are the same. The messages of the
synthetic run are made into patterns once, so that two million of them cost seconds and no memory.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cato_contracts.messages.calls import CallEvent, CallEventKind
from cato_contracts.messages.runs import RunEnded, RunStarted, SubscriberResult, WaveEnded, WaveStarted
from cato_contracts.objects import ObjectRef
from tests.support.synthetic_runs import BEGIN, Sent, SyntheticRun, naive_numbers, synthetic_run

_ANSWERED = 0.28
_WAVES = 3


@dataclass(frozen=True, slots=True)
class Message:
    """A message to publish.

    `starts_call` marks the messages that `callsTotal` counts, `reaches` those that `subscriberNotified`
    counts.
    """

    subject: str
    data: bytes
    message_id: str
    starts_call: bool = False
    reaches: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that the dialer sends with it."""
        return {"Nats-Msg-Id": self.message_id}


class BigRun:
    """A run of `people` times `replicas` subscribers, with about three calls to each."""

    def __init__(
        self, seed: int, *, people: int, replicas: int, waves: int = _WAVES, begin: datetime = BEGIN
    ) -> None:
        self._template = synthetic_run(
            seed, subscribers=people, waves=waves, answered=_ANSWERED, control=False, begin=begin
        )
        self._people = people
        self._replicas = replicas
        self.run_id = self._template.run_id
        self.subscriber_count = people * replicas
        self.events = sum(
            1 if _is_life(sent) else replicas for sent in self._template.messages for _ in sent.events
        )

    @property
    def beginning_events(self) -> int:
        """The number of events before the end of the run."""
        ends = (sent for sent in self._template.messages if _ends(sent))
        return self.events - sum(len(sent.events) for sent in ends)

    @property
    def numbers(self) -> dict[str, int]:
        """The expected report, by the naive count."""
        run: SyntheticRun = self._template
        once = naive_numbers(run, [event for sent in run.messages for event in sent.events])
        counts = {name: n for name, n in once.items() if n is not None and name not in {"t50", "t90"}}
        return {name: n if name == "wave_current" else n * self._replicas for name, n in counts.items()}

    @property
    def list_ref(self) -> ObjectRef:
        return self._template.snapshot.subscribers

    def a_number(self) -> str:
        """Return a telephone number that was called."""
        return _number(self.subscriber_count // 2, "0")

    def beginning(self) -> Iterator[Message]:
        """All messages except the end of the run, as for a run in progress."""
        for sent in self._template.messages:
            if _is_life(sent):
                if not _ends(sent):
                    yield self._life(sent)
            else:
                yield from self._copies(sent)

    def end(self) -> Iterator[Message]:
        for sent in self._template.messages:
            if _ends(sent):
                yield self._life(sent)

    def list_lines(self) -> Iterator[bytes]:
        """The list of subscribers, as stored in the object store."""
        patterns = []
        for person in self._template.subscribers:
            text = person.model_dump_json().replace(str(person.id)[:8], "%(call)08x", 1)
            patterns.append((int(str(person.id)[:8], 16), _pattern(text, person.no)))
        for replica in range(self._replicas):
            for no, (prefix, pattern) in enumerate(patterns):
                number = replica * self._people + no
                yield (pattern % {"no": number, "call": prefix ^ replica}).encode() + b"\n"

    def _life(self, sent: Sent) -> Message:
        commit = json.loads(sent.data)
        for place, envelope in enumerate(sent.events):
            body = commit["messages"][place]["body"]
            match envelope.body:
                case RunStarted():
                    body["snapshot"]["subscriber_count"] *= self._replicas
                case WaveStarted():
                    body["subscriber_count"] *= self._replicas
                case WaveEnded():
                    body["notified"] *= self._replicas
                    body["failed"] *= self._replicas
        return Message(sent.subject, json.dumps(commit).encode(), sent.message_id)

    def _copies(self, sent: Sent) -> Iterator[Message]:
        body = sent.events[0].body
        call = str(body.call_id)[:8]
        text, message_id = sent.data.decode(), sent.message_id
        if isinstance(body, SubscriberResult):
            text, message_id = (
                each.replace(f"{body.run_id}:{body.no}:", f"{body.run_id}:%(no)d:")
                for each in (text, message_id)
            )
        pattern = _pattern(text.replace(call, "%(call)08x"), body.no)
        message_id = message_id.replace(call, "%(call)08x")
        prefix = int(call, 16)
        subject = sent.subject.rsplit(".", 1)[0]
        starts = isinstance(body, CallEvent) and body.kind is CallEventKind.STARTED
        reaches = isinstance(body, SubscriberResult) and body.notified
        for replica in range(self._replicas):
            no = replica * self._people + body.no
            these = {"no": no, "call": prefix ^ replica}
            yield Message(f"{subject}.{no}", (pattern % these).encode(), message_id % these, starts, reaches)


def _is_life(sent: Sent) -> bool:
    return sent.subject.endswith(".life")


def _ends(sent: Sent) -> bool:
    return any(isinstance(each.body, RunEnded) for each in sent.events)


def _pattern(text: str, no: int) -> str:
    """Return the text with the places of everything that names the subscriber."""
    text = re.sub(r"%(?!\((no|call)\))", "%%", text)
    text = re.sub(rf'"no":{no}\b', '"no":%(no)d', text)
    text = text.replace(f"№{no}", "№%(no)d")
    return text.replace(f'"7{no:06d}', '"7%(no)06d')


def _number(no: int, place: str) -> str:
    return f"7{no:06d}{place}"
