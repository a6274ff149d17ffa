"""The process: start, serve, drain, stop."""

import asyncio
import signal
import sys

import structlog
from pydantic import ValidationError

from cato_contracts.errors import BrokerError, ConfigurationError
from cato_gateway.app import create_app
from cato_gateway.bootstrap import build
from cato_gateway.deps import Gateway
from cato_gateway.http.server import Server, listen, make_server
from cato_gateway.http.tokens import refuse_public_default
from cato_gateway.settings import GatewaySettings
from cato_runtime.broker import connect, ensure_topology, make_broker
from cato_runtime.config import Config, load_config
from cato_runtime.garbage import collect_seldom
from cato_runtime.logs import configure_logging
from cato_runtime.settings import ServiceSettings

log = structlog.get_logger()

_EXIT_CONFIGURATION = 78  # EX_CONFIG of sysexits.h
_EXIT_UNAVAILABLE = 69  # EX_UNAVAILABLE


def main() -> None:
    """Run the gateway until SIGTERM or SIGINT; SIGHUP reads the tokens again."""
    service = ServiceSettings()
    configure_logging("gateway", service)
    collect_seldom()
    try:
        settings = _settings()
        config = load_config(service.config)
        refuse_public_default(config, settings.host)
        asyncio.run(_run(service, settings, config))
    except ConfigurationError as error:
        log.error("cannot start", reason=str(error))  # noqa: TRY400 - the message says it all
        sys.exit(_EXIT_CONFIGURATION)
    except BrokerError as error:
        log.error("cannot start", reason=str(error))  # noqa: TRY400 - as above
        sys.exit(_EXIT_UNAVAILABLE)


def _settings() -> GatewaySettings:
    try:
        return GatewaySettings()
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise ConfigurationError(f"environment: {problems}") from error


async def _run(service: ServiceSettings, settings: GatewaySettings, config: Config) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    listener = listen(settings)
    broker = make_broker(service.nats_url, "gateway")
    try:
        client = await connect(broker)
        js = client.jetstream(timeout=10)
        await ensure_topology(js, replicas=service.nats_replicas)
        gateway = build(settings, config, broker, js)
        await broker.start()
        loop.add_signal_handler(signal.SIGHUP, _reload, service, settings, gateway)
        server = make_server(create_app(gateway), settings, service.drain_seconds)
        draining = asyncio.create_task(_drain(server, gateway, stopping))
        log.info("listening", host=settings.host, port=listener.getsockname()[1])
        await server.serve(sockets=[listener])
        draining.cancel()
    finally:
        listener.close()
        await broker.stop()
        log.info("stopped")


async def _drain(server: Server, gateway: Gateway, stopping: asyncio.Event) -> None:
    await stopping.wait()
    log.info("draining")
    gateway.draining = True
    await asyncio.sleep(gateway.settings.drain_delay.total_seconds())
    gateway.watches.close()
    server.should_exit = True


def _reload(service: ServiceSettings, settings: GatewaySettings, gateway: Gateway) -> None:
    try:
        config = load_config(service.config)
        refuse_public_default(config, settings.host)
        gateway.tokens.replace(config.tokens)
    except ConfigurationError as error:
        log.error("tokens stay as they were", reason=str(error))  # noqa: TRY400 - the message says it all
    else:
        log.info("tokens read again", tokens=len(config.tokens))


if __name__ == "__main__":
    main()
