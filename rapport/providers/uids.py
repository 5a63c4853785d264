"""A set of UIDs kept as ranges: a folder of a million messages is a few bytes."""

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class UidSet:
    """An immutable set of positive integers as sorted, disjoint, non-touching ``(low, high)`` ranges."""

    ranges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, uids: Iterable[int]) -> "UidSet":
        """From any integers, in any order, doubled or not."""
        ordered = sorted(set(uids))
        runs = itertools.groupby(enumerate(ordered), lambda pair: pair[1] - pair[0])
        spans = []
        for _, run in runs:
            members = [uid for _, uid in run]
            spans.append((members[0], members[-1]))
        return cls(tuple(spans))

    @classmethod
    def span(cls, low: int, high: int) -> "UidSet":
        """Every UID from ``low`` to ``high``, both included; empty when ``high < low``."""
        return cls(((low, high),)) if low <= high else cls()

    @classmethod
    def parse(cls, text: str) -> "UidSet":
        """From IMAP's own notation, ``1:3,7`` (RFC 9051 sequence-set, without ``*``). Raises ValueError."""
        spans = []
        for piece in filter(None, text.split(",")):
            low, _, high = piece.partition(":")
            first, last = int(low), int(high or low)
            spans.append((min(first, last), max(first, last)))
        return cls(_merged(spans))

    def __str__(self) -> str:
        return ",".join(f"{low}:{high}" if high > low else f"{low}" for low, high in self.ranges)

    def __iter__(self) -> Iterator[int]:
        return itertools.chain.from_iterable(range(low, high + 1) for low, high in self.ranges)

    def __len__(self) -> int:
        return sum(high - low + 1 for low, high in self.ranges)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __contains__(self, uid: int) -> bool:
        place = bisect_right(self.ranges, (uid, float("inf"))) - 1
        return place >= 0 and uid <= self.ranges[place][1]

    def __or__(self, other: "UidSet") -> "UidSet":
        return UidSet(_merged([*self.ranges, *other.ranges]))

    def __sub__(self, other: "UidSet") -> "UidSet":
        spans: list[tuple[int, int]] = []
        cuts = iter(other.ranges)
        cut = next(cuts, None)
        for start, high in self.ranges:
            low = start
            while cut and cut[1] < low:
                cut = next(cuts, None)
            while cut and cut[0] <= high:
                if cut[0] > low:
                    spans.append((low, cut[0] - 1))
                low = cut[1] + 1
                if cut[1] > high:
                    break
                cut = next(cuts, None)
            if low <= high:
                spans.append((low, high))
        return UidSet(tuple(spans))

    def __and__(self, other: "UidSet") -> "UidSet":
        return self - (self - other)

    def max(self) -> int:
        """The highest UID, or 0."""
        return self.ranges[-1][1] if self.ranges else 0

    def newest(self, count: int) -> "UidSet":
        """The ``count`` highest UIDs."""
        spans: list[tuple[int, int]] = []
        left = count
        for low, high in reversed(self.ranges):
            if left <= 0:
                break
            start = max(low, high - left + 1)
            spans.append((start, high))
            left -= high - start + 1
        return UidSet(tuple(reversed(spans)))

    def chunks(self, count: int, octets: int = 8000) -> Iterator["UidSet"]:
        """Newest first, pieces of at most ``count`` UIDs whose notation stays under ``octets`` (RFC 7162, 4)."""
        rest = self
        while rest:
            piece = rest.newest(count)
            while len(str(piece)) > octets:
                piece = piece.newest(max(1, len(piece) // 2))
            yield piece
            rest = rest - piece


def _merged(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Sorted, with overlapping and touching ranges joined."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return tuple(joined)
