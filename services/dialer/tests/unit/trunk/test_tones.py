"""Keys by their tones, over A-law: tones that ITU-T Q.24 requires, and sounds that are not keys."""

import math
import random
from itertools import product

import pytest

from cato_dialer.dial.adapters.pjsua2.worker.audio.tones import ToneReceiver
from cato_exchange.media.tones import alaw
from tests.support.g711 import decoded

RATE = 8_000
KEYS = "1234567890*#ABCD"
ROWS = {697: "123A", 770: "456B", 852: "789C", 941: "*0#D"}
COLUMNS = (1209, 1336, 1477, 1633)
FULL_SCALE = 32_124
"The peak of a sine of +3.14 dBm0."

Wave = list[float]


def peak(dbm0: float) -> float:
    return FULL_SCALE * float(10 ** ((dbm0 - 3.14) / 20))


def sine(hertz: float, ms: float, level: float) -> Wave:
    return [level * math.sin(math.tau * hertz * n / RATE) for n in range(round(ms * RATE / 1_000))]


def silence(ms: float) -> Wave:
    return [0.0] * round(ms * RATE / 1_000)


def mixed(*waves: Wave) -> Wave:
    return [sum(samples) for samples in zip(*waves, strict=True)]


def key(digit: str, ms: float = 50, *, low: float = -10, high: float = -10, off: float = 0.0) -> Wave:
    """`low` and `high` in dBm0, `off` as a share of the frequency."""
    row, columns = next((hertz, keys) for hertz, keys in ROWS.items() if digit in keys)
    column = COLUMNS[columns.index(digit)]
    return mixed(sine(row * (1 + off), ms, peak(low)), sine(column * (1 + off), ms, peak(high)))


def all_keys(ms: float = 50, pause: float = 50, **how: float) -> Wave:
    return [sample for digit in KEYS for sample in (*key(digit, ms, **how), *silence(pause))]


def noisy(wave: Wave, level: float) -> Wave:
    """`level`: of the noise, root mean square."""
    chance = random.Random(1)
    return [sample + chance.gauss(0, level) for sample in wave]


def heard(wave: Wave, piece: int = 800) -> str:
    """Return the keys recognised in the audio, in pieces of this many samples, over A-law."""
    receiver = ToneReceiver()
    codes = bytes(alaw(max(-32_768, min(32_767, round(sample)))) for sample in wave)
    return "".join(receiver.hear(decoded(codes[at : at + piece])) for at in range(0, len(codes), piece))


def test_keys_of_40_ms_with_pauses_of_40_ms_are_heard_wherever_they_begin():
    for lead, piece in product((0, 3, 6, 9, 12), (160, 800)):
        assert heard([*silence(lead), *all_keys(40, 40)], piece) == KEYS


@pytest.mark.parametrize("level", [0, -10, -20, -25])
def test_keys_of_every_level_that_lines_have_are_heard(level: float):
    assert heard(all_keys(low=level, high=level)) == KEYS


def test_tones_weaker_than_the_limit_are_not_recognised():
    assert heard(all_keys(low=-55, high=-55)) == ""


@pytest.mark.parametrize(("low", "high"), [(-14, -10), (-12, -10), (-10, -14), (-10, -18)])
def test_one_tone_may_be_louder_than_the_other(low: float, high: float):
    assert heard(all_keys(low=low, high=high)) == KEYS


@pytest.mark.parametrize(("low", "high"), [(-20, -10), (-10, -24)])
def test_tones_of_too_different_levels_are_not_recognised(low: float, high: float):
    assert heard(all_keys(low=low, high=high)) == ""


@pytest.mark.parametrize("off", [-0.018, -0.015, 0.015, 0.018])
def test_tones_a_little_off_in_frequency_are_recognised(off: float):
    assert heard(all_keys(off=off)) == KEYS


@pytest.mark.parametrize("off", [-0.035, 0.035])
def test_tones_far_off_in_frequency_are_not_recognised(off: float):
    assert heard(all_keys(off=off)) == ""


@pytest.mark.parametrize("decibels", [24, 15])
def test_noise_hides_no_key(decibels: float):
    assert heard(noisy(all_keys(), peak(-10) / 10 ** (decibels / 20))) == KEYS


def test_a_key_is_held_over_a_gap_and_pressed_again_after_a_pause():
    assert heard([*key("5"), *silence(10), *key("5")]) == "5"
    assert heard([*key("5"), *silence(40), *key("5")]) == "55"
    assert heard(key("5", 2_000)) == "5"


@pytest.mark.parametrize("hertz", [300, 425, 697, 941, 1209, 1633, 2600])
def test_a_single_tone_is_no_key(hertz: int):
    assert heard(sine(hertz, 500, peak(-10))) == ""


def test_a_call_progress_tone_of_two_is_no_key():
    for low, high in ((350, 440), (440, 480), (480, 620), (697, 852), (1209, 1477)):
        assert heard(mixed(sine(low, 500, peak(-10)), sine(high, 500, peak(-10)))) == ""


def voice(chance: random.Random, seconds: float) -> Wave:
    """Return something like speech: syllables of gliding harmonics under three formants, the higher ones
    weaker, with some breath; hisses and pauses between.
    """
    wave: Wave = []
    while len(wave) < seconds * RATE:
        length = chance.uniform(0.08, 0.35)
        samples = round(length * RATE)
        if chance.random() < 0.2:
            wave += [chance.gauss(0, 1_500) for _ in range(samples // 2)]
            continue
        pitch, glide = chance.uniform(80, 300), chance.uniform(-0.3, 0.3)
        formants = [chance.uniform(*span) for span in ((250, 900), (800, 2_400), (2_200, 3_200))]
        loudness = peak(chance.uniform(-25, -5))
        harmonics = range(1, int(3_400 / (pitch * 1.35)) + 1)
        weights = [
            sum(
                share / (1 + ((number * pitch - formant) / 90) ** 2)
                for formant, share in zip(formants, (1.0, 0.4, 0.15), strict=True)
            )
            for number in harmonics
        ]
        scale = loudness / max(sum(weights), 1)
        phase = 0.0
        for n in range(samples):
            phase += math.tau * pitch * (1 + glide * n / samples) / RATE
            envelope = math.sin(math.pi * n / samples)
            voiced = sum(
                weight * math.sin(number * phase) for number, weight in zip(harmonics, weights, strict=True)
            )
            wave.append(scale * envelope * (voiced + chance.gauss(0, 0.1)))
        wave += silence(chance.uniform(0, 120))
    return wave


def test_a_voice_is_not_recognised_as_keys():
    chance = random.Random(7)
    for _ in range(6):
        assert heard(voice(chance, 5)) == ""


def test_a_key_is_heard_over_a_quiet_voice():
    chance = random.Random(8)
    for digit in KEYS:
        pressed = [*silence(50), *key(digit, 100, low=-8, high=-8), *silence(50)]
        speech = [sample / 8 for sample in voice(chance, 0.2)[: len(pressed)]]
        assert heard(mixed(pressed, speech)) == digit


def test_noise_alone_is_not_recognised_as_keys():
    for level in (100, 1_000, 8_000):
        assert heard(noisy(silence(5_000), level)) == ""
