"""SIP traces: which messages are recorded, and what of them is written."""
