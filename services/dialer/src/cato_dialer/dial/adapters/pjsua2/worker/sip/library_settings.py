"""Settings of PJSIP that its Python side does not have."""

import ctypes

_FIELDS = 24
_DISABLE_TCP_SWITCH = 4
_TIMERS, _TIMER_VALUES = slice(14, 18), [500, 4_000, 5_000, 32_000]
"`tsx.t1`, `t2`, `t4` and `td` in `pjsip_cfg_t`, by which its layout is recognised."


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
