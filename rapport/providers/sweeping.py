"""Which flags to ask for in a folder without mod-sequences: the newest always, older ones now and then (B2). Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from rapport.providers.contract import Sweep
from rapport.providers.uids import UidSet

NEWEST = 200
"""Messages asked for at each look."""
RECENT = 2_000
RECENT_EVERY = timedelta(minutes=5)
SLICE = 5_000
"""Messages of a sweep of the whole folder that are asked for at one look."""
WHOLE_EVERY = timedelta(hours=1)
WHOLE_WITHIN = timedelta(hours=6)
"""A sweep of the whole folder that took longer asks for all the rest at once."""


@dataclass(frozen=True)
class Due:
    """What to ask for now, and what to remember of having done so."""

    uids: UidSet
    sweep: Sweep


def due(sweep: Sweep | None, known: UidSet, at: datetime) -> Due:
    """Which of the known messages are due at a look; all of them without a ``sweep``."""
    if sweep is None:
        return Due(known, Sweep(at, at))
    recent = _is_due(sweep.recent, RECENT_EVERY, at)
    uids = known.newest(RECENT if recent else NEWEST)
    whole, left = sweep.whole, known & UidSet.span(1, sweep.below - 1)
    if not sweep.below and _is_due(whole, WHOLE_EVERY, at):
        whole, left = at, known
    piece = left if _is_due(whole, WHOLE_WITHIN, at) else left.newest(SLICE)
    rest = left - piece
    return Due(uids | piece, Sweep(at if recent else sweep.recent, whole, rest.max() + 1 if rest else 0))


def _is_due(last: datetime | None, every: timedelta, at: datetime) -> bool:
    """Also when the last time lies ahead: then a clock was wrong (sync.md hazard 107)."""
    return last is None or not timedelta(0) <= at - last < every
