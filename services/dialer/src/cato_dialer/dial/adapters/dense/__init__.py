"""The dense trunk: SIP in asyncio, RTP in processes of their own, many calls per core."""
