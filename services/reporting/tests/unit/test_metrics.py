from prometheus_client import CollectorRegistry, generate_latest

from cato_reporting.metrics import ReportingCollector, ReportingMetrics, insert_histogram


def test_the_metrics_show_the_moment_of_the_scrape():
    class Service:
        lag = 3
        inserts = insert_histogram()

        def metrics(self):
            return ReportingMetrics(
                read_model_up=True,
                lag_messages=self.lag,
                lag_seconds=1.5,
                events=40,
                batches=1,
                dead_letters=2,
                followed_runs=1,
                report_age=0.25,
            )

    service = Service()
    service.inserts.observe(0.02)
    registry = CollectorRegistry()
    registry.register(ReportingCollector(service))
    service.lag = 4
    lines = generate_latest(registry).decode().splitlines()
    for line in (
        "cato_reporting_read_model_up 1.0",
        "cato_reporting_read_model_lag_messages 4.0",
        "cato_reporting_read_model_lag_seconds 1.5",
        "cato_reporting_events_stored_total 40.0",
        "cato_reporting_batches_stored_total 1.0",
        "cato_reporting_dead_letters_total 2.0",
        "cato_reporting_followed_runs 1.0",
        "cato_reporting_report_age_seconds 0.25",
        'cato_reporting_insert_seconds_bucket{le="0.025"} 1.0',
        "cato_reporting_insert_seconds_count 1.0",
    ):
        assert line in lines
