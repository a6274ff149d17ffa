from cato_reporting.projections.log_lag import LogLag


def test_a_position_at_the_end_of_the_log_is_as_old_as_the_last_look():
    lag = LogLag(100.0)
    lag.note(5, at=110.0)
    lag.note(5, at=111.0)
    assert lag.age(5, now=111.5) == 0.5


def test_a_position_that_is_behind_has_the_age_of_the_first_message_after_it():
    lag = LogLag(100.0)
    for second in range(10):
        lag.note(second * 10, at=100.0 + second)
    assert lag.age(30, now=109.0) == 6.0
    assert lag.age(35, now=109.0) == 6.0
    assert lag.age(90, now=109.0) == 0.0


def test_every_position_grows_old_while_the_end_of_the_log_is_unknown():
    lag = LogLag(100.0)
    lag.note(7, at=101.0)
    assert lag.age(7, now=161.0) == 60.0
