"""Spans by OpenTelemetry, sent by OTLP over HTTP; the library reads its settings from `OTEL_*` by itself."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from cato_runtime.process.release import release
from cato_runtime.tracing import TRACEPARENT, Span

_CONTEXT = TraceContextTextMapPropagator()


class _Span:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def note(self, **attributes: Any) -> None:
        for name, value in attributes.items():
            if value is not None:
                self._span.set_attribute(f"cato.{name}", _plain(value))

    def rename(self, name: str) -> None:
        self._span.update_name(name)


class OpenTelemetryTracer:
    """Implements `cato_runtime.tracing.Tracer`."""

    def __init__(self, service: str) -> None:
        names = {
            "service.name": os.environ.get("OTEL_SERVICE_NAME") or f"cato-{service}",
            "service.version": release(),
            "service.instance.id": str(uuid4()),
        }
        self._provider = TracerProvider(resource=Resource.create(names))
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("cato")

    @contextmanager
    def span(
        self, name: str, parent: str | None, attributes: Mapping[str, Any], started_ns: int | None
    ) -> Iterator[Span]:
        context = _CONTEXT.extract({TRACEPARENT: parent}) if parent is not None else None
        with self._tracer.start_as_current_span(name, context, start_time=started_ns) as made:
            own = _Span(made)
            own.note(**attributes)
            yield own

    def ids(self) -> tuple[str, str, str] | None:
        context = trace.get_current_span().get_span_context()
        if not context.is_valid:
            return None
        return f"{context.trace_id:032x}", f"{context.span_id:016x}", f"{context.trace_flags:02x}"

    def close(self) -> None:
        self._provider.shutdown()


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) else str(value)
