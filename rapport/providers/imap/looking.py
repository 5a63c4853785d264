"""What a look at a folder has to ask, and what follows from the answers. Pure decisions; ``mailbox`` carries them out."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from rapport.providers.contract import Bookmark, FolderState, Look, Sweep
from rapport.providers.errors import StartOver
from rapport.providers.uids import UidSet

UID_MAX = 0xFFFFFFFF
NO_QRESYNC = 2
"""From so many doubts on nobody believes what a folder says has vanished ..."""
NO_CONDSTORE = 3
"""... and here not in its mod-sequences either."""


class Flags(Enum):
    """How to learn which flags changed."""

    NOTHING = "nothing changed, nothing is known yet, or it was told"
    CHANGED = "ask for what changed since the bookmark's mod-sequence"
    ALL = "ask for the flags of everything known: mod-sequences can be relied on only from now on"
    SWEEP = "ask for the flags of what is due: there are no mod-sequences"


@dataclass(frozen=True)
class Told:
    """What a server with QRESYNC said by itself (RFC 7162, 3.2.5)."""

    vanished: UidSet
    flags: Mapping[int, frozenset[str]]
    garbled: bool = False
    """Some of it could not be read."""


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


def modseq(now: FolderState, bookmark: Bookmark | None) -> int:
    """The folder's mod-sequence as far as it is believed, else 0: never again once it ran backwards (hazards 9, 10)."""
    said = now.modseq or 0
    if bookmark and (bookmark.doubts >= NO_CONDSTORE or said < bookmark.modseq):
        return 0
    return said


def may_resync(bookmark: Bookmark | None) -> bool:
    """Whether to let the server say by itself what changed, where it can. There is no mod-sequence 0 to begin at."""
    return bookmark is not None and bookmark.modseq > 0 and bookmark.doubts < NO_QRESYNC


def credible(told: Told, now: FolderState, bookmark: Bookmark) -> bool:
    """The self-test of QRESYNC, made on every answer: readable, and with mod-sequences that go forward (hazard 26)."""
    return not told.garbled and modseq(now, bookmark) > 0


def questions(now: FolderState, bookmark: Bookmark | None, known: UidSet, *, told: bool = False) -> Questions:
    """What has to be asked, given what the SELECT said; ``told`` where it said what changed."""
    if bookmark is None:
        return Questions(arrivals=None if now.exists else UidSet(), flags=Flags.NOTHING)
    # UIDNEXT may be missing; then the bound is the largest UID there can be. Never ``*``: ``n:*`` always matches
    # the last message (sync.md hazard 7).
    last = now.uidnext - 1 if now.uidnext else UID_MAX
    arrivals = UidSet.span(bookmark.uidnext, last) if now.exists else UidSet()
    return Questions(arrivals, Flags.NOTHING if told else _flags(now, bookmark, known))


def _flags(now: FolderState, bookmark: Bookmark, known: UidSet) -> Flags:
    if not known or not now.exists:
        return Flags.NOTHING
    number = modseq(now, bookmark)
    if not number and not bookmark.modseq:
        return Flags.SWEEP
    if not number or not bookmark.modseq:
        # Between having mod-sequences and having none, anything may have changed.
        return Flags.ALL
    return Flags.CHANGED if number > bookmark.modseq else Flags.NOTHING


def needs_listing(now: FolderState, known: UidSet, arrived: UidSet, vanished: UidSet) -> bool:
    """The coverage equation: whether the numbers do not add up, so that something vanished or was overlooked."""
    return len((known | arrived) - vanished) != now.exists


def conclude(
    now: FolderState,
    bookmark: Bookmark | None,
    known: UidSet,
    *,
    arrived: UidSet,
    flags: Mapping[int, frozenset[str]],
    listing: UidSet | None,
    told: Told | None = None,
    sweep: Sweep | None = None,
) -> Look:
    """The look. ``listing`` is every UID of the folder, or None where it was not asked for or cannot be believed."""
    bound = uidnext(now, bookmark, known | arrived | (listing or UidSet()), arrived if bookmark is None else listing)
    below = UidSet.span(1, bound - 1)
    vanished = _vanished(now, known, arrived, listing, told)
    if listing is not None:
        # Also what lies below the bookmark and was never known: it is there now.
        arrived = arrived | listing
    return Look(
        bookmark=Bookmark(
            now.uidvalidity or 0, bound, modseq(now, bookmark), _doubts(now, bookmark, known, listing, told)
        ),
        exists=now.exists,
        arrived=(arrived - known) & below,
        vanished=vanished,
        flags={uid: these for uid, these in flags.items() if uid in known},
        sweep=sweep or Sweep(),
    )


def _vanished(now: FolderState, known: UidSet, arrived: UidSet, listing: UidSet | None, told: Told | None) -> UidSet:
    """Only what we knew: a server that lost its history names more (sync.md hazard 25). And only while it adds up."""
    if listing is not None:
        return known - listing
    if told is None or needs_listing(now, known, arrived, told.vanished):
        return UidSet()
    return told.vanished & known


def _doubts(
    now: FolderState, bookmark: Bookmark | None, known: UidSet, listing: UidSet | None, told: Told | None
) -> int:
    """How far the folder is believed from now on: two wrong tales of what vanished are enough, one right one redeems."""
    if bookmark is None:
        return 0
    if now.modseq and not modseq(now, bookmark):
        return NO_CONDSTORE
    if told is None or bookmark.doubts >= NO_QRESYNC:
        return bookmark.doubts
    if listing is not None and told.vanished & known != known - listing:
        return bookmark.doubts + 1
    return 0 if told.vanished & known else bookmark.doubts


def uidnext(now: FolderState, bookmark: Bookmark | None, seen: UidSet, listing: UidSet | None) -> int:
    """Where the next look goes on. Never below what was there, whatever the server says (sync.md hazards 5 and 6)."""
    before = bookmark.uidnext if bookmark else 1
    if not now.uidnext or (listing and len(listing & UidSet.span(1, now.uidnext - 1)) < now.exists):
        # Not told, or so low that messages there were at the SELECT lie above it.
        return max(seen.max() + 1, before)
    # Arrivals since the SELECT are left to the next look: its numbers and these are from one instant.
    return max(now.uidnext, before)


def silent(asked: UidSet, look: Look) -> UidSet:
    """Messages whose flags were asked for and not told, though they are there (sync.md hazard 15)."""
    return asked - UidSet.of(look.flags) - look.vanished


def believable(listing: UidSet, exists: int) -> bool:
    """Whether a full listing is one: as long as the folder. Silence is no evidence that anything vanished."""
    return len(listing) == exists
