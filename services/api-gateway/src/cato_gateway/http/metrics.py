"""The metrics of the gateway, in Prometheus' text format."""

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

_METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH"})


class Metrics:
    """A registry of its own, so that a process may have several gateways (tests do)."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.in_progress = Gauge(
            "cato_http_requests_in_progress", "Requests being answered.", registry=self._registry
        )
        self._requests = Counter(
            "cato_http_requests",
            "Requests by route and status; status 0: the client left before there was one.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "cato_http_request_duration_seconds",
            "Time from the request's head to the end of the answer.",
            ("method", "route"),
            registry=self._registry,
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        known = method if method in _METHODS else "other"
        self._requests.labels(known, route, status).inc()
        self._seconds.labels(known, route).observe(seconds)

    def text(self) -> bytes:
        return generate_latest(self._registry)
