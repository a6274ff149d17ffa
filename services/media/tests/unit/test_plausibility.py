"""Raw PCM has no signature: speech and tones are accepted, everything that would be noise is not."""

import struct
import warnings
import zlib
from pathlib import Path
from random import Random

import pytest

from cato_contracts.errors import UnsupportedMediaError
from cato_media.domain.g711 import ALAW_LEVELS, MULAW_LEVELS
from cato_media.domain.plausibility import implausible
from cato_media.domain.sniffing import inspect
from services.media.tests.support.sounds import converted, packed, speech, tone, wav

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import audioop

SPEECH = packed(speech())


def square(hz: float) -> list[float]:
    return [1.0 if sample >= 0 else -1.0 for sample in tone(8000, hz=hz)]


def saw(hz: float) -> list[float]:
    return [(n * hz / 4000) % 2 - 1 for n in range(8000)]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("level", [0.003, 0.05, 0.3, 1.0, 3.0, 10.0])
def test_a1_speech_of_any_level_is_plausible(seed, level):
    assert implausible(packed(speech(2.0, level=level, seed=seed))) is None


@pytest.mark.parametrize("amplitude", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("hz", [50, 100, 350, 697, 1000, 1477, 2000, 3000, 3400, 3900])
def test_a1_tones_are_plausible(hz, amplitude):
    assert implausible(packed(tone(8000, hz=hz, amplitude=amplitude))) is None


@pytest.mark.parametrize("wave", [square, saw])
@pytest.mark.parametrize("hz", [50, 100, 441, 1000, 2000])
def test_a1_waves_with_edges_are_plausible(wave, hz):
    assert implausible(packed(wave(hz))) is None


@pytest.mark.parametrize(
    "samples",
    [
        [low + high for low, high in zip(tone(8000, hz=770), tone(8000, hz=1477), strict=True)],
        [0.01 * value for value in (Random(3).gauss(0, 1) for _ in range(8000))],  # a noisy room
        [0.0] * 16000,
        [0.0] * 8000 + [*speech(1.0)] + [0.0] * 8000,
        [0.3 + 0.2 * sample for sample in speech(2.0)],  # an offset
        [0.9 if n % 80 == 0 else 0.0 for n in range(8000)],  # clicks
        tone(8000, 0.02),
    ],
)
def test_a1_other_sounds_are_plausible(samples):
    assert implausible(packed(samples)) is None


@pytest.mark.parametrize(("level", "noise_db"), [(0.9, 10), (0.9, 7), (0.3, 6), (0.1, 3)])
@pytest.mark.parametrize("seed", range(3))
def test_a1_speech_with_white_noise_is_plausible(level, noise_db, seed):
    clean = speech(3.0, level=level, seed=seed)
    amplitude = (sum(sample**2 for sample in clean) / len(clean)) ** 0.5 * 10 ** (-noise_db / 20)
    random = Random(seed)
    assert implausible(packed([sample + random.gauss(0, amplitude) for sample in clean])) is None


def alaw(samples: bytes) -> bytes:
    return audioop.lin2alaw(samples, 2)


def mulaw(samples: bytes) -> bytes:
    return audioop.lin2ulaw(samples, 2)


def doubled(samples: bytes) -> bytes:
    return audioop.tostereo(samples, 2, 1, 1)


def one_sided(samples: bytes) -> bytes:
    return audioop.tostereo(samples, 2, 1, 0)


def floating(samples: bytes) -> bytes:
    values = struct.unpack(f"<{len(samples) // 2}h", samples)
    return struct.pack(f"<{len(values)}f", *(value / 32700 for value in values))


@pytest.mark.parametrize("sound", [SPEECH, packed(tone(8000, hz=440, amplitude=0.4))], ids=["speech", "tone"])
@pytest.mark.parametrize(
    ("recode", "name"),
    [
        (lambda samples: audioop.byteswap(samples, 2), "big-endian"),
        (alaw, "A-law"),
        (mulaw, "µ-law"),
        (floating, "floating point"),
        (doubled, "two channels"),
        (one_sided, "two channels"),
    ],
    ids=["big-endian", "A-law", "mu-law", "float", "stereo", "one side"],
)
def test_a1_other_sample_formats_are_named(sound, recode, name):
    seemingly = implausible(recode(sound))
    assert seemingly is not None
    assert name in seemingly


def test_a1_samples_of_8_and_24_bits_are_named():
    unsigned = audioop.bias(audioop.lin2lin(SPEECH, 2, 1), 1, 128)
    assert implausible(unsigned) == "raw PCM of 8 bits"
    assert implausible(packed(speech(), width=3)) == "raw PCM of 24 bits"
    assert implausible(packed(speech(), width=4)) == "raw PCM of 32 bits"


@pytest.mark.parametrize(
    "data",
    [
        Random(7).randbytes(100_000),
        zlib.compress(Path(inspect.__code__.co_filename).read_bytes() * 50),
        Path(inspect.__code__.co_filename).read_bytes(),
    ],
    ids=["random", "compressed", "text"],
)
def test_a1_data_that_are_no_samples_are_not_plausible(data):
    assert implausible(data[2000:]) == "compressed or other data"


@pytest.mark.parametrize(
    "options", [("mp3", "-b:a", "64k"), ("ac3",), ("mp2",), ("aac",), ("ogg",), ("flac",)]
)
async def test_a1_compressed_audio_without_its_beginning_is_not_plausible(options):
    encoded = await converted(wav(packed(speech(3.0, rate=44100)), rate=44100), *options)
    assert implausible(encoded[1001:]) is not None


@pytest.mark.parametrize("name", ["flood_warning", "flood_warning.pcm"])
@pytest.mark.parametrize("before", [b"\x01\x02\x03\x04" * 64, b"\x10\x00" * 5000])
async def test_a1_an_mp3_behind_something_else_is_rejected(name, before):
    encoded = await converted(
        wav(SPEECH, rate=8000), "mp3", "-ar", "44100", "-b:a", "320k", "-id3v2_version", "0"
    )
    data = before + encoded
    with pytest.raises(UnsupportedMediaError, match=f"MP3 audio behind {len(before)} bytes"):
        inspect(data + bytes(len(data) % 2), name, max_seconds=60)


def test_the_levels_of_g711_are_those_of_the_tables():
    codes = bytes(range(256))
    assert struct.pack("<256h", *ALAW_LEVELS) == audioop.alaw2lin(codes, 2)
    assert struct.pack("<256h", *MULAW_LEVELS) == audioop.ulaw2lin(codes, 2)
