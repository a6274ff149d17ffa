from tests.support.servers import bus, clickhouse_dsn, clickhouse_over_http, clickhouse_server, nats_url

__all__ = ["bus", "clickhouse_dsn", "clickhouse_over_http", "clickhouse_server", "nats_url"]
