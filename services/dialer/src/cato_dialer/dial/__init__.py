"""The calls themselves: jobs, channels, SIP and RTP."""
