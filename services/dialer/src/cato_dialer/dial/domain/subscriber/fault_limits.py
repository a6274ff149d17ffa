"""How often something is repeated that has failed for reasons of the system.

A fault of ours says nothing about the subscriber. After the last repeat the result has the reason `fault`.
"""

from cato_contracts.api.reasons import Reason

INTERRUPTION_LIMIT = 3
"""How often a number is called again in a wave because its call was interrupted; the next number follows."""

INTERRUPTIONS_AT_STATION = 2
"""After so many interruptions of a number at one station, the other stations are tried first."""

UNSENT_LIMIT = 5
"""After so many unsent orders of one call, its number is not called through the station."""

JOB_FAULT_LIMIT = 5
"""After so many unexpected failures of one job, its subscriber has failed."""

FAULT = Reason.FAULT
"""The subscriber was not reached for reasons of the system, which the bounded repeats did not overcome."""
