"""What ffmpeg reports in its log about the audio of a file."""

import math
import re

from cato_media.domain.mixing import SILENT, Levels, Survey

_MEASURE = re.compile(r"^\[astats@(channels|mix) @ 0x[0-9a-f]+\] ([A-Za-z ]+): (\S+)$", re.MULTILINE)
_DURATION = re.compile(r"^  Duration: (\d+):(\d\d):(\d\d\.\d+),", re.MULTILINE)
_ESTIMATED = "Estimating duration from bitrate"
_LOUDNESS = re.compile(r"^    I: +(\S+) LUFS$", re.MULTILINE)


def read_survey(report: str) -> Survey:
    """Return the measurements in a log."""
    measures: dict[str, list[dict[str, float]]] = {"channels": [], "mix": []}
    for signal, name, value in _MEASURE.findall(report):
        if name == "Channel":
            measures[signal].append({})
        elif measures[signal]:
            measures[signal][-1][name] = float(value)
    channels = tuple(_levels(each) for each in measures["channels"])
    mix = _levels(measures["mix"][0]) if measures["mix"] else SILENT
    loudness = _LOUDNESS.search(report)
    return Survey(channels, mix, _stated_seconds(report), float(loudness[1]) if loudness else None)


def _levels(measures: dict[str, float]) -> Levels:
    """Return the levels; samples that are no numbers count as silence."""
    rms, peak = measures.get("RMS level dB", math.nan), measures.get("Peak level dB", math.nan)
    dc = measures.get("DC offset", math.nan)
    if math.isnan(rms) or math.isnan(peak) or not math.isfinite(dc):
        return SILENT
    power = 10 ** (rms / 10) - dc * dc
    without_dc = 10 * math.log10(power) if power > dc * dc * 1e-6 else -math.inf
    return Levels(without_dc, peak, dc, measures.get("Flat factor", 0.0))


def _stated_seconds(report: str) -> float | None:
    duration = _DURATION.search(report)
    if duration is None or _ESTIMATED in report:
        return None
    hours, minutes, seconds = duration.groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
