"""One call and one subscriber's calls: decisions only, no clock, no line, no broker."""
