"""SIP messages, their header values and session descriptions as text."""
