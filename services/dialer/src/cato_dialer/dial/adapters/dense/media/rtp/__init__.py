"""RTP streams: send prompts as packets, recognise keys in received packets."""
