"""A SIP user agent client (RFC 3261): messages, transactions, dialogs, calls."""
