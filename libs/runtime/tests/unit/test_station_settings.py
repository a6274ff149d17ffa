"""What a station's configuration may say of keys, encryption and session timers."""

import json
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

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


URIS = {
    "sip:pbx.example.org": None,
    "sip:pbx.example.org.:5061;transport=tls": None,
    "sip:my_pbx:5060;transport=udp": None,
    "sip:192.0.2.1": None,
    "sip:192.0.2": "is not an IPv4 address",
    "sip:192.0.2.256": "is not an IPv4 address",
    "sip:[2001:db8::1]:5060": "dialing.bindAddress must be one, too",
    "sip:[2001:db8::1::2]": "is not an IPv6 address in brackets",
    "sip:2001:db8::1": "is not a station's URI",
    "sip:pbx:0": "port 0 is not between 1 and 65535",
    "sip:pbx:65536": "port 65536 is not between 1 and 65535",
    "sip:pbx..org": "is not a host name",
    "sip:<pbx>": "is not a host name",
    "sip:p%62x": "is not a host name",
    'sip:"pbx"': "is not a host name",
    "sip:776400@pbx": "is not a station's URI",
    "sip:pbx;transport=ws": "the transport ws is not supported",
    "sip:pbx; transport=tcp": "is not a station's URI",
    "tel:776400": "is not a station's URI",
}


@pytest.mark.parametrize("uri", URIS)
def test_t12_the_address_of_a_station_is_checked_at_the_start(tmp_path: Path, uri: str):
    complaint = URIS[uri]
    if complaint is None:
        assert loaded(tmp_path, f"uri: '{uri}'").stations[0].uri == uri
    else:
        with pytest.raises(ConfigurationError, match=rf"stations\.0.*{re.escape(complaint)}"):
            loaded(tmp_path, f"uri: '{uri}'")


CALLERS = {
    "776400": None,
    "+73952776400": None,
    "Town hall": None,
    "Администрация": None,
    "776400@pbx.example.org": None,
    "776400@192.0.2.1:5070": None,
    "a%40b@pbx": None,
    "x@y@z": "has more than one @",
    '"Town hall" <sip:776400@pbx>': "must not contain < > or quotation marks",
    "Town hall <sip:776400@pbx>": "must not contain < > or quotation marks",
    "sip:776400@pbx": "without sip:",
    "tel:+73952776400": "without tel:",
    "Town hall@pbx": "cannot stand before @",
    "776400@": "is not a host name",
    "@pbx": "cannot stand before @",
    "776400@pbx:sip": "has no valid port",
    "": "has 1 to 100 characters",
    "7" * 101: "has 1 to 100 characters",
    "7764\\n00": "is not a number, a name or user@host",
}


@pytest.mark.parametrize("caller", CALLERS)
def test_t12_a_caller_id_is_checked_at_the_start(tmp_path: Path, caller: str):
    complaint = CALLERS[caller]
    line = "callerId: " + json.dumps(caller.replace("\\n", "\n"), ensure_ascii=False)
    if complaint is None:
        assert loaded(tmp_path, line).stations[0].caller_id == caller
    else:
        with pytest.raises(ConfigurationError, match=rf"stations\.0\.callerId: .*{re.escape(complaint)}"):
            loaded(tmp_path, line)


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (["engine: pjsua2"], "only the dense engine has IPv6, and engine: pjsua2 needs pjsua2"),
        (["srtp: mandatory"], "only the dense engine has IPv6, and srtp: mandatory needs pjsua2"),
        (["register: true"], "register is not supported with an IPv6 address"),
        ([], None),
    ],
)
def test_t12_an_ipv6_station_needs_the_dense_engine(lines: list[str], complaint: str | None):
    station = {"uri": "sip:[2001:db8::1]", **dict(line.split(": ") for line in lines)}
    config = {"dialing": {"bindAddress": "::"}, "stations": [station]}
    if complaint is None:
        assert Config.model_validate(config).stations[0].host == "2001:db8::1"
    else:
        with pytest.raises(ValidationError, match=complaint):
            Config.model_validate(config)


def test_t12_stations_of_ipv4_need_a_local_address_of_ipv4():
    config = {"dialing": {"bindAddress": "::"}, "stations": [{"uri": "sip:192.0.2.1"}]}
    with pytest.raises(ValidationError, match="must have an IPv6 address, as dialing"):
        Config.model_validate(config)
    with pytest.raises(ValidationError, match="bindAddress"):
        Config.model_validate({"dialing": {"bindAddress": "eth0"}})


def test_a_number_rule_names_only_groups_that_it_has(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="names a group that match does not have"):
        loaded(tmp_path, "numberRules: [{match: '8(.*)', replace: '+7\\2'}]")
