"""How schemathesis makes values of our formats: time zones that there are, ids that there may be."""

import os
from zoneinfo import available_timezones

import schemathesis
from hypothesis import strategies as st

# Resources that were made before, with commas: with nothing but random ids everything would be unknown.
KNOWN_IDS = os.environ["CATO_FUZZING_IDS"].split(",")

schemathesis.openapi.format("iana-time-zone", st.sampled_from(sorted(available_timezones())))
schemathesis.openapi.format("uuid", st.sampled_from(KNOWN_IDS) | st.uuids().map(str))
