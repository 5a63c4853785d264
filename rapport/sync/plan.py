"""The decisions of a pass, pure."""

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from rapport.mail.models import Folder, Skipped
from rapport.providers.contract import FolderState, Look, RemoteMeta
from rapport.providers.uids import UidSet

LARGEST = 50 * 1024 * 1024
"""Octets of the largest message fetched without being asked (R61)."""
FIRST_CHUNK = 50
"""Emails stored before anything else: the first screen."""
CHUNK = 200
ORDER = ("inbox", "sent", "drafts", "archive", "", "flagged", "all", "trash", "spam")
"""Folders in the order people want them."""
CLEAN_FOR = timedelta(minutes=30)
"""A folder that LIST says is unchanged is looked at all the same after this time (sync.md hazard 24)."""


@dataclass(frozen=True)
class Scope:
    """Which messages of a folder are wanted."""

    since: datetime | None
    """The start of the period; ``None`` for everything."""
    floor: int
    """From this UID on, everything is: it came after we did."""
    observed: bool
    """Trash and spam: what was there before us is left alone (S22)."""
    remembered: Collection[tuple[datetime, int]] = ()
    """Date and size of what an observed folder held before the server rebuilt it: wanted again."""


@dataclass(frozen=True)
class Sorted:
    """What to do with listed messages."""

    fetch: UidSet
    skip: Mapping[int, Skipped.Reason] = field(default_factory=dict)


def in_order(folders: Iterable[Folder]) -> list[Folder]:
    """Inbox first, trash and spam last."""
    return sorted(folders, key=lambda folder: (ORDER.index(folder.role), folder.name))


def search_from(since: datetime | None) -> date | None:
    """The day to SEARCH SINCE: one earlier, because the server's day is not ours (sync.md hazard 29)."""
    return None if since is None else (since.astimezone(UTC) - timedelta(days=1)).date()


def first_window(look: Look, listed_since: UidSet | None, scope: Scope) -> UidSet:
    """What to fetch after the first look at a folder.

    Without a search result everything may be wanted; the dates decide when they are known.
    """
    if scope.observed and not scope.remembered:
        return UidSet()
    return look.arrived if listed_since is None else look.arrived & listed_since


def sort(metas: Iterable[RemoteMeta], scope: Scope, largest: int = LARGEST) -> Sorted:
    """Which of these to fetch, and why not the others."""
    fetch, skip = [], {}
    for meta in metas:
        reason = _skipped(meta, scope, largest)
        if reason is None:
            fetch.append(meta.uid)
        else:
            skip[meta.uid] = reason
    return Sorted(UidSet.of(fetch), skip)


def is_clean(folder: Folder, state: FolderState | None, at: datetime) -> bool:
    """Whether LIST-STATUS shows that nothing happened: then the folder need not be opened this time."""
    if state is None or folder.uidvalidity is None or folder.pending or folder.looked_at is None:
        return False
    same = (state.uidvalidity, state.uidnext, state.exists) == (
        folder.uidvalidity,
        folder.uidnext,
        len(UidSet.parse(folder.known)),
    )
    flags_same = bool(state.modseq) and state.modseq == folder.modseq
    return same and flags_same and at - folder.looked_at < CLEAN_FOR


def wait_after(attempts: int, asked: float | None, chance: random.Random) -> timedelta:
    """How long to wait after so many failures in a row: 5 s to 15 min, with full jitter (sync.md B11)."""
    if asked is not None:
        return timedelta(seconds=min(asked, 3600))
    most = min(900.0, 5.0 * 2 ** min(attempts, 10))
    return timedelta(seconds=max(2.0, chance.uniform(0, most)))


def turns(pending: Mapping[int, UidSet], first: bool) -> Sequence[tuple[int, UidSet]]:
    """The next piece of each folder's pending work, newest first: no folder waits for another to finish."""
    size = FIRST_CHUNK if first else CHUNK
    return [(folder, uids.newest(size)) for folder, uids in pending.items() if uids]


def _skipped(meta: RemoteMeta, scope: Scope, largest: int) -> Skipped.Reason | None:
    if meta.uid < scope.floor:
        if scope.observed and (meta.internal_date, meta.size) not in scope.remembered:
            return Skipped.Reason.OBSERVED
        if not scope.observed and scope.since is not None and meta.internal_date < scope.since:
            return Skipped.Reason.PERIOD
    return Skipped.Reason.LARGE if meta.size > largest else None
