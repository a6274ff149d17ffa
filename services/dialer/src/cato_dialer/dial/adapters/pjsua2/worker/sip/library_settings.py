"""The settings of PJSIP, also those that its Python side does not have."""

import ctypes

import pjsua2 as pj

from cato_dialer.dial.adapters.pjsua2 import protocol
from cato_dialer.dial.adapters.pjsua2.worker.socket_quota import most_calls

_CLOCK_HZ = 8_000
_PLAYERS_SURE = 32
"PJSUA_MAX_PLAYERS unless the library was built otherwise."

_PORTS_OF_CALL = 3
"Of the library's bridge: the stream of the call, its player and its audio tap."
_PORTS_SPARE = 8
"The null device has one of them."

_FIELDS = 24
_DISABLE_TCP_SWITCH = 4
_TIMERS, _TIMER_VALUES = slice(14, 18), [500, 4_000, 5_000, 32_000]
"`tsx.t1`, `t2`, `t4` and `td` in `pjsip_cfg_t`, by which its layout is recognised."


def library_config(settings: protocol.Configure) -> pj.EpConfig:
    config = pj.EpConfig()
    config.uaConfig.threadCnt = 0
    config.uaConfig.mainThreadOnly = True
    config.uaConfig.maxCalls = settings.calls
    config.uaConfig.userAgent = "CATO"
    config.logConfig.level = config.logConfig.consoleLevel = settings.sip_log_level
    media = config.medConfig
    media.clockRate = media.sndClockRate = _CLOCK_HZ
    media.channelCount = 1
    media.audioFramePtime = 20
    media.noVad = True
    media.ecTailLen = 0
    # The bridge releases a port at its next tick: the players of calls just refused are still there.
    media.maxMediaPorts = _PORTS_OF_CALL * settings.calls + most_calls(settings.calls) + _PORTS_SPARE
    return config


def usable_calls(library: ctypes.CDLL, wanted: int) -> int:
    """Return the calls that the library carries at once, as it was built; `wanted` at most."""
    calls = min(wanted, int(library.pjsua_call_get_max_count()))
    for_calls = int(library.pjsua_conf_get_max_ports()) - most_calls(calls) - _PORTS_SPARE
    calls = min(calls, for_calls // _PORTS_OF_CALL)
    return min(calls, _PLAYERS_SURE)


def keep_to_udp(library: ctypes.CDLL) -> bool:
    """Send requests above 1,300 bytes by UDP to a station of UDP, too; tell whether this could be set.

    As soon as any station uses TCP, PJSIP would send them by TCP (RFC 3261, 18.1.1), and would not return to
    UDP where TCP is not answered (pjproject issue 5075).
    """
    fields = (ctypes.c_int * _FIELDS).in_dll(library, "pjsip_sip_cfg_var")
    if fields[_TIMERS] != _TIMER_VALUES:
        return False
    fields[_DISABLE_TCP_SWITCH] = 1
    return True
