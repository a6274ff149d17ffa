"""How many calls a worker lets begin in a short time."""

from cato_dialer.dial.adapters.pjsua2.worker.socket_quota import SocketQuota

CALLS = 4
FREE_AFTER_MS = 600


def test_calls_are_over_as_they_end_while_there_are_few():
    quota = SocketQuota(CALLS)
    assert [quota.freed(placed, placed, 0) for placed in range(1, 20)] == list(range(1, 20))


def test_no_more_than_thirty_calls_begin_before_the_handles_of_the_first_are_free_again():
    quota = SocketQuota(CALLS)
    placed = told = 0
    while placed - told < CALLS:
        placed += 1
        told = max(told, quota.freed(placed, placed, 0))
    assert placed == 30
    assert quota.wait_ms(0) == FREE_AFTER_MS
    assert quota.freed(placed, placed, FREE_AFTER_MS) == placed


def test_calls_that_last_use_handles_as_well():
    quota = SocketQuota(CALLS)
    placed, lasting = 3, 3
    told = 0
    while placed - told < CALLS:
        placed += 1
        told = max(told, quota.freed(placed, placed - lasting, 0))
    assert placed == 30
