"""What a station's configuration may say of keys, encryption and session timers."""

from pathlib import Path

import pytest

from cato_contracts.errors import ConfigurationError
from cato_runtime.configuration.config import Config, load_config
from cato_runtime.configuration.station_config import DigitWay, SessionTimers, Srtp, StationConfig


def loaded(directory: Path, *lines: str) -> Config:
    path = directory / "cato.yaml"
    path.write_text("stations:\n  - name: main\n" + "".join(f"    {line}\n" for line in lines))
    return load_config(path)


def test_a_station_takes_events_and_info_in_the_open_and_may_refresh():
    station = StationConfig()
    assert station.dtmf == (DigitWay.RTP_EVENTS, DigitWay.INFO)
    assert (station.srtp, station.session_timers) == (Srtp.OFF, SessionTimers.OPTIONAL)
    assert station.session_expires_s == 1_800


def test_off_needs_no_quotes(tmp_path: Path):
    (station,) = loaded(tmp_path, "srtp: off", "sessionTimers: off").stations
    assert (station.srtp, station.session_timers) == (Srtp.OFF, SessionTimers.OFF)


def test_every_word_is_understood(tmp_path: Path):
    lines = ("dtmf: [inband, rfc4733]", "srtp: mandatory", "sessionTimers: required", "sessionExpiresS: 90")
    (station,) = loaded(tmp_path, *lines).stations
    assert station.dtmf == (DigitWay.IN_BAND, DigitWay.RTP_EVENTS)
    assert (station.srtp, station.session_timers) == (Srtp.MANDATORY, SessionTimers.REQUIRED)
    assert station.session_expires_s == 90


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("dtmf: []", r"stations\.0\.dtmf"),
        ("dtmf: [tones]", r"stations\.0\.dtmf\.0"),
        ("dtmf: [info, info]", r"stations\.0\.dtmf: .*a way is named twice: info, info"),
        ("srtp: on", r"stations\.0\.srtp"),
        ("sessionTimers: sometimes", r"stations\.0\.sessionTimers"),
        ("sessionExpiresS: 89", r"stations\.0\.sessionExpiresS"),
    ],
)
def test_a_mistake_names_its_key(tmp_path: Path, line: str, complaint: str):
    with pytest.raises(ConfigurationError, match=complaint):
        loaded(tmp_path, line)
