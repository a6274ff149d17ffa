"""Traces: who asked for a call, and what became of it, over the processes that took part.

They are off unless the environment names a receiver by the variables of OpenTelemetry; then nothing of it is
imported. The context of a span is sent in the header `traceparent` of a message (W3C Trace Context).
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from structlog.typing import EventDict, WrappedLogger

TRACEPARENT = "traceparent"


class Span(Protocol):
    """A piece of work in a trace."""

    def note(self, **attributes: Any) -> None:
        """Set attributes; those that are None are left out."""
        ...

    def rename(self, name: str) -> None:
        """Name it by what is known only now."""
        ...


class Tracer(Protocol):
    """Makes spans; an adapter of OpenTelemetry."""

    def span(
        self, name: str, parent: str | None, attributes: Mapping[str, Any], started_ns: int | None
    ) -> AbstractContextManager[Span]:
        """Return the context in which the span is the current one."""
        ...

    def ids(self) -> tuple[str, str, str] | None:
        """Return the trace, the span and the flags of the current span in hexadecimal digits."""
        ...

    def close(self) -> None:
        """Send what has not been sent."""
        ...


class _NoSpan:
    def note(self, **attributes: Any) -> None:
        """Traces are off."""

    def rename(self, name: str) -> None:
        """Traces are off."""


_NO_SPAN = _NoSpan()
_tracer: Tracer | None = None


def use(tracer: Tracer) -> None:
    """Send the traces of this process; `start` does that if the environment asks for it."""
    global _tracer  # noqa: PLW0603 - one for each process, as the library has it
    _tracer = tracer


def stop() -> None:
    """Send what has not been sent, and no more."""
    global _tracer
    tracer, _tracer = _tracer, None
    if tracer is not None:
        tracer.close()


def enabled() -> bool:
    """Tell whether traces are sent."""
    return _tracer is not None


@contextmanager
def span(
    name: str, *, parent: str | None = None, started_ns: int | None = None, **attributes: Any
) -> Iterator[Span]:
    """Record the block as a span, by default under the current one; `parent` is the header of a message.

    `started_ns` (Unix time) is for work that began before the block.
    """
    if _tracer is None:
        yield _NO_SPAN
        return
    with _tracer.span(name, parent, attributes, started_ns) as made:
        yield made


def traceparent() -> str | None:
    """Return the header for a message that is sent now; None: without a span, or without traces."""
    ids = _tracer.ids() if _tracer is not None else None
    return None if ids is None else f"00-{ids[0]}-{ids[1]}-{ids[2]}"


def headers() -> dict[str, str]:
    """Return what to add to the headers of a message that is sent now."""
    value = traceparent()
    return {} if value is None else {TRACEPARENT: value}


def add_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add the trace and the span to a log line; a processor of structlog."""
    ids = _tracer.ids() if _tracer is not None else None
    if ids is not None:
        event["trace_id"], event["span_id"], _ = ids
    return event
