"""What a look at a folder has to ask, and what follows from the answers. Pure decisions; ``mailbox`` carries them out."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from rapport.providers.contract import Bookmark, FolderState, Look
from rapport.providers.errors import StartOver
from rapport.providers.uids import UidSet

UID_MAX = 0xFFFFFFFF


class Flags(Enum):
    """How to learn which flags changed."""

    NOTHING = "nothing changed, or nothing is known yet"
    CHANGED = "ask for what changed since the bookmark's mod-sequence"
    SWEEP = "ask for the flags of everything known"


@dataclass(frozen=True)
class Questions:
    """What to ask after a SELECT."""

    arrivals: UidSet | None
    """The range in which new UIDs may be, None for everything; empty when there can be none."""
    flags: Flags


def check(before: int, now: FolderState, folder: str) -> None:
    """Raise StartOver unless the folder is still the one we remember.

    A missing UIDVALIDITY, or 0, promises nothing, so nothing may rest on it (sync.md hazard 2).
    """
    if not now.uidvalidity or now.uidvalidity != before:
        # A new UIDVALIDITY makes every UID we hold a lie (RFC 9051, 2.3.1.1).
        raise StartOver(f"{folder} was rebuilt on the server.")


def questions(now: FolderState, bookmark: Bookmark | None, known: UidSet) -> Questions:
    """What has to be asked, given what the SELECT said."""
    if bookmark is None:
        return Questions(arrivals=None if now.exists else UidSet(), flags=Flags.NOTHING)
    # UIDNEXT may be missing; then the bound is the largest UID there can be. Never ``*``: ``n:*`` always matches
    # the last message (sync.md hazard 7).
    last = now.uidnext - 1 if now.uidnext else UID_MAX
    arrivals = UidSet.span(bookmark.uidnext, last) if now.exists else UidSet()
    return Questions(arrivals, _flags(now, bookmark, known))


def _flags(now: FolderState, bookmark: Bookmark, known: UidSet) -> Flags:
    if not known or not now.exists:
        return Flags.NOTHING
    if not bookmark.modseq or not now.modseq or now.modseq < bookmark.modseq:
        # Without mod-sequences, or with ones that run backwards (sync.md hazard 10), only looking helps.
        return Flags.SWEEP
    return Flags.CHANGED if now.modseq > bookmark.modseq else Flags.NOTHING


def needs_listing(now: FolderState, known: UidSet, arrived: UidSet) -> bool:
    """Whether the numbers do not add up, so that something vanished or was overlooked."""
    return len(known | arrived) != now.exists


def conclude(
    now: FolderState,
    bookmark: Bookmark | None,
    known: UidSet,
    *,
    arrived: UidSet,
    flags: Mapping[int, frozenset[str]],
    listing: UidSet | None,
) -> Look:
    """The look. ``listing`` is every UID of the folder, or None where it was not asked for or cannot be believed."""
    bound = uidnext(now, bookmark, known | arrived | (listing or UidSet()))
    below = UidSet.span(1, bound - 1)
    if listing is not None:
        # Also what lies below the bookmark and was never known: it is there now.
        arrived = arrived | listing
    return Look(
        bookmark=Bookmark(now.uidvalidity or 0, bound, now.modseq or 0),
        exists=now.exists,
        arrived=(arrived - known) & below,
        vanished=known - listing if listing is not None else UidSet(),
        flags={uid: these for uid, these in flags.items() if uid in known},
    )


def uidnext(now: FolderState, bookmark: Bookmark | None, seen: UidSet) -> int:
    """Where the next look goes on. Never below what was there, whatever the server says (sync.md hazards 5 and 6)."""
    if now.uidnext:
        # Arrivals since the SELECT are left to the next look: its numbers and these are from one instant.
        return max(now.uidnext, bookmark.uidnext if bookmark else 1)
    return max(seen.max() + 1, bookmark.uidnext if bookmark else 1)


def believable(listing: UidSet, exists: int) -> bool:
    """Whether a full listing is one: as long as the folder. Silence is no evidence that anything vanished."""
    return len(listing) == exists
