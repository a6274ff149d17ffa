"""The formats that ffmpeg reads as containers, files that were joined, and how channels become one."""

import struct
from array import array
from pathlib import Path

import pytest

from cato_contracts.errors import InvalidError
from cato_runtime.configuration.config import AudioConfig
from services.media.tests.support.client import Media, Tasks, media_service
from services.media.tests.support.sounds import converted, packed, speech, tone, wav

SPEECH = speech(2.0, rate=16000)
PLAIN = wav(packed(SPEECH), rate=16000)
LEVEL = 20.0
"""Below full scale, the peak of SPEECH is 10.5 dB; its level without pauses is about this."""

FORMATS: dict[str, tuple[str, ...]] = {
    "flac": ("flac",),
    "flac in ogg": ("ogg", "-c:a", "flac"),
    "vorbis": ("ogg", "-c:a", "libvorbis"),
    "opus": ("opus", "-c:a", "libopus"),
    "aac in m4a": ("m4a", "-c:a", "aac"),
    "aac in m4a, index first": ("m4a", "-c:a", "aac", "-movflags", "faststart"),
    "alac": ("m4a", "-c:a", "alac"),
    "aac": ("aac",),
    "opus in webm": ("webm", "-c:a", "libopus"),
    "ima adpcm": ("wav", "-c:a", "adpcm_ima_wav"),
    "ms adpcm": ("wav", "-c:a", "adpcm_ms"),
    "mp3 in wav": ("wav", "-c:a", "mp3", "-ar", "44100"),
    "amr": ("amr", "-c:a", "libopencore_amrnb", "-ar", "8000"),
    "aiff": ("aiff",),
    "au": ("au",),
    "alac in caf": ("caf", "-c:a", "alac"),
}


def gsm(seconds: float) -> bytes:
    """Return GSM 6.10 in WAV, as ffmpeg cannot encode it: silent blocks of 65 bytes, 320 samples each."""
    blocks = round(seconds * 25)
    fmt = struct.pack("<HHIIHHHH", 0x31, 1, 8000, 1625, 65, 0, 2, 320)
    chunks = b"fmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", blocks * 65)
    chunks += (b"\xd8\x20\xa2\xe1\x5a\x50\x00\x49\x24\x92\x49\x24\x50\x00" + bytes(51)) * blocks
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


@pytest.mark.parametrize("what", FORMATS)
async def test_a6_a_format_of_ffmpeg_is_taken_whole_or_rejected_as_cut(media: Media, what: str):
    encoded = await converted(PLAIN, *FORMATS[what])
    file = await media.add("prompt", encoded)
    assert file.duration_ms == pytest.approx(2000, abs=120)
    assert file.rms_dbfs == pytest.approx((await media.add("plain", PLAIN)).rms_dbfs, abs=1.0)
    for cut in (encoded[: len(encoded) // 2], encoded[: -len(encoded) // 8]):
        with pytest.raises(InvalidError, match=r"cut|damaged"):
            await media.add("cut", cut)


async def test_a6_gsm_in_wav_is_taken(media: Media):
    file = await media.add("gsm.wav", gsm(2.0), allow_silence=True)
    assert file.duration_ms == 2000
    with pytest.raises(InvalidError, match="cut"):
        await media.add("cut.wav", gsm(2.0)[:-500])


async def test_a6_a_cover_and_a_video_stream_do_not_matter(media: Media):
    picture = ("-f", "lavfi", "-i", "color=red:size=64x64:duration=1", "-map", "0", "-map", "1")
    for suffix, codec in (("flac", "png"), ("m4a", "mjpeg")):
        covered = await converted(PLAIN, suffix, *picture, "-c:v", codec, "-disposition:v", "attached_pic")
        assert (await media.add(suffix, covered)).duration_ms == pytest.approx(2000, abs=60)
    assert (await media.add("mp4", await converted(PLAIN, "mp4", *picture))).duration_ms >= 1990


async def test_a2_two_mp3_files_joined_by_cat_are_decoded_whole(media: Media):
    first = await converted(PLAIN, "mp3", "-id3v2_version", "3", "-metadata", "title=One")
    second = await converted(
        PLAIN, "mp3", "-id3v2_version", "3", "-ar", "44100", "-ac", "2", "-write_id3v1", "1"
    )
    assert first.startswith(b"ID3")
    assert second.startswith(b"ID3")
    assert (await media.add("joined", first + second)).duration_ms == pytest.approx(4000, abs=40)
    assert (await media.add("thrice", second * 3)).duration_ms == pytest.approx(6000, abs=60)


async def test_a3_a_wav_written_to_a_pipe_is_taken_to_its_end(media: Media):
    data = bytearray(wav(packed(SPEECH, width=3), rate=16000, width=3, data_size=0x7FFFEFFF))
    struct.pack_into("<I", data, 4, 0x7FFFEFFF + 36)
    file = await media.add("piped.wav", bytes(data))
    assert file.duration_ms == 2000
    assert [warning.code for warning in file.warnings] == ["length-unknown"]


def channels(*each: list[float], mask: int | None = None) -> bytes:
    samples = [sample for frame in zip(*each, strict=True) for sample in frame]
    return wav(packed(samples), rate=16000, channels=len(each), speaker_mask=mask)


async def level(media: Media, name: str, data: bytes) -> tuple[float, list[str]]:
    file = await media.add(name, data)
    assert file.rms_dbfs is not None
    return file.rms_dbfs, [warning.code for warning in file.warnings]


@pytest.mark.parametrize("balance", [-1.0, -0.9, -0.7])
async def test_a4_stereo_with_an_inverted_side_is_heard(media: Media, balance: float):
    plain, _ = await level(media, "plain", PLAIN)
    inverted = channels(SPEECH, [balance * sample for sample in SPEECH])
    assert await level(media, "inverted", inverted) == (pytest.approx(plain, abs=0.2), ["one-channel"])


async def test_a4_silence_is_rejected_unless_it_is_asked_for(media: Media):
    with pytest.raises(InvalidError, match="allowSilence"):
        await media.add("pause", wav(bytes(32000), rate=16000))
    assert media.kept() == []
    file = await media.add("pause", wav(bytes(32000), rate=16000), allow_silence=True)
    assert [warning.code for warning in file.warnings] == ["silent"]


async def test_a5_a_voice_in_one_channel_has_its_normal_level(media: Media):
    plain, _ = await level(media, "plain", PLAIN)
    nothing = [0.0] * len(SPEECH)
    centre = channels(nothing, nothing, SPEECH, nothing, nothing, nothing, mask=0x3F)
    assert await level(media, "centre", centre) == (pytest.approx(plain, abs=0.2), [])
    assert await level(media, "left", channels(SPEECH, nothing)) == (pytest.approx(plain, abs=0.2), [])
    both = channels(SPEECH, SPEECH)
    assert await level(media, "both", both) == (pytest.approx(plain, abs=0.2), [])


@pytest.mark.parametrize("offset", [0.3, -0.1])
async def test_a5_an_offset_is_removed(media: Media, offset: float):
    shifted = wav(packed([0.6 * sample + offset for sample in SPEECH]), rate=16000)
    file = await media.add("shifted", shifted)
    plain, _ = await level(media, "plain", wav(packed([0.6 * sample for sample in SPEECH]), rate=16000))
    assert file.rms_dbfs == pytest.approx(plain, abs=0.1)
    decoded = array("h", await converted(await wav_of(media, file), "raw", "-f", "s16le"))
    assert abs(sum(decoded) / len(decoded)) < 150


async def wav_of(media: Media, file) -> bytes:
    return wav(await media.objects.get(file.content), rate=8000, width=1, coding=6)


async def test_the_loudness_of_prompts_is_a_setting(media: Media):
    quiet = wav(packed([0.05 * sample for sample in SPEECH]), rate=16000)
    async with media_service(media.log, media.objects, Tasks(), audio=AudioConfig(loudness_lufs=-20)) as even:
        levels = [(await level(even, name, data))[0] for name, data in (("a", PLAIN), ("b", quiet))]
        tones = [tone(48000, 2.0, amplitude=0.03), tone(48000, 2.0, amplitude=0.9)]
        rms = [(await level(even, str(n), wav(packed(each), rate=48000)))[0] for n, each in enumerate(tones)]
    assert max(levels) - min(levels) < 20
    assert rms == [pytest.approx(-20, abs=1.0)] * 2
    unchanged = await media.add("quiet", quiet)
    assert [warning.code for warning in unchanged.warnings] == ["too-quiet"]


async def test_the_levels_of_the_sample_of_the_repository(media: Media):
    sample = Path(__file__).parents[4] / "assets" / "flood_warning.mp3"
    file = await media.add("sample", sample.read_bytes())
    assert (file.peak_dbfs, file.rms_dbfs, file.warnings) == (
        pytest.approx(-1.6, abs=0.3),
        pytest.approx(-21.5, abs=0.5),
        [],
    )
