"""The decisions of a pass, pure."""

import random
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from rapport.mail.models import Folder, Skipped
from rapport.providers.contract import FolderState, Look, RemoteFolder, RemoteMeta
from rapport.providers.uids import UidSet

LARGEST = 50 * 1024 * 1024
"""Octets of the largest message fetched without being asked (R61)."""
FIRST_CHUNK = 50
"""Emails stored before anything else: the first screen."""
CHUNK = 400
ORDER = ("inbox", "sent", "drafts", "archive", "", "flagged", "all", "trash", "spam")
"""Folders in the order people want them."""
MUCH = 50
"""Messages vanished at once, if they are a fifth of the folder, that make us ask again."""
REBUILDS = 3
"""New UIDVALIDITYs in a day after which a folder counts as one that is renumbered all the time."""
Key = int
"""What ``key`` makes."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
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
    """Date and size of what the folder held before the server rebuilt it: wanted again."""
    largest: int | None = LARGEST
    """Octets; ``None`` for a message that was asked for by name."""


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
    if scope.observed:
        return UidSet()
    return look.arrived if listed_since is None else look.arrived & listed_since


def sort(metas: Iterable[RemoteMeta], scope: Scope) -> Sorted:
    """Which of these to fetch, and why not the others."""
    fetch, skip = [], {}
    for meta in metas:
        reason = _skipped(meta, scope)
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


def orders(pending: Sequence[UidSet], *, once: bool = False) -> Iterator[tuple[int, UidSet]]:
    """Pieces of each folder's pending work, newest first, every folder in turn; ``once``: the first screen alone."""
    left = list(pending)
    while any(left):
        for number, uids in enumerate(left):
            if uids:
                piece = next(uids.chunks(FIRST_CHUNK if once else CHUNK))
                left[number] = uids - piece
                yield number, piece
                if once:
                    return


def is_much(vanished: UidSet, known: UidSet) -> bool:
    """So much is gone at once that the server is asked again before it is believed (sync.md B2)."""
    return len(vanished) >= MUCH and len(vanished) * 5 > len(known)


def without(look: Look, listed: UidSet) -> Look:
    """A look that no longer calls vanished what the server lists after all."""
    return replace(look, vanished=look.vanished - listed)


def renumbers(folder: Folder, at: datetime) -> bool:
    """The server gave this folder a new UIDVALIDITY too often lately (sync.md hazard 3)."""
    return folder.rebuilds > REBUILDS and folder.rebuilt_since is not None and at - folder.rebuilt_since < DAY


def is_fresh(folder: Folder, at: datetime) -> bool:
    """It was read within the hour."""
    return folder.looked_at is not None and at - folder.looked_at < HOUR


def renames(rows: Iterable[Folder], remote: Iterable[RemoteFolder]) -> list[tuple[Folder, RemoteFolder]]:
    """Folders that are no longer listed, each with the new one that may be it: the same UIDVALIDITY, no lower UIDNEXT.

    Only where both sides have exactly one candidate. INBOX never: renaming it moves its messages (RFC 9051, 6.3.6).
    """
    there = {folder.wire: folder for folder in remote if folder.selectable}
    here = {bytes(row.wire): row for row in rows}
    lost = [row for wire, row in here.items() if wire not in there and row.uidvalidity and row.role != "inbox"]
    new = [folder for wire, folder in there.items() if wire not in here and folder.state]
    pairs = [(row, folder) for row in lost for folder in new if _may_be(row, folder)]
    return [
        (row, folder)
        for row, folder in pairs
        if sum(other is row for other, _ in pairs) == 1 and sum(other is folder for _, other in pairs) == 1
    ]


def keys(metas: Iterable[RemoteMeta], ids: Mapping[int, str]) -> dict[int, Key]:
    """What messages are known by where their bytes are not: Message-ID, date and size, as one number, by UID.

    A message without an id is known by its bytes alone, and is left out.
    """
    return {meta.uid: key(ids[meta.uid], meta.internal_date, meta.size) for meta in metas if ids.get(meta.uid)}


def key(message_id: str, date: datetime, size: int) -> Key:
    """Good within this process: a number instead of a text, for a folder of a million messages."""
    return hash((message_id, date, size))


def recognise(seen: Mapping[int, Key], old: Mapping[Key, Sequence[int]]) -> dict[int, int]:
    """Messages known again after a folder was rebuilt, by UID: key equal, and nobody else's on both sides.

    ``seen`` is the whole folder now, ``old`` what lay there. Whatever is ambiguous is fetched and known by its bytes
    (sync.md B1, identity ladder).
    """
    count = Counter(seen.values())
    return {uid: old[one][0] for uid, one in seen.items() if count[one] == 1 and len(old.get(one, ())) == 1}


def _may_be(row: Folder, folder: RemoteFolder) -> bool:
    state = folder.state
    return bool(state and state.uidvalidity == row.uidvalidity and (state.uidnext or 0) >= row.uidnext)


def _skipped(meta: RemoteMeta, scope: Scope) -> Skipped.Reason | None:
    if meta.uid < scope.floor and (meta.internal_date, meta.size) not in scope.remembered:
        if scope.observed:
            return Skipped.Reason.OBSERVED
        if scope.since is not None and meta.internal_date < scope.since:
            return Skipped.Reason.PERIOD
    return Skipped.Reason.LARGE if scope.largest is not None and meta.size > scope.largest else None
