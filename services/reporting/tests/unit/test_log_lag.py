from prometheus_client import CollectorRegistry, generate_latest

from cato_reporting.domain.log_lag import Durations, LogAges
from cato_reporting.metrics import Figures, ReportingCollector


def test_a_position_at_the_end_of_the_log_is_as_old_as_the_last_look():
    ages = LogAges(100.0)
    ages.note(5, at=110.0)
    ages.note(5, at=111.0)
    assert ages.age(5, now=111.5) == 0.5


def test_a_position_that_is_behind_has_the_age_of_the_first_message_after_it():
    ages = LogAges(100.0)
    for second in range(10):
        ages.note(second * 10, at=100.0 + second)
    assert ages.age(30, now=109.0) == 6.0
    assert ages.age(35, now=109.0) == 6.0
    assert ages.age(90, now=109.0) == 0.0


def test_while_nobody_tells_where_the_log_ends_everything_grows_old():
    ages = LogAges(100.0)
    ages.note(7, at=101.0)
    assert ages.age(7, now=161.0) == 60.0


def test_durations_are_counted_up_to_each_bound():
    durations = Durations((0.1, 1.0))
    for seconds in (0.05, 0.1, 0.5, 7.0):
        durations.add(seconds)
    assert durations.up_to() == [("0.1", 2.0), ("1.0", 3.0), ("+Inf", 4.0)]
    assert durations.total_s == 7.65


def test_the_figures_are_shown_as_they_are_at_the_moment_of_the_scrape():
    class Service:
        lag = 3

        def figures(self):
            inserts = Durations()
            inserts.add(0.02)
            return Figures(
                read_model_up=True,
                lag_messages=self.lag,
                lag_seconds=1.5,
                events=40,
                batches=1,
                inserts=inserts,
                dead_letters=2,
                followed_runs=1,
                report_age=0.25,
            )

    service = Service()
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
