"""Structured logs: static messages, values as fields, telephone numbers masked."""

import logging
import sys
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from cato_runtime.configuration.settings import LogFormat, ServiceSettings
from cato_runtime.tracing import add_trace

log = structlog.get_logger()

_SHOWN_DIGITS = 2


def mask_phone_numbers(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace all but the last digits of every value whose key starts with `pii_`."""
    for key, value in event.items():
        if key.startswith("pii_"):
            text = str(value)
            event[key] = "*" * max(0, len(text) - _SHOWN_DIGITS) + text[-_SHOWN_DIGITS:]
    return event


def _log_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Log what ends the process, in the same form as everything else."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        log.critical("process failed", exc_info=(kind, error, trace))


def configure_logging(service: str, settings: ServiceSettings) -> None:
    """Send everything, standard library loggers too, to standard error in one form."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        add_trace,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if not settings.log_phone_numbers:
        shared.append(mask_phone_numbers)
    renderer: list[Any]
    if settings.log_format is LogFormat.JSON:
        renderer = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    else:
        # The default tracebacks show local variables: telephone numbers and tokens, too.
        renderer = [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    logging.captureWarnings(True)
    sys.excepthook = _log_exception
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "uvicorn.access", "asyncio", "faststream", "clickhouse_connect"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(service=service)
