"""The Prometheus metrics of a dialer's calls."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cato_contracts.messages.calls import FINAL_KINDS, CallEvent, CallEventKind
from cato_contracts.messages.runs import SubscriberResult
from cato_dialer.dial.domain.station import Station

_PDD_S = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0)
_ANSWER_S = (1, 2, 5, 8, 10, 15, 20, 25, 30, 40, 60, 120)
_TALK_S = (1, 5, 10, 15, 20, 30, 45, 60, 90, 120, 300, 600)
RINGING_KINDS = frozenset({CallEventKind.RINGING, CallEventKind.SESSION_PROGRESS, CallEventKind.ANSWERED})
"""A call has rung when one of these has happened."""


@dataclass(slots=True)
class _Up:
    station: str
    started_at: int
    rang: bool = False
    answered_at: int | None = None


class CallMetrics:
    """A `CallObserver` that counts calls in its own registry, to which `gauges` may be added.

    The label of a station is its name.
    """

    def __init__(self, stations: Sequence[Station]) -> None:
        self.registry = CollectorRegistry()
        self._names = station_names(stations)
        self._up: dict[UUID, _Up] = {}
        self._started = self._counter("cato_calls_started", "Calls started.", "station")
        self._delayed = self._counter(
            "cato_calls_delayed", "Calls that had to wait for the station's minimum interval.", "station"
        )
        self._ended = self._counter(
            "cato_calls_ended",
            "Calls ended, by reason and by whether they met the success condition.",
            *("station", "reason", "success"),
        )
        self._sip_codes = self._counter(
            "cato_sip_responses", "Calls ended, by the final SIP response.", *("station", "code")
        )
        self._results = self._counter(
            "cato_subscriber_results",
            "Subscribers whose wave has ended, by the reason and by whether they were notified.",
            *("reason", "notified"),
        )
        self._rtp_sent = self._counter(
            "cato_rtp_packets_sent",
            "RTP packets of ended calls; reported: the far end sent RTCP reports about them.",
            *("station", "reported"),
        )
        self._rtp_lost = self._counter(
            "cato_rtp_packets_lost", "RTP packets that far ends reported as lost (RTCP).", "station"
        )
        self._pdd = Histogram(
            "cato_call_post_dial_delay_seconds",
            "From a call's start to its first ringing, or its answer.",
            ("station",),
            buckets=_PDD_S,
            registry=self.registry,
        )
        self._answer = Histogram(
            "cato_call_answer_seconds",
            "From a call's start to its answer.",
            ("station",),
            buckets=_ANSWER_S,
            registry=self.registry,
        )
        self._talk = Histogram(
            "cato_call_talk_seconds",
            "From a call's answer to its end.",
            ("station",),
            buckets=_TALK_S,
            registry=self.registry,
        )
        # With 0, or Prometheus would not see the first increase.
        for name in self._names.values():
            for metric in (self._started, self._delayed, self._rtp_lost, self._pdd, self._answer, self._talk):
                metric.labels(name)
            for reported in ("true", "false"):
                self._rtp_sent.labels(name, reported)
        self.gauges(self._calls_up)

    def note(self, event: CallEvent, at: int) -> None:
        """Count an event of a call; `at` in Unix ms."""
        station = self._names.get(event.station_id, "") if event.station_id else ""
        if event.kind is CallEventKind.STATION_CHOSEN:
            self._up[event.call_id] = _Up(station, at)
            self._started.labels(station).inc()
            if event.delayed:
                self._delayed.labels(station).inc()
        elif event.kind in FINAL_KINDS:
            self._note_end(event, station, at)
        elif (call := self._up.get(event.call_id)) is not None and event.kind in RINGING_KINDS:
            if not call.rang:
                call.rang = True
                self._pdd.labels(station).observe((at - call.started_at) / 1000)
            if event.kind is CallEventKind.ANSWERED:
                call.answered_at = at
                self._answer.labels(station).observe((at - call.started_at) / 1000)

    def note_result(self, result: SubscriberResult) -> None:
        """Count the result of a subscriber in a wave; that of a household is one of each member."""
        self._results.labels(result.reason, str(result.notified).lower()).inc(len(result.nos))

    def note_audio(self, station_id: UUID, sent: int, lost: int | None) -> None:
        """Count the RTP packets of a call."""
        station = self._names.get(station_id, "")
        self._rtp_sent.labels(station, str(lost is not None).lower()).inc(sent)
        self._rtp_lost.labels(station).inc(lost or 0)

    def gauges(self, read: Callable[[], Iterable[Metric]]) -> None:
        """Register a function that is called at every scrape."""
        self.registry.register(_Read(read))

    def _note_end(self, event: CallEvent, station: str, at: int) -> None:
        self._ended.labels(station, event.reason or "", str(event.success).lower()).inc()
        if event.sip_code is not None:
            self._sip_codes.labels(station, event.sip_code).inc()
        call = self._up.pop(event.call_id, None)
        if call is not None and call.answered_at is not None:
            self._talk.labels(station).observe((at - call.answered_at) / 1000)

    def _calls_up(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(
            "cato_calls_in_progress", "Calls that are up.", labels=["station", "phase"]
        )
        for name in self._names.values():
            of_station = [call for call in self._up.values() if call.station == name]
            talking = sum(call.answered_at is not None for call in of_station)
            family.add_metric([name, "talking"], talking)
            family.add_metric([name, "ringing"], len(of_station) - talking)
        yield family

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)


class _Read(Collector):
    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        return self._read()


def station_names(stations: Sequence[Station]) -> dict[UUID, str]:
    """Return the label of each station: its name, or its id if several stations have that name."""
    names = [station.name for station in stations]
    return {
        station.id: station.name if names.count(station.name) == 1 else str(station.id)
        for station in stations
    }
