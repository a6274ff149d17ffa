"""SIP traces."""
