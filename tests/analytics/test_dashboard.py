"""The dashboards of Grafana and the rules of Prometheus use existing tables, columns and metrics."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest

from cato_dialer.campaign.adapters.campaign_gauges import CampaignGauges
from cato_dialer.dial.adapters.call_metrics import CallMetrics
from cato_dialer.dial.adapters.dial_gauges import DialGauges
from cato_dialer.dial.domain.capacity.overload_control import OverloadControl
from cato_dialer.dial.ports.stations import UnwatchedStations
from cato_gateway.http.metrics import Metrics
from cato_reporting.metrics import ReportingCollector, ReportingMetrics, insert_histogram
from cato_runtime.health import Health, _HealthCollector
from services.dialer.tests.support.stations import make_station

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARDS = {file.stem: json.loads(file.read_text("utf-8")) for file in (DEPLOY / "grafana").glob("*.json")}
PANELS = [panel for board in DASHBOARDS.values() for panel in board["panels"] if panel["type"] != "row"]
SQL = {panel["title"]: panel["targets"][0]["rawSql"] for panel in PANELS if "rawSql" in panel["targets"][0]}
FORMULAS = [target["expr"] for panel in PANELS for target in panel["targets"] if "expr" in target]
RULES = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus/cato-rules.yml").read_text())["groups"]
    for rule in group["rules"]
]


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
    trunk = SimpleNamespace(worker_pids=(), capacity=0, media_lag_ms=0, loop_lag_ms=0, engines={})
    dispatcher = SimpleNamespace(jobs_in_hand=0, overload=OverloadControl())
    channels = SimpleNamespace(usage=lambda _station_id: (0, 0), licence_usage=lambda: (9, 4, 1))
    return DialGauges([make_station()], dispatcher, channels, trunk, UnwatchedStations())


def test_there_are_dashboards_for_operations_and_for_business():
    assert set(DASHBOARDS) == {"cato-operations", "cato-business"}
    assert {board["uid"] for board in DASHBOARDS.values()} == set(DASHBOARDS)


def documented_metrics():
    """Return the names of the metrics that the services show."""
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
    calls.registry.register(CampaignGauges(None, lambda: 0, lambda: 0))
    dialer = generate_latest(calls.registry)
    text = (generate_latest(registry) + dialer + Metrics().text()).decode()
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, flags=re.MULTILINE))
    there = set(kinds)
    for name, kind in kinds.items():
        if kind == "histogram":
            there |= {f"{name}_{part}" for part in ("bucket", "sum", "count")}
    return there


def names_in(formulas):
    return {name for formula in formulas for name in re.findall(r"\bcato_\w+", formula)}


def test_each_metric_of_the_dashboards_and_rules_exists():
    shown, ruled = names_in(FORMULAS), names_in(rule["expr"] for rule in RULES)
    assert min(len(shown), len(ruled)) > 15
    assert (shown | ruled) - documented_metrics() == set()


def test_each_metric_of_the_services_is_in_the_manual_of_operations():
    manual = (DEPLOY.parent / "docs/operations.md").read_text()
    shown = {name for name in documented_metrics() if name.startswith("cato_")}
    assert {
        name
        for name in shown
        if name not in manual and not name.endswith(("_bucket", "_sum", "_count", "_created"))
    } == set()


def test_each_alert_has_a_section_in_the_runbooks():
    runbooks = (DEPLOY.parent / "docs/runbooks.md").read_text()
    sections = re.findall(r"^### (\w+)$", runbooks, flags=re.MULTILINE)
    assert sections == [rule["alert"] for rule in RULES]
    for rule in RULES:
        assert rule["annotations"]["runbook_url"] == f"docs/runbooks.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}


@pytest.mark.parametrize("name", DASHBOARDS)
def test_each_panel_has_a_data_source_and_a_position(name):
    board = DASHBOARDS[name]
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    sources = {f"${{{each['name']}}}" for each in board["templating"]["list"]}
    assert {panel["datasource"]["uid"] for panel in panels} == sources
    assert {target["datasource"]["uid"] for panel in panels for target in panel["targets"]} == sources
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    taken = [
        (x, y)
        for panel in board["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
