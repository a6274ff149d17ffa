"""The service's metrics, read at the moment of the scrape; docs/operations.md explains each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


def insert_histogram() -> Histogram:
    """Return the histogram of insert times. It is in no registry: the collector shows it."""
    return Histogram(
        "cato_reporting_insert_seconds",
        "How long the insert of a batch took.",
        buckets=_BUCKETS_S,
        registry=None,
    )


@dataclass(frozen=True, slots=True)
class ReportingMetrics:
    """The values at one moment; lags in messages and in seconds, the age in seconds."""

    read_model_up: bool
    lag_messages: int
    lag_seconds: float
    events: int
    batches: int
    dead_letters: int
    followed_runs: int
    report_age: float


class Measured(Protocol):
    """A service that can be measured."""

    @property
    def inserts(self) -> Histogram: ...

    def metrics(self) -> ReportingMetrics: ...


class ReportingCollector(Collector):
    """Gives the metrics of a service to a registry."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured

    def collect(self) -> Iterable[Metric]:
        now = self._measured.metrics()
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
        yield from self._measured.inserts.collect()
