"""The media process: sends prompts as RTP, receives keys as RFC 4733 events."""
