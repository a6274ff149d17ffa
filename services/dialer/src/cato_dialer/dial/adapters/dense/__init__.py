"""The dense trunk: SIP runs in asyncio, RTP in separate processes, with many calls per core."""
