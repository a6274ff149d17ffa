"""Traces: off by default, and then for nothing; on by the variables of OpenTelemetry."""

import os
import subprocess
import sys

import pytest

from cato_contracts.errors import ConfigurationError
from cato_runtime import tracing
from cato_runtime.tracing.opentelemetry_tracer import OpenTelemetryTracer
from cato_runtime.tracing.start import start_tracing, wanted


@pytest.mark.parametrize(
    ("environment", "sent"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, False),
        ({"OTEL_SERVICE_NAME": "mine"}, False),
    ],
)
def test_traces_are_sent_if_the_environment_names_a_receiver(environment, sent):
    assert wanted(environment) is sent


def test_without_a_receiver_nothing_is_sent_noted_or_imported():
    code = """
import sys
from cato_runtime import tracing
from cato_runtime.tracing.start import start_tracing
import cato_runtime.service
before = {name for name in sys.modules if name.startswith("opentelemetry.sdk")}
start_tracing("test")
with tracing.span("work", parent="00-" + "1" * 32 + "-" + "2" * 16 + "-01", run=1) as span:
    span.note(found=2)
    assert tracing.headers() == {}
    assert tracing.add_trace(None, "info", {"event": "x"}) == {"event": "x"}
tracing.stop()
assert not before and not any(name.startswith("opentelemetry.sdk") for name in sys.modules)
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setitem(sys.modules, "cato_runtime.tracing.opentelemetry_tracer", None)
    with pytest.raises(ConfigurationError, match="tracing"):
        start_tracing("test")


def test_messages_and_log_lines_carry_the_span_under_its_parent(monkeypatch):
    # Nothing listens there, and nothing is sent: the spans are not sampled.
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
    tracer = OpenTelemetryTracer("test")
    monkeypatch.setattr(tracing, "_tracer", tracer)
    try:
        assert tracing.traceparent() is None
        parent = f"00-{'1' * 32}-{'2' * 16}-00"
        with tracing.span("work", parent=parent):
            sent = tracing.headers()["traceparent"]
            line = tracing.add_trace(None, "info", {"event": "x"})
        assert sent.startswith(f"00-{'1' * 32}-")
        assert sent.endswith("-00")
        assert sent != parent
        assert line == {"event": "x", "trace_id": "1" * 32, "span_id": sent.split("-")[2]}
        with tracing.span("work", parent="not a context"):
            assert tracing.traceparent() is not None
    finally:
        tracing.stop()
