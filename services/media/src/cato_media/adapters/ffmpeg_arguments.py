"""The command lines of ffmpeg: what it may read, with which codecs, and how it mixes."""

from pathlib import Path

from cato_media.domain.mixing import Mixing
from cato_media.domain.sound import Coding, Sound

_STEREO = 2

# Mix down to mono first, with weights that add up to one: a signal on both sides keeps its level, and nothing
# exceeds full scale. Then resample with a real low-pass filter, in double precision throughout.
_MIX = "aresample=ochl=mono:osf=dblp:rematrix_maxval=1"
_RESAMPLE = "osr=8000:resampler=soxr:precision=28"
# A band-limited signal overshoots, and floating point has no full scale. The limit lies just above the
# largest level of A-law, so that A-law input passes unchanged.
_LIMITER = "alimiter=limit=0.985:attack=1:release=20:level=disabled:latency=1"
_MEASURES = "measure_overall=none:measure_perchannel=DC_offset+Peak_level+RMS_level+Flat_factor"

_PCM = ("pcm_s8", "pcm_u8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be")
_MORE_PCM = ("pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be", "pcm_alaw", "pcm_mulaw")
_DECODERS: dict[Coding, tuple[str, ...]] = {
    Coding.MP3: ("mp3float",),
    Coding.WAV: ("adpcm_ms", "adpcm_ima_wav", "adpcm_yamaha", "gsm_ms", "mp3float"),
    Coding.FLAC: ("flac",),
    Coding.OGG: ("opus", "vorbis", "flac", "speex"),
    Coding.MOV: ("aac", "alac", "mp3float", "flac", "opus", "amrnb", "amrwb", *_PCM, *_MORE_PCM),
    Coding.AAC: ("aac",),
    Coding.AMR: ("amrnb", "amrwb"),
    Coding.AIFF: ("adpcm_ima_qt", *_PCM, *_MORE_PCM),
    Coding.AU: (*_PCM, *_MORE_PCM),
    Coding.CAF: ("aac", "alac", "opus", "adpcm_ima_qt", *_PCM, *_MORE_PCM),
    Coding.MATROSKA: ("opus", "vorbis", "aac", "flac", "mp3float", *_PCM, *_MORE_PCM),
}


def survey_arguments(source: Path, sound: Sound, *, max_seconds: float, loudness: bool) -> list[str]:
    """Measure every channel, and the mix; the results are in the log."""
    measure_loudness = "ebur128=framelog=quiet," if loudness else ""
    graph = (
        f"{_joined(sound)}asplit[each][all];[each]astats@channels={_MEASURES}[channels];"
        f"[all]{_MIX},{measure_loudness}astats@mix={_MEASURES}[mix]"
    )
    output = ("-t", f"{max_seconds:g}", "-f", "null", "-")
    return [
        *("-v", "info", "-nostats", *_inputs(source, sound), "-filter_complex", graph),
        *("-map", "[channels]", *output, "-map", "[mix]", *output),
    ]


def decode_arguments(source: Path, sound: Sound, mixing: Mixing) -> list[str]:
    """Decode to A-law on standard output."""
    filters = [f"{_MIX}:{_RESAMPLE}"]
    if mixing.channel is not None:
        filters.insert(0, f"pan=mono|c0=c{mixing.channel}")
    if mixing.gain_db:
        filters.append(f"volume={mixing.gain_db}dB:precision=double")
    if mixing.dc:
        filters.append(f"aeval=val(0)-({mixing.dc}):c=same")
    graph = _joined(sound) + ",".join((*filters, _LIMITER, "aresample=osf=s16")) + "[prompt]"
    output = ("-map", "[prompt]", "-c:a", "pcm_alaw", "-f", "alaw", "pipe:1")
    return ["-v", "error", *_inputs(source, sound), "-filter_complex", graph, *output]


def _joined(sound: Sound) -> str:
    """Return the beginning of a filter graph: the parts of the file, one behind the other."""
    if not sound.parts:
        return "[0:a:0]"
    parts = len(sound.parts)
    return "".join(f"[{part}:a:0]" for part in range(parts)) + f"concat=n={parts}:v=0:a=1,"


def _inputs(source: Path, sound: Sound) -> list[str]:
    """Return the inputs: the bytes that hold the audio, each part as a file of its own.

    The format is given, so no content can turn the file into a playlist or another container. The only
    protocol is a section of this one file.
    """
    arguments = [
        "-nostdin",
        "-hide_banner",
        "-xerror",
        "-filter_threads",
        "1",
        "-filter_complex_threads",
        "1",
    ]
    decoders = _DECODERS.get(sound.coding, (f"pcm_{sound.coding}",))
    for start, end in sound.parts or ((sound.start, sound.end),):
        arguments += ["-threads", "1", "-protocol_whitelist", "subfile,file"]
        arguments += ["-codec_whitelist", ",".join(decoders), "-vn", "-sn", "-dn", "-f", str(sound.coding)]
        if sound.coding.is_samples:
            arguments += ["-sample_rate", str(sound.rate), "-ch_layout", _layout(sound)]
        arguments += ["-i", f"subfile,,start,{start},end,{end},,:file:{source}"]
    return arguments


def _layout(sound: Sound) -> str:
    if sound.channels == 1:
        return "mono"
    if sound.channels == _STEREO:
        return "stereo"
    if sound.speaker_mask and sound.speaker_mask.bit_count() == sound.channels:
        return f"0x{sound.speaker_mask:x}"
    return f"{sound.channels}c"
