"""The SIP side of PJSIP: accounts, calls, registrations, and workarounds for its faults."""
