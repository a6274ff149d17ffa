"""Print the OpenAPI document of the application: `python -m cato_gateway.document`."""

import json
import sys

from nats.aio.client import Client

from cato_gateway.app import create_app
from cato_gateway.bootstrap import build_deps
from cato_gateway.settings import GatewaySettings
from cato_runtime.broker import make_broker
from cato_runtime.broker_storage import BrokerStorage
from cato_runtime.configuration.config import Config


def main() -> None:
    # The wiring of the service, around a broker that is never connected to.
    broker = make_broker("nats://127.0.0.1:4222", "gateway")
    client = Client()
    storage = BrokerStorage(client)
    deps = build_deps(GatewaySettings(), Config(), broker, client.jetstream(), storage)
    document = create_app(deps).openapi()
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
