"""One trace from the HTTP request to the rows of the read model, received by OTLP."""

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.live_system import PROMPT, LiveStack

RECEIVED_S = 60
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
WANTED = {
    ("cato-gateway", "PUT /api/v1/tasks/{id}/start"),
    ("cato-gateway", "ask StartTask"),
    ("cato-dialer", "StartTask"),
    ("cato-dialer", "queue jobs"),
    ("cato-dialer", "job"),
    ("cato-dialer", "call"),
    ("cato-reporting", "project"),
}


class Receiver:
    """Receives spans by OTLP over HTTP, and remembers them by their id."""

    def __init__(self) -> None:
        self._spans: dict[str, dict[str, Any]] = {}
        self._changed = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                outer.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Log no requests."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def take(self, request: ExportTraceServiceRequest) -> None:
        with self._changed:
            for resource in request.resource_spans:
                names = {each.key: each.value.string_value for each in resource.resource.attributes}
                for span in (span for scope in resource.scope_spans for span in scope.spans):
                    self._spans[span.span_id.hex()] = {
                        "service": names["service.name"],
                        "name": span.name,
                        "trace": span.trace_id.hex(),
                        "parent": span.parent_span_id.hex(),
                        "notes": {each.key: each.value.string_value for each in span.attributes},
                    }
            self._changed.notify_all()

    def trace(self, trace_id: str) -> dict[str, dict[str, Any]]:
        """Return the spans of a trace, by their ids, once all that are wanted have come."""

        def found() -> dict[str, dict[str, Any]]:
            return {key: span for key, span in self._spans.items() if span["trace"] == trace_id}

        def complete() -> bool:
            return {(span["service"], span["name"]) for span in found().values()} >= WANTED

        with self._changed:
            assert self._changed.wait_for(complete, RECEIVED_S), found()
            return found()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.mark.timeout(180)
def test_one_trace_joins_request_command_job_call_and_projection(receiver, exchange, tmp_path, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
    stack = LiveStack(tmp_path, exchange.port)
    stack.start()
    try:
        client = stack.client()
        prompt = client.add_prompt("traced", PROMPT.read_bytes())
        person = {"fullName": "Traced Person", "phones": ["10990"], "emails": ""}
        task = client.make_task([person], files=[prompt["id"]])
        headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
        started = client.call("PUT", f"/tasks/{task}/start", headers=headers)
        client.finished(started["taskExecId"])
        spans = receiver.trace(TRACE)
        client.http.close()
    finally:
        stack.stop()
    (call,) = (span for span in spans.values() if span["name"] == "call")
    (record,) = exchange.records({"10990"})
    assert call["notes"]["cato.sip_call_id"] == record["call_id"]
    assert "10990" not in str(spans)
    path = [call]
    while path[-1]["parent"] in spans:
        path.append(spans[path[-1]["parent"]])
    names = [span["name"] for span in path]
    assert names == [
        "call",
        "job",
        "queue jobs",
        "StartTask",
        "ask StartTask",
        "PUT /api/v1/tasks/{id}/start",
    ]
    assert any(
        f'"trace_id": "{TRACE}"' in line
        for line in stack.log.read_text().splitlines()
        if "call ended" in line
    )
