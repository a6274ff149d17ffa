"""What a soak takes for growth."""

from bench.soak.growth import growth_of_count, growth_of_memory

TIMES = range(300, 2_700, 10)


def saw(at: int) -> float:
    """Return memory that is filled and collected every 70 s."""
    return (at % 70) / 2


def test_memory_that_goes_up_and_down_has_not_grown() -> None:
    growth = growth_of_memory([(at, 100 + saw(at)) for at in TIMES])
    assert not growth.fault
    assert 0.95 < growth.ratio < 1.05


def test_a_rise_that_chance_explains_is_no_growth() -> None:
    steps = (0, 10, -12, 14, -8, 6, 12, 2)
    growth = growth_of_memory([(at, 100.0 + steps[(at - 300) // 300]) for at in TIMES])
    assert growth.ratio > 1.05
    assert not growth.fault


def test_a_slow_leak_is_found_under_the_noise() -> None:
    assert growth_of_memory([(at, 100 + saw(at) + at / 250) for at in TIMES]).fault


def test_memory_that_is_given_back_has_not_grown() -> None:
    assert not growth_of_memory([(at, 100 - at / 100) for at in TIMES]).fault


def test_counts_that_come_and_go_have_not_grown() -> None:
    values = [(at, 80.0 if at % 50 else 120.0) for at in TIMES]
    assert not growth_of_count(values).fault


def test_a_few_may_become_two_more_but_not_three() -> None:
    assert not growth_of_count([(at, 10.0 if at < 1_000 else 12.0) for at in TIMES]).fault
    assert growth_of_count([(at, 10.0 if at < 1_000 else 13.0) for at in TIMES]).fault


def test_many_may_become_five_percent_more() -> None:
    assert not growth_of_count([(at, 100.0 if at < 1_000 else 105.0) for at in TIMES]).fault
    assert growth_of_count([(at, 100.0 if at < 1_000 else 106.0) for at in TIMES]).fault
