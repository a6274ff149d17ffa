"""The outer structure of containers: lengths, and files that are cut or damaged anywhere."""

import os
from collections.abc import Callable
from random import Random

import pytest

from cato_contracts.errors import InvalidError, RefusedError, TooLargeError
from cato_media.domain.sniffing import inspect
from services.media.tests.support.sounds import converted, packed, speech, wav

SPEECH = wav(packed(speech(1.0)), rate=8000)
INPUTS = int(os.environ.get("CATO_FUZZ_INPUTS", "2000"))
ENCODINGS: dict[str, tuple[str, ...]] = {
    "flac": ("flac",),
    "opus": ("ogg", "-c:a", "libopus"),
    "m4a": ("m4a",),
    "aac": ("aac",),
    "amr": ("amr", "-c:a", "libopencore_amrnb"),
    "mp3": ("mp3", "-b:a", "32k"),
    "adpcm": ("wav", "-c:a", "adpcm_ms"),
    "aiff": ("aiff",),
    "au": ("au",),
    "caf": ("caf", "-c:a", "alac"),
    "webm": ("webm", "-c:a", "libopus"),
}


@pytest.mark.parametrize(
    ("what", "seconds", "tolerance"),
    [("flac", 1.0, 0.0), ("aac", 1.0, 0.3), ("amr", 1.0, 0.03), ("adpcm", 1.0, 0.15)],
)
async def test_a6_the_length_is_read_from_the_structure(what: str, seconds: float, tolerance: float):
    data = await converted(SPEECH, *ENCODINGS[what])
    assert inspect(data, "a", max_seconds=60).seconds == pytest.approx(seconds, abs=tolerance)
    with pytest.raises(TooLargeError, match=r"longer than the 0\.5 s"):
        inspect(data, "a", max_seconds=0.5)


@pytest.mark.parametrize("what", ["opus", "m4a", "aac", "amr", "adpcm"])
@pytest.mark.parametrize("left", [0.2, 0.5, 0.95])
async def test_a6_a_cut_file_is_recognised_before_it_is_decoded(what: str, left: float):
    data = await converted(SPEECH, *ENCODINGS[what])
    with pytest.raises(InvalidError, match="cut"):
        inspect(data[: round(len(data) * left)], "a", max_seconds=60)


async def test_a_stream_without_an_end_is_marked():
    data = await converted(SPEECH, *ENCODINGS["opus"])
    assert not inspect(data, "a", max_seconds=60).open_ended
    assert inspect(data[: data.rindex(b"OggS")], "a", max_seconds=60).open_ended


CHANGES: tuple[Callable[[Random, bytearray, int], object], ...] = (
    lambda random, data, place: data.__setitem__(place, random.randrange(256)),
    lambda random, data, place: data.__setitem__(
        slice(place, place + 4), random.choice((b"\0" * 4, b"\xff" * 4))
    ),
    lambda random, data, place: data.__delitem__(slice(place, place + random.randrange(1, 50))),
    lambda random, data, place: data.__setitem__(
        slice(place, place), random.randbytes(random.randrange(1, 50))
    ),
    lambda _, data, place: data.__delitem__(slice(place + 1, None)),
)


async def test_a1_damaged_files_of_every_format_give_a_sound_or_a_rejection():
    random = Random(7)
    files = [SPEECH, packed(speech(1.0)), *[await converted(SPEECH, *each) for each in ENCODINGS.values()]]
    for _ in range(INPUTS):
        data = bytearray(random.choice(files))
        for _ in range(random.choice((1, 1, 2, 4, 16))):
            # The structure of most formats is in the first bytes.
            place = random.randrange(random.choice((len(data), min(len(data), 120))))
            random.choice(CHANGES)(random, data, place)
            data = data or bytearray(b"x")
        try:
            sound = inspect(bytes(data), random.choice(("a", "a.mp3")), max_seconds=60)
        except RefusedError:
            continue
        assert 0 <= sound.start < sound.end <= len(data)
