import warnings
from array import array

from hypothesis import given
from hypothesis import strategies as st

from cato_media.domain import alaw

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import audioop

EVERY_LEVEL = array("h", range(-32768, 32768))


def test_the_levels_are_those_of_another_implementation():
    theirs = array("h", audioop.alaw2lin(bytes(range(256)), 2))
    assert [alaw.level_of(code) for code in range(256)] == list(theirs)


def test_every_code_comes_out_as_it_went_in():
    assert alaw.encode(array("h", map(alaw.level_of, range(256))).tobytes()) == bytes(range(256))


def test_no_level_is_coded_worse_than_by_another_implementation():
    theirs = audioop.lin2alaw(EVERY_LEVEL.tobytes(), 2)
    ours = alaw.encode(EVERY_LEVEL.tobytes())
    for level, mine, other in zip(EVERY_LEVEL, ours, theirs, strict=True):
        assert abs(alaw.level_of(mine) - level) <= abs(alaw.level_of(other) - level)
    assert sum(mine != other for mine, other in zip(ours, theirs, strict=True)) < 512


def test_no_sound_is_silence():
    assert alaw.encode(bytes(4)) == bytes([alaw.SILENCE] * 2)


@given(st.lists(st.integers(-32768, 32767), max_size=5))
def test_there_is_one_code_for_each_sample(levels):
    coded = alaw.encode(array("h", levels).tobytes())
    assert len(coded) == len(levels)
    for level, code in zip(levels, coded, strict=True):
        assert abs(alaw.level_of(code) - level) <= 512
