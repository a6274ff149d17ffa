"""The collector of cycles, set for services: they make much that is short-lived, and few cycles.

As Python has it, the collector looks after every 700 new objects that might be part of a cycle. Events are
made by the ten thousand a second and freed by counting references: to read 20,000 of them cost 32 us each
with the collector as it is, 12 us without.
"""

import gc

_BEFORE_A_LOOK = (100_000, 50, 100)
"""New objects before it looks at the young ones (some 20 MB, were all of them garbage), such looks before it
looks at the older ones, and those before it looks at all."""


def collect_seldom() -> None:
    """Have the collector look seldom, and never at what is there now: call it when all is imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_BEFORE_A_LOOK)
