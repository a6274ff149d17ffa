"""The geometry of the charts, in user units of SVG. Templates draw it; tables beside it say the same."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

WIDTH, HEIGHT = 640.0, 200.0
_STEPS = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar: where it begins, how long it is, and its class."""

    at: float
    size: float
    kind: str


def stacked(parts: Sequence[tuple[str, int]], whole: int, width: float = 100.0) -> list[Segment]:
    """Return the segments of one bar; parts of nothing are left out, small ones stay visible."""
    segments: list[Segment] = []
    at = 0.0
    for kind, count in parts:
        if count <= 0 or whole <= 0:
            continue
        size = min(max(count / whole * width, 0.6), width - at)
        segments.append(Segment(at, size, kind))
        at += size
    return segments


def nice_top(value: float) -> float:
    """Return a round number that is at least `value`: the top of an axis."""
    if value <= 0:
        return 1.0
    unit = 10 ** math.floor(math.log10(value))
    return next(float(step * unit) for step in _STEPS if step * unit >= value)


@dataclass(frozen=True, slots=True)
class Curve:
    """A step curve: how many were reached until when."""

    line: str
    area: str
    top: int
    rows: tuple[tuple[float, int], ...]
    """Height and number of the lines of the grid."""
    begins: datetime
    ends: datetime
    half: datetime | None
    """When half of all had been reached; None: not yet."""


def curve(points: Sequence[tuple[datetime, int]], whole: int, until: datetime) -> Curve | None:
    """Return the curve of cumulated counts; None without a point."""
    if not points:
        return None
    begins, ends = points[0][0], max(until, points[-1][0])
    span = max((ends - begins).total_seconds(), 1.0)
    total = sum(count for _, count in points)
    top = max(1, whole, total)
    path, reached, half = [f"M0 {HEIGHT:g}"], 0, None
    for at, count in points:
        x = (at - begins).total_seconds() / span * WIDTH
        reached += count
        path.append(f"H{x:.1f}V{HEIGHT * (1 - reached / top):.1f}")
        if half is None and reached * 2 >= whole > 0:
            half = at
    line = "".join(path) + f"H{WIDTH:g}"
    rows = tuple((HEIGHT * (1 - part), round(top * part)) for part in (0.25, 0.5, 0.75, 1.0))
    return Curve(line, f"{line}V{HEIGHT:g}Z", top, rows, begins, ends, half)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a histogram: the parts from the bottom to the top."""

    at: float
    width: float
    parts: tuple[Segment, ...]
    label: str
    number: int


def columns(groups: Sequence[tuple[str, Sequence[tuple[str, int]]]]) -> tuple[list[Column], int]:
    """Return stacked columns, and the number at the top of the axis."""
    most = max((sum(count for _, count in parts) for _, parts in groups), default=0)
    top = nice_top(most)
    step = WIDTH / max(len(groups), 1)
    width = min(step * 0.7, 96.0)
    made = []
    for index, (label, parts) in enumerate(groups):
        at = HEIGHT
        stack = []
        for kind, count in parts:
            size = count / top * HEIGHT
            at -= size
            if size:
                stack.append(Segment(at, size, kind))
        number = sum(count for _, count in parts)
        made.append(Column(index * step + (step - width) / 2, width, tuple(stack), label, number))
    return made, math.ceil(top)


def label_every(count: int, most: int = 12) -> int:
    """Return how many columns share one label, so that labels do not overlap."""
    return max(1, math.ceil(count / most))
