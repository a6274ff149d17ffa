"""The word sums of all prompts in one array, so that one look-up gives the checksums of many streams."""

import weakref

import numpy as np

from cato_dialer.dial.adapters.dense.media.rtp.prompts import Prompt

_FIRST_ENTRIES = 1 << 14


class SumTable:
    """`sums[base(prompt) + n]` is `prompt.sums[n]`. A range is freed when its prompt is garbage-collected."""

    def __init__(self) -> None:
        self.sums = np.zeros(_FIRST_ENTRIES, np.int64)
        self._bases: weakref.WeakKeyDictionary[Prompt, int] = weakref.WeakKeyDictionary()
        self._used: list[tuple[int, int]] = []
        "Ranges in order, ends excluded."

    def base(self, prompt: Prompt) -> int:
        known = self._bases.get(prompt)
        if known is not None:
            return known
        size = len(prompt.sums)
        base = self._free(size)
        while base + size > len(self.sums):
            self.sums = np.concatenate((self.sums, np.zeros(len(self.sums), np.int64)))
        self.sums[base : base + size] = prompt.sums
        self._bases[prompt] = base
        self._used.append((base, base + size))
        self._used.sort()
        weakref.finalize(prompt, self._used.remove, (base, base + size))
        return base

    def _free(self, size: int) -> int:
        """Return the first gap that is large enough."""
        start = 0
        for begin, end in self._used:
            if begin - start >= size:
                return start
            start = end
        return start
