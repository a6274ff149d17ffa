"""What the worker does with PJSIP's SIP side: accounts, calls, registrations, and the repairs of its gaps."""
