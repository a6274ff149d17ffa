"""The Grafana dashboard uses existing tables, columns and metrics."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from cato_dialer.dial.adapters.call_metrics import CallMetrics
from cato_dialer.dial.adapters.dial_gauges import DialGauges
from cato_dialer.dial.domain.capacity.overload_control import OverloadControl
from cato_dialer.dial.ports.stations import UnwatchedStations
from cato_gateway.http.metrics import Metrics
from cato_reporting.metrics import ReportingCollector, ReportingMetrics, insert_histogram
from cato_runtime.health import Health, _HealthCollector
from services.dialer.tests.support.stations import make_station

DASHBOARD = json.loads((Path(__file__).parents[2] / "deploy/grafana/cato.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
SQL = {panel["title"]: panel["targets"][0]["rawSql"] for panel in PANELS if "rawSql" in panel["targets"][0]}
FORMULAS = [target["expr"] for panel in PANELS for target in panel["targets"] if "expr" in target]


def without_macros(sql):
    """Return the statement as the data source sends it (grafana-clickhouse-datasource, "Macros")."""
    sql = re.sub(r"\$__timeFilter\((\w+)\)", r"\1 >= toDateTime(0) AND \1 <= toDateTime('2100-01-01')", sql)
    sql = re.sub(r"\$__timeInterval\((\w+)\)", r"toStartOfInterval(toDateTime(\1), INTERVAL 60 second)", sql)
    assert "$" not in sql
    return sql


@pytest.mark.parametrize("title", SQL)
def test_statement_of_a_panel_returns_rows(title, database):
    assert len(database.query(without_macros(SQL[title])).result_rows) > 0


def test_calls_of_the_panel_add_up_to_all_calls(database):
    rows = database.query(without_macros(SQL["Calls started, by outcome"])).result_rows
    assert sum(row[2] for row in rows) == database.query("SELECT count() FROM calls").result_rows[0][0]


def test_runs_panel_has_the_number_of_notified_subscribers(database, runs):
    result = database.query(without_macros(SQL["Runs"]))
    shown = {row[2]: row[4] for row in result.result_rows}
    results = {run.run_id: [e.body for sent in run.messages for e in sent.events] for run in runs}
    assert shown == {
        run: len({body.no for body in bodies if getattr(body, "notified", None) is True})
        for run, bodies in results.items()
    }


def idle_dialer():
    trunk = SimpleNamespace(worker_pids=(), capacity=0, media_lag_ms=0, loop_lag_ms=0)
    dispatcher = SimpleNamespace(jobs_in_hand=0, overload=OverloadControl())
    channels = SimpleNamespace(usage=lambda _station_id: (0, 0))
    return DialGauges([make_station()], dispatcher, channels, trunk, UnwatchedStations())


def test_each_metric_of_the_dashboard_exists():
    registry = CollectorRegistry()
    registry.register(_HealthCollector(Health("reporting")))

    class Idle:
        inserts = insert_histogram()

        def metrics(self):
            return ReportingMetrics(
                read_model_up=True,
                lag_messages=0,
                lag_seconds=0,
                events=0,
                batches=0,
                dead_letters=0,
                followed_runs=0,
                report_age=0,
            )

    registry.register(ReportingCollector(Idle()))
    calls = CallMetrics([make_station()])
    calls.gauges(idle_dialer().read)
    dialer = generate_latest(calls.registry)
    text = (generate_latest(registry) + dialer + Metrics().text()).decode()
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, flags=re.MULTILINE))
    there = set(kinds)
    for name, kind in kinds.items():
        if kind == "histogram":
            there |= {f"{name}_{part}" for part in ("bucket", "sum", "count")}
    wanted = {name for formula in FORMULAS for name in re.findall(r"\bcato_\w+", formula)}
    assert len(wanted) > 10
    assert wanted - there == set()


def test_each_panel_has_a_data_source_and_a_position():
    sources = {f"${{{each['name']}}}" for each in DASHBOARD["__inputs"]}
    assert {panel["datasource"]["uid"] for panel in PANELS} == sources
    assert {target["datasource"]["uid"] for panel in PANELS for target in panel["targets"]} == sources
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    taken = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
