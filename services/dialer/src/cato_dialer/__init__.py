"""The dialer: campaigns, which decide the calls, and the dial role, which makes them."""
