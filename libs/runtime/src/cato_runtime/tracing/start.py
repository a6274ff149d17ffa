"""Send the traces of this process, if the environment asks for that."""

import os
from collections.abc import Mapping

import structlog

from cato_contracts.errors import ConfigurationError
from cato_runtime import tracing

log = structlog.get_logger()

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def wanted(environment: Mapping[str, str]) -> bool:
    """Tell whether the environment asks for traces."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER")
    if exporter is not None:
        return exporter == "otlp"
    return any(environment.get(name) for name in _ENDPOINTS)


def start_tracing(service: str) -> None:
    """Send the traces of this process until `tracing.stop`, if the environment names a receiver.

    Raises:
        ConfigurationError: if the library is not installed.

    """
    if not wanted(os.environ):
        return
    try:
        from cato_runtime.tracing.opentelemetry_tracer import OpenTelemetryTracer  # noqa: PLC0415
    except ImportError as error:
        raise ConfigurationError(
            "the environment asks for traces (OTEL_...), but `cato-runtime[tracing]` is not installed"
        ) from error
    tracing.use(OpenTelemetryTracer(service))
    log.info("traces are sent")
