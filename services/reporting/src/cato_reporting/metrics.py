"""The service's own metrics, taken at the moment of the scrape (docs/operations.md tells what they mean)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from cato_reporting.domain.log_lag import Durations


@dataclass(frozen=True, slots=True)
class Figures:
    """The service at one moment; the lag in messages and in seconds, the age in seconds."""

    read_model_up: bool
    lag_messages: int
    lag_seconds: float
    events: int
    batches: int
    inserts: Durations
    dead_letters: int
    followed_runs: int
    report_age: float


class Measured(Protocol):
    """Whoever can tell them."""

    def figures(self) -> Figures: ...


class ReportingCollector(Collector):
    """Shows the figures of a service."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured

    def collect(self) -> Iterable[Metric]:
        now = self._measured.figures()
        for name, text, value in (
            ("read_model_up", "1 while the read model is being filled.", now.read_model_up),
            ("read_model_lag_messages", "Messages of the log not in the read model yet.", now.lag_messages),
            ("read_model_lag_seconds", "How long the oldest of them has been waiting.", now.lag_seconds),
            ("followed_runs", "Runs whose report is kept in memory.", now.followed_runs),
            ("report_age_seconds", "Live reports have all that is older than this.", now.report_age),
        ):
            yield GaugeMetricFamily(f"cato_reporting_{name}", text, value=value)
        for name, text, count in (
            ("events_stored", "Events that were inserted, repeated ones included.", now.events),
            ("batches_stored", "Batches that were inserted.", now.batches),
            ("dead_letters", "Messages that could not be used.", now.dead_letters),
        ):
            yield CounterMetricFamily(f"cato_reporting_{name}", text, value=count)
        yield HistogramMetricFamily(
            "cato_reporting_insert_seconds",
            "How long the insert of a batch took.",
            buckets=now.inserts.up_to(),
            sum_value=now.inserts.total_s,
        )
